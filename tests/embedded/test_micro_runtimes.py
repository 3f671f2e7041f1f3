"""Which interpreter runs a Micro, and where its packages come from."""

import os
import sys
from pathlib import Path

import pytest

from storage.embedded.micros import indexes, runtimes, shims
from storage.embedded.micros.runtimes import Asked, Runtime, UnknownRuntime

HERE = Path("/nowhere")
MACHINE = (
    Runtime("python", "3.11.7", HERE, HERE),
    Runtime("python", "3.13.0", HERE, HERE),
    Runtime("python", "3.10.13", HERE, HERE),
    Runtime("node", "24.19.0", HERE, HERE),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("python", "Python 3.11.7"),
        ("Python3", "Python 3.11.7"),
        ("python3.x", "Python 3.11.7"),
        ("python3.7", "Python 3.10.13 (instead of Python 3.7)"),
        ("python3.9", "Python 3.10.13 (instead of Python 3.9)"),
        ("python3.11", "Python 3.11.7"),
        ("python3.12", "Python 3.13.0 (instead of Python 3.12)"),
        ("python3.13.2", "Python 3.13.0"),
        ("python3.14", "Python 3.13.0 (instead of Python 3.14)"),
        ("node", "Node.js 24.19.0"),
        ("nodejs", "Node.js 24.19.0"),
        ("nodejs12.x", "Node.js 24.19.0 (instead of Node.js 12)"),
        ("nodejs14.x", "Node.js 24.19.0 (instead of Node.js 14)"),
        ("node24", "Node.js 24.19.0"),
    ],
)
def test_what_runs_an_app_that_asks_for_it(text: str, said: str) -> None:
    asked = runtimes.read_asked(text)
    assert runtimes.say_what_runs(asked, runtimes.choose(asked, MACHINE)) == said


@pytest.mark.parametrize("text", ["", "ruby", "go1.21", "python 3 .9", "node;rm"])
def test_an_unknown_runtime_is_refused(text: str) -> None:
    with pytest.raises(UnknownRuntime):
        runtimes.read_asked(text)


def test_without_an_interpreter_nothing_runs() -> None:
    with pytest.raises(UnknownRuntime, match=r"no Node\.js on this machine"):
        runtimes.choose(Asked("node", ""), MACHINE[:3])


def test_the_servers_own_python_and_node_are_found() -> None:
    found = runtimes.find_runtimes()
    own = found[0]
    assert own.version == ".".join(map(str, sys.version_info[:3]))
    assert own.home == Path(sys.base_prefix).resolve()
    assert own.program.is_relative_to(own.home)
    assert all(each.release >= shims.oldest_python() for each in found if each.kind == "python")
    node = found[-1]
    assert (node.kind, node.release[0]) == ("node", 24)
    assert (node.home / "lib/node_modules/npm/bin/npm-cli.js").is_file()


def test_the_folder_of_the_sandboxes_is_made_once_and_readable_for_all(tmp_path: Path) -> None:
    target = tmp_path / "homeport"
    assert shims.lay_out(target)
    assert not shims.lay_out(target)
    names = {"start.py", "homeport_runtime", "lib", "not_installed.txt"}
    assert {path.name for path in (target / "python").iterdir()} == names
    assert {"uvicorn", "a2wsgi", "deta", "httpx", "httptools"} <= {p.name for p in (target / "python/lib").iterdir()}
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in target.rglob("*"))
    before = os.umask(0o077)
    shims.compile_for(target, sys.executable)
    os.umask(before)
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in target.rglob("*"))
    assert list((target / "python/lib/uvicorn/__pycache__").glob("main.*.pyc"))
    (target / "python" / "start.py").write_text("# changed by somebody")
    (target / "fingerprint").write_text("of another version")
    assert shims.lay_out(target)
    assert "changed" not in (target / "python" / "start.py").read_text()


def test_indexes_come_from_the_settings_of_pip_and_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    node = runtimes.find_runtimes()[-1]
    npm = node.home / "lib/node_modules/npm/bin/npm-cli.js"
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://mirror.example.org:8443/simple\n"
        "extra-index-url = file:///opt/simple https://more.example.org/simple\nfind-links = /opt/wheels\n"
        "[install]\ntrusted-host = mirror.example.org\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("npm_config_registry", "https://npm.example.org/")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    found = indexes.find_indexes(node.program, npm)
    assert found.environment["UV_DEFAULT_INDEX"] == "https://mirror.example.org:8443/simple"
    assert found.environment["UV_INDEX"].split()[-1] == "https://more.example.org/simple"
    assert "file:" not in found.environment["UV_INDEX"]
    assert found.environment["npm_config_registry"] == "https://npm.example.org/"
    assert {"mirror.example.org:8443", "more.example.org", "npm.example.org"} <= found.hosts
    assert not indexes.usual_hosts() & found.hosts
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example.org/simple")
    assert indexes.find_indexes(node.program, npm).environment["UV_DEFAULT_INDEX"] == "https://uv.example.org/simple"


def test_without_settings_a_build_may_reach_the_public_indexes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "npm_config_registry"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    node = runtimes.find_runtimes()[-1]
    found = indexes.find_indexes(node.program, node.home / "lib/node_modules/npm/bin/npm-cli.js")
    assert len(indexes.usual_hosts()) == 2
    assert indexes.usual_hosts() <= found.hosts
