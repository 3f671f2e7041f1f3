"""The wheel: what is in it, and that it serves when it is installed somewhere else, with no checkout in sight."""

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

import homeport
from tests.people import PASSWORD
from tests.serving import ROOT, Server

MakeServer = Callable[..., Server]
CARRIED = ("console", "storage", "runtimes", "templates", "static", "clients/python")


@pytest.fixture(scope="module")
def wheel() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="homeport-wheel-") as folder:
        _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
        (built,) = Path(folder).glob("*.whl")
        yield built


@pytest.fixture
def environment_folder() -> Iterator[Path]:
    """A folder for a virtual environment, which the engines' user may enter: it runs their programs from there."""
    folder = Path(tempfile.mkdtemp(prefix="homeport-package-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_the_wheel_holds_every_file_of_the_server_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name.split("/")[0] for name in names} == {"homeport", f"homeport-{homeport.__version__}.dist-info"}
    expected = {
        f"homeport/_app/{path.relative_to(ROOT)}"
        for folder in CARRIED
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not any(part.endswith("_cache") or part == "__pycache__" for part in path.parts)
    }
    expected = {name for name in expected if not name.startswith("homeport/_app/clients/python/tests/")}
    assert {name for name in names if name.startswith("homeport/_app/")} == expected


@pytest.mark.slow
def test_installed_beside_other_packages_it_serves_from_anywhere(
    make_server: MakeServer, wheel: Path, environment_folder: Path
) -> None:
    """Its dependencies are those of this run, which spares a minute; the next test installs them as well."""
    _run(sys.executable, "-m", "venv", "--without-pip", str(environment_folder))
    python = str(environment_folder / "bin" / "python")
    _run(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-index", "--no-deps", str(wheel))
    own = _site_packages(environment_folder)
    (own / "of_the_run.pth").write_text(sysconfig.get_path("purelib"))
    assert not (own / "console").exists()
    _serve_installed(make_server(), environment_folder)


@pytest.mark.slow
def test_installed_into_an_empty_environment_it_serves(
    make_server: MakeServer, wheel: Path, environment_folder: Path
) -> None:
    _run(sys.executable, "-m", "venv", str(environment_folder))
    python = str(environment_folder / "bin" / "python")
    _run(python, "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), str(wheel))
    _run(python, "-m", "pip", "check")
    _serve_installed(make_server(), environment_folder)


def _serve_installed(server: Server, environment: Path) -> None:
    """Serve from another folder, sign in, store an item and a file, and stop."""
    server.command = [str(environment / "bin" / "homeport")]
    server.folder = environment / "elsewhere"
    server.folder.mkdir()
    before = _files(_site_packages(environment))

    assert server.run("--version").stdout == f"homeport {homeport.__version__}\n"
    server.start().wait_ready()
    assert server.log.startswith(f"Homeport keeps its data in {server.data}\n")
    console, link = _run_here(server, "shell", "--no-imports", "-c", _FROM_WITHIN)
    assert Path(console).is_relative_to(environment)

    _sign_in(server, link)
    _store(server)
    assert httpx.get(f"{server.url}/clients/python.txt").text.startswith("homeport-client @ ")
    server.stop()
    assert _files(_site_packages(environment)) == before
    assert list(server.folder.iterdir()) == []


# Where it runs, and the first owner's link.
_FROM_WITHIN = """
import console
from console.accounts.first_run import sign_in_url
print(console.__file__)
print(sign_in_url())
"""


def _sign_in(server: Server, link: str) -> None:
    with httpx.Client(base_url=server.url, follow_redirects=True) as browser:
        browser.get(link)
        form = {"username": "Ada", "password1": PASSWORD}
        page = browser.post(link, data=form | {"csrfmiddlewaretoken": browser.cookies["csrftoken"]})
        assert (page.status_code, page.url.path) == (200, "/")
        assert "homeport demo" in page.text
        sheet = page.text.split('rel="stylesheet" href="')[1].split('"')[0]
        answer = browser.get(sheet)
        assert (answer.status_code, answer.headers["Content-Type"].split(";")[0]) == (200, "text/css")


def _store(server: Server) -> None:
    collection_id = _run_here(server, "collection", "create", "Mine")[-1]
    key = _run_here(server, "datakey", "create", collection_id, "my app")[-1]
    with httpx.Client(base_url=f"{server.url}/v1/{collection_id}/", headers={"X-API-Key": key}) as app:
        assert app.put("friends/items", json={"items": [{"key": "ada", "age": 36}]}).status_code == 207
        assert app.get("friends/items/ada").json() == {"key": "ada", "age": 36}
        assert app.post("pictures/files", params={"name": "ada.txt"}, content=b"Hello").status_code == 201
        assert app.get("pictures/files/download", params={"name": "ada.txt"}).content == b"Hello"


def _run_here(server: Server, *command: str) -> list[str]:
    """The lines that a command of the installed package prints."""
    done = server.run(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _site_packages(environment: Path) -> Path:
    (folder,) = environment.glob("lib/python*/site-packages")
    return folder


def _files(folder: Path) -> set[str]:
    """Every file below it but for what Python compiles on the way."""
    return {str(path) for path in folder.rglob("*") if path.suffix != ".pyc" and path.name != "__pycache__"}


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
