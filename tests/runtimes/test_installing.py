"""What is installed for an app, by the tools that do it."""

import json
from pathlib import Path

import pytest

from storage.embedded.micros import installing
from storage.embedded.micros.installing import Plan
from tests.runtimes.conftest import carry_out, real_paths, runtime


def make_plan(code: Path, kind: str, files: dict[str, str], packages: Path = Path("/deps")) -> Plan:
    for name, text in files.items():
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).write_text(text)
    return installing.plan(code, kind, runtime(kind).series, paths=real_paths(code, packages))


@pytest.mark.parametrize(
    ("kind", "files", "word"),
    [
        ("python", {}, None),
        ("python", {"main.py": "import flask"}, None),
        ("python", {"requirements.txt": "\n# nothing yet\n"}, None),
        ("python", {"pyproject.toml": "[tool.ruff]\nline-length = 100"}, None),
        ("python", {"requirements.txt": "flask", "pyproject.toml": "[project]"}, "requirements.txt"),
        ("python", {"pyproject.toml": '[project]\nname = "x"\ndependencies = ["flask"]'}, "pyproject.toml"),
        ("node", {"index.js": "module.exports = 1"}, None),
        ("node", {"package.json": '{"dependencies": {"koa": "3"}}'}, "install"),
        ("node", {"package.json": "{}", "package-lock.json": "{}"}, "ci"),
        ("node", {"package.json": "no JSON"}, "install"),
        ("node", {"index.js": "const { Base } = require('deta');"}, "deta@2.0.0"),
        ("node", {"lib/a.mjs": 'import { Base } from "deta";', "package.json": "{}"}, "deta@2.0.0"),
        ("node", {"node_modules/x/a.js": "require('deta')"}, None),
    ],
)
def test_what_an_app_asks_for_says_what_is_run(
    tmp_path: Path, kind: str, files: dict[str, str], word: str | None
) -> None:
    plan = make_plan(tmp_path, kind, files)
    words = [part.rpartition("/")[2] for command in plan.commands for part in command]
    assert bool(plan.commands) is bool(plan.digest) is (word is not None)
    if word:
        assert word in words
    if kind == "node":
        assert all("--ignore-scripts" in command for command in plan.commands)


def test_deta_is_added_for_node_only_where_the_app_does_not_ask_for_it(tmp_path: Path) -> None:
    files = {"package.json": '{"dependencies": {"deta": "1.2.0"}}', "index.js": "require('deta')"}
    (command,) = make_plan(tmp_path, "node", files).commands
    assert "deta@2.0.0" not in command


@pytest.mark.parametrize(
    ("kind", "first", "second", "is_same"),
    [
        ("python", {"requirements.txt": "flask", "main.py": "1"}, {"main.py": "2"}, True),
        ("python", {"requirements.txt": "flask"}, {"requirements.txt": "flask<4"}, False),
        ("python", {"requirements.txt": "-r more/x.txt", "more/x.txt": "flask"}, {"more/x.txt": "bottle"}, False),
        ("python", {"requirements.txt": "-c c.txt\nflask", "c.txt": "flask<4"}, {"c.txt": "flask<5"}, False),
        ("python", {"requirements.txt": "./lib", "lib/setup.py": "1"}, {"lib/setup.py": "2"}, False),
        ("node", {"package.json": "{}", "index.js": "1"}, {"index.js": "2"}, True),
        ("node", {"package.json": "{}", "index.js": "1"}, {"index.js": "require('deta')"}, False),
        ("node", {"package.json": "{}", "package-lock.json": "{}"}, {"package-lock.json": '{"a": 1}'}, False),
        ("node", {"package.json": "{}"}, {".npmrc": "registry=https://example.org"}, False),
    ],
)
def test_the_digest_is_of_what_is_asked_for(
    tmp_path: Path, kind: str, first: dict[str, str], second: dict[str, str], is_same: bool
) -> None:
    before = make_plan(tmp_path, kind, first).digest
    assert (make_plan(tmp_path, kind, second).digest == before) is is_same


@pytest.mark.parametrize(
    ("package", "files"),
    [
        ({"dependencies": {"lib": "file:./lib"}}, {"lib/index.js", "lib/package.json"}),
        ({"optionalDependencies": {"lib": "file:lib"}}, {"lib/index.js", "lib/package.json"}),
        ({"workspaces": ["l*"]}, {"lib/index.js", "lib/package.json"}),
        ({"workspaces": {"packages": ["lib"]}}, {"lib/index.js", "lib/package.json"}),
        ({"dependencies": {"lib": "file:../../etc"}, "workspaces": ["../*", "/etc"]}, set()),
        ({"dependencies": {"koa": "3"}}, set()),
    ],
)
def test_packages_that_lie_in_the_code_lie_beside_the_others(
    tmp_path: Path, package: dict[str, object], files: set[str]
) -> None:
    code = {"lib/index.js": "1", "lib/package.json": "{}", "lib/node_modules/x.js": "2", "index.js": "3"}
    plan = make_plan(tmp_path, "node", {"package.json": json.dumps(package), **code})
    assert set(plan.files) == {"package.json", *files}


def test_a_file_outside_of_the_code_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("one")
    files = {"requirements.txt": "-r ../secret.txt"}
    before = make_plan(tmp_path / "app", "python", files).digest
    (tmp_path / "secret.txt").write_text("two")
    assert make_plan(tmp_path / "app", "python", files).digest == before


@pytest.mark.parametrize(
    "line",
    [
        "deta",
        "Deta==1.1.0",
        "DETA[async]>=1.0 ; python_version > '3'",
        "deta @ https://files.example.org/packages/no/deta-1.1.0-py3-none-any.whl",
        "git+https://github.com/deta/deta-python#egg=deta",
        "https://files.example.org/packages/no/deta-1.1.0-py3-none-any.whl",
        "-e git+https://github.com/deta/deta-python@main",
        "-r more/more.txt",
    ],
)
def test_the_foreign_deta_is_never_installed(tmp_path: Path, homeport_folder: Path, line: str) -> None:
    files = {
        "requirements.txt": f"{line}\nbottle\n",
        "more/more.txt": "-r last.txt\nitsdangerous",
        "more/last.txt": "deta==1.2.0\n",
    }
    plan = make_plan(tmp_path / "app", "python", files, tmp_path / "packages")
    carry_out(plan, tmp_path / "packages")
    assert (tmp_path / "packages" / "bottle.py").is_file()
    assert not (tmp_path / "packages" / "deta").exists()


def test_npm_installs_what_the_lock_file_says_and_deta_beside_it(tmp_path: Path, homeport_folder: Path) -> None:
    code, target = tmp_path / "code", tmp_path / "packages"
    lock = {
        "name": "x",
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "x", "dependencies": {"ms": "^2.0.0"}},
            "node_modules/ms": {"version": "2.1.2"},
        },
    }
    files = {
        "package.json": '{"name": "x", "dependencies": {"ms": "^2.0.0"}}',
        "package-lock.json": json.dumps(lock),
        "index.js": "const { App } = require('deta'); const ms = require('ms');",
    }
    carry_out(make_plan(code, "node", files, target), target)
    versions = {
        name: json.loads((target / "node_modules" / name / "package.json").read_text())["version"]
        for name in ("ms", "deta")
    }
    assert versions == {"ms": "2.1.2", "deta": "2.0.0"}
    assert not (code / "node_modules").exists()
