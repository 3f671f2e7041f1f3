"""Libraries that ask for `deta` get this server's client, by real pip in an environment of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from clients.python.tests.test_wheel import _run

SHOW = """
import importlib.metadata as installed
import deta, deta.base
print(installed.version("deta"), installed.version("homeport-client"), deta.base._Base is deta._Base)
"""
ODETAM = """
import asyncio
from odetam import DetaModel
from odetam.async_model import AsyncDetaModel

class Captain(DetaModel):
    name: str
    ships: int

class Pilot(AsyncDetaModel):
    name: str

Captain(name="Kirk", ships=3).save()
assert [captain.name for captain in Captain.query(Captain.ships > 2)] == ["Kirk"]

async def main():
    await Pilot(name="Sulu").save()
    return [pilot.name for pilot in await Pilot.get_all()]

assert asyncio.run(main()) == ["Sulu"]
print("works")
"""


def installed_in(folder: Path, *asked: str) -> str:
    """The Python of an environment in which pip has installed this."""
    _run(sys.executable, "-m", "venv", str(folder))
    python = str(folder / "bin" / "python")
    _run(python, "-m", "pip", "install", "--disable-pip-version-check", "-q", *asked)
    _run(python, "-m", "pip", "check")
    return python


@pytest.mark.slow
def test_a_library_brings_ours_in_place_of_the_foreign_one(place: Any, tmp_path: Path) -> None:
    python = installed_in(tmp_path / "venv", "-c", f"{place.server.url}/clients/constraints.txt", "odetam")
    variables = {"DETA_PROJECT_KEY": place.key, "HOMEPORT_URL": place.server.url}
    assert _run(python, "-c", SHOW) == "1.2.0+homeport 0.1.0 True\n"
    assert _run(python, "-c", ODETAM, **variables) == "works\n"


@pytest.mark.slow
def test_a_library_that_pins_the_older_version(place: Any, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"-c {place.server.url}/clients/constraints-1.1.0.txt\ndeta[async]==1.1.0\nkv-deta\n")
    python = installed_in(tmp_path / "venv", "-r", str(requirements))
    assert _run(python, "-c", SHOW) == "1.1.0+homeport 0.1.0 True\n"
    assert _run(python, "-c", "import aiohttp; print('works')") == "works\n"


def test_pip_takes_the_wheel_for_any_version_that_is_asked_for(place: Any, tmp_path: Path) -> None:
    """Without an environment of its own, and without an index: which wheel pip would take."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-index", "--no-cache-dir", "-q"]
    for constraints, asked in (
        ("constraints.txt", "deta[async]>=1.1.0a2,<2"),
        ("constraints-1.1.0.txt", "deta==1.1.0"),
    ):
        url = f"{place.server.url}/clients/{constraints}"
        done = subprocess.run(
            [*command, "--dest", str(tmp_path), "-c", url, asked], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert {each.name for each in tmp_path.iterdir()} == {
        f"deta-{version}+homeport-py3-none-any.whl" for version in ("1.1.0", "1.2.0")
    }
