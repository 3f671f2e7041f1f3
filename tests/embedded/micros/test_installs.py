"""Installing in the sandbox: from the machine's own package index, bounded, and with the installer's words when it fails."""

import functools
import http.server
import sys
import threading
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.micro_host import Built, Wanted
from tests.embedded.micros.conftest import BRISK, making_stands
from tests.embedded.micros.stand import Settings, Stand
from tests.waiting import eventually

USING = """
import thing

def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [thing.SAYS.encode()]
"""

TELLING_WHERE = """
import os, sys
raise RuntimeError(f"runs on {sys.executable} with {os.__file__}")
"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A supervisor on a machine whose package index is its own, at a private address."""
    folder = tmp_path_factory.mktemp("index")
    _add_wheel(folder / "simple" / "thing")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as index:
        threading.Thread(target=index.serve_forever, daemon=True).start()
        port = index.server_address[1]
        settings = Settings(
            bounds=BRISK,
            index_environment={"UV_DEFAULT_INDEX": f"http://127.0.0.1:{port}/simple"},
            index_hosts=[f"127.0.0.1:{port}"],
        )
        with making_stands() as make:
            yield make(settings)
        index.shutdown()


def _add_wheel(folder: Path) -> None:
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "thing-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("thing.py", "SAYS = 'hello from a package'\n")
        about = "thing-1.0.dist-info"
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        names = ["thing.py", f"{about}/METADATA", f"{about}/WHEEL", f"{about}/RECORD"]
        wheel.writestr(f"{about}/RECORD", "".join(f"{name},,\n" for name in names))


def install(stand: Stand, wanted: Wanted, requirements: str) -> tuple[Wanted, Built, list[str]]:
    """A next deployment of it with what it asks for installed; what became of that, and what was said meanwhile."""
    deployment_id = stand.put_code({"main.py": USING, "requirements.txt": requirements})
    number = wanted.version_number + 1
    new = replace(wanted, deployment_id=deployment_id, dependencies_id=uuid.uuid4(), version_number=number)
    said: list[str] = []
    return new, stand.host.install(new, tell=said.append), said


def test_what_an_app_asks_for_is_installed_and_used(stand: Stand) -> None:
    wanted, built, said = install(stand, stand.add(), "thing\n")
    assert (built.is_done, built.reason) == (True, "")
    assert built.runs_on.startswith("Python 3.")
    assert built.dependencies_bytes > 100
    assert any("thing==1.0" in line for line in said)
    assert paths_of_this_machine_in(stand, "\n".join(said)) == []
    assert stand.host.try_out(wanted).status == 200
    stand.set(wanted)
    eventually(lambda: stand.get(wanted) == (200, "hello from a package"))


def test_nothing_is_installed_where_nothing_is_asked_for(stand: Stand) -> None:
    wanted, built, said = install(stand, stand.add(), "# nothing\n")
    assert (built.is_done, built.dependencies_bytes, said) == (True, 0, [])
    assert wanted.dependencies_id
    assert not stand.places.dependencies(wanted.dependencies_id).exists()


def paths_of_this_machine_in(stand: Stand, text: str) -> list[str]:
    return [path for path in (str(stand.folder), sys.base_prefix, sys.prefix) if path in text and path != "/usr"]


def test_an_app_that_does_not_start_tells_no_path_of_this_machine(stand: Stand) -> None:
    wanted = stand.add()
    new = replace(wanted, deployment_id=stand.put_code({"main.py": TELLING_WHERE}))
    fault = stand.host.try_out(new).fault
    assert fault is not None
    text = f"{fault.message}\n{fault.output}"
    assert "runs on" in text
    assert 'File "/app/main.py"' in text
    assert paths_of_this_machine_in(stand, text) == []


@pytest.mark.parametrize(
    "requirements, words",
    [
        ("no-such-package\n", "no-such-package was not found"),
        ("thing==2.0\n", "there is no version of thing==2.0"),
        ("thing @ http://169.254.169.254/thing-1.0-py3-none-any.whl\n", "403 Forbidden"),
        ("thing @ http://127.0.0.1:1/thing-1.0-py3-none-any.whl\n", "403 Forbidden"),
        ("thing @ file:///etc/passwd\n", "/etc/passwd"),
    ],
)
def test_what_cannot_be_installed_says_why(stand: Stand, requirements: str, words: str) -> None:
    _, built, said = install(stand, stand.add(), requirements)
    assert not built.is_done
    assert paths_of_this_machine_in(stand, "\n".join([built.reason, *said])) == []
    assert words in " ".join(built.reason.split())


def test_a_runtime_that_is_not_there_is_told_what_runs_it(stand: Stand) -> None:
    _, built, _ = install(stand, stand.add(version="2.7"), "")
    assert built.runs_on.endswith("(instead of Python 2.7)")
