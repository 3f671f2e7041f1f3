"""Libraries that others published for the original service or its successor, unmodified, each in an environment of its own.

Nothing but environment variables leads them here. `docs/libraries.md` lists them, which a test below holds. What stands on the
original's `deta` gets this server's by pip's constraints, as its Connect page says.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.factories import make_client
from tests.sdk.stand_in import stand_in_for
from tests.test_house import ROOT
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Library:
    """What is installed, by which constraints of this server's if it needs `deta`, and its fixed host if it has one."""

    requirement: str
    program: str
    constraints: str = ""
    fixed_host: str = ""


LIBRARIES = [
    Library("contiguity==3.0.0", "contiguity_3.py"),
    Library("contiguity-base==1.1.1", "contiguity_base_1.py", fixed_host="api.base.contiguity.co"),
    Library("odetam==1.5.2", "odetam_1.py", constraints="constraints.txt"),
    Library("kv-deta==0.2.2.post1", "kv_deta_0.py", constraints="constraints.txt"),
    Library("detadantic==0.0.11", "detadantic_0.py", constraints="constraints-1.1.0.txt"),
    Library("deta-base-pydantic==0.1.2", "deta_base_pydantic_0.py", constraints="constraints.txt"),
    Library("csvtodeta==1.3.1", "csvtodeta_1.py", constraints="constraints.txt"),
]


@pytest.mark.slow
@pytest.mark.parametrize("library", LIBRARIES, ids=[library.requirement for library in LIBRARIES])
def test_a_public_library_works_unmodified(server: Any, database: None, tmp_path: Path, library: Library) -> None:
    python = _install(tmp_path / "environment", library, server.url)
    client = make_client(server)
    host = urlsplit(server.tls_url).netloc
    ca = str(server.ca_path)
    with _proxy(library, server.url) as proxied:
        _run(
            [python, str(PROGRAMS / library.program)],
            folder=tmp_path,
            environment={
                "PATH": os.environ["PATH"],
                "DETA_PROJECT_KEY": client.key_text,
                "DETA_BASE_HOST": host,
                "DETA_DRIVE_HOST": host,
                "CONTIGUITY_BASE_HOST": host,
                "CONTIGUITY_DATA_KEY": client.key_text,
                "CONTIGUITY_PROJECT_ID": client.collection_id,
                "SSL_CERT_FILE": ca,
                "REQUESTS_CA_BUNDLE": ca,
                **proxied,
            },
        )


def test_the_page_of_libraries_lists_what_is_tried_here() -> None:
    page = (ROOT / "docs" / "libraries.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `([^`]+)` \| ([0-9.a-z]+) \|", page, re.MULTILINE))
    for library in LIBRARIES:
        assert tuple(library.requirement.split("==")) in listed
    assert {f"{path.name}" for path in PROGRAMS.glob("*.py")} == {library.program for library in LIBRARIES}


@contextmanager
def _proxy(library: Library, url: str) -> Iterator[dict[str, str]]:
    """The variables by which a client with a fixed host reaches this server all the same."""
    if not library.fixed_host:
        yield {}
        return
    with stand_in_for(library.fixed_host, url) as (proxy, ca_path):
        yield {"HTTPS_PROXY": proxy, "REQUESTS_CA_BUNDLE": ca_path, "SSL_CERT_FILE": ca_path}


def _install(environment: Path, library: Library, url: str) -> str:
    _run([sys.executable, "-m", "venv", "--without-pip", str(environment)], folder=environment.parent)
    python = str(environment / "bin" / "python")
    constraints = ["-c", f"{url}/clients/{library.constraints}"] if library.constraints else []
    _run(
        [sys.executable, "-m", "pip", "--python", python, "install", "-q", *constraints, library.requirement],
        folder=environment.parent,
        seconds=LONG_SECONDS,
    )
    return python


def _run(
    command: list[str], *, folder: Path, environment: dict[str, str] | None = None, seconds: float = MOMENT_SECONDS
) -> None:
    """Run a command; when it fails, its whole output is the failure's message."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
