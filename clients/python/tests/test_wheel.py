"""The wheel that a running server gives away: it installs into an empty environment and works there."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tomllib
from tests.waiting import LONG_SECONDS

OLDEST = "3.9"
# A whole round, as somebody would type it after reading the Connect page.
SCRIPT = """
import asyncio, importlib.metadata, sys
from deta import Deta
from deta.lib import files

deta = Deta()
db, drive = deta.Base("notes"), deta.Drive("files")
print(sys.version_info[:2], importlib.metadata.version("homeport-client"))
assert db.put({"text": "Hello"}, "first") == db.get("first")
big = bytes(11 * 1024 * 1024)
drive.put("big", big)
with drive.get("big") as body:
    assert body.read() == big
files.put("a/b", "text")
assert files.list("a") == ["a/b"]

async def main():
    async with deta.AsyncBase("notes") as notes:
        return [item["text"] async for item in notes.fetch_all()]

assert asyncio.run(main()) == ["Hello"]
print("works")
"""


def _oldest_python() -> Iterator[str]:
    """A Python of the oldest version that the client is for, if this machine has one; pyenv's stand in its own folder."""
    yield f"python{OLDEST}"
    yield from map(str, sorted((Path.home() / ".pyenv" / "versions").glob(f"{OLDEST}.*/bin/python")))


def _runs(python: str) -> bool:
    try:
        return subprocess.run([python, "-c", "import venv"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _run(*command: str, **environment: str) -> str:
    # What pip is told by this machine's environment stays; what Python is told of this run does not.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DETA", "HOMEPORT"))}
    done = subprocess.run(
        command,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("which", ["this", "oldest"])
def test_it_installs_into_an_empty_environment_and_works(place: Any, tmp_path: Path, which: str) -> None:
    python = sys.executable if which == "this" else next(filter(_runs, _oldest_python()), None)
    if python is None:
        pytest.skip(f"no Python {OLDEST} on this machine")
    _run(python, "-m", "venv", str(tmp_path / "venv"))
    inside = str(tmp_path / "venv" / "bin" / "python")
    requirements = f"{place.server.url}/clients/python.txt"
    # Once by the address that never changes, and once by the wheel's own as the Connect page writes it.
    wheel = httpx.get(requirements).text.split(" @ ")[1].split("#")[0]
    asked = ["-r", requirements] if which == "this" else [wheel]
    said = _run(inside, "-m", "pip", "install", "--disable-pip-version-check", *asked)
    assert "Successfully installed" in said
    _run(inside, "-m", "pip", "check")
    printed = _run(inside, "-c", SCRIPT, DETA_PROJECT_KEY=place.key, HOMEPORT_URL=place.server.url)
    assert printed.endswith("works\n")


def test_it_holds_the_package_and_nothing_else(place: Any, tmp_path: Path) -> None:
    import io
    import zipfile

    url = httpx.get(f"{place.server.url}/clients/python.txt").text.split(" @ ")[1].strip()
    with zipfile.ZipFile(io.BytesIO(httpx.get(url).content)) as wheel:
        names = set(wheel.namelist())
        metadata = next(wheel.read(name).decode() for name in names if name.endswith("METADATA"))
    source = Path(__file__).parents[1] / "src"
    package = {str(path.relative_to(source)) for path in source.rglob("*") if path.suffix in (".py", ".typed")}
    assert {name for name in names if not name.split("/")[0].endswith(".dist-info")} == package
    assert "Name: homeport-client" in metadata
    told = tomllib.loads((source.parent / "pyproject.toml").read_text())["project"]
    assert re.findall("^Requires-Dist: (.*)$", metadata, re.M) == told["dependencies"]
