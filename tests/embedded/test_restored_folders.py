"""What `docs/backup.md` says of copying and restoring, done to real servers whose engines' data lies outside the folder."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.embedded import leftovers, postgres, state
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that engines can't reach"),
]

MakeServer = Callable[..., Server]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def server(make_server: MakeServer, closed: Path) -> Server:
    made = make_server(HOMEPORT_DATA=str(closed / "data"))
    made.data = closed / "data"
    return made


def start(server: Server) -> None:
    server.start()
    server.wait_ready()


def homes_of(data: Path) -> Path:
    kept = state.load(data)
    assert kept
    return kept.home(data)


def copy(*options: str) -> None:
    subprocess.run(["cp", *options], check=True)


def test_a_backup_comes_back_as_the_docs_say(server: Server, closed: Path) -> None:
    data, whole, without = server.data, closed / "whole", closed / "without"
    start(server)
    server.make_key("First")
    server.stop()
    old_home = homes_of(data)
    assert not old_home.is_relative_to(data)
    whole.mkdir()
    copy("-aL", f"{data}/.", f"{whole}/")
    copy("-a", str(data), str(without))

    start(server)
    server.make_key("Second")
    # A copy beside the running one is refused, and does the other no harm.
    running = leftovers.postgres_processes(postgres.folder(old_home))
    (postmaster,) = (process for process in running if process.ppid() not in {other.pid for other in running})
    refused = start_there(server, without)
    assert f"{without} is a copy of {data}" in refused
    assert postmaster.is_running()
    assert server.is_ready()
    server.stop()

    # Restored without the data it is refused; with it, it has that of then, and what was there is left alone.
    data.rename(closed / "aside")
    copy("-a", str(without), str(data))
    assert "of another time" in start_there(server, data)
    shutil.rmtree(data)
    copy("-a", str(whole), str(data))
    start(server)
    try:
        listed = server.run("collection", "list").stdout
        assert "First" in listed
        assert "Second" not in listed
        assert homes_of(data) not in (old_home, data / "engines")
        assert (old_home / "postgres" / "PG_VERSION").exists()
    finally:
        server.stop()
        shutil.rmtree(old_home)

    # And without its data at all nothing starts.
    (homes_of(data) / "postgres").rename(closed / "postgres")
    assert "would be an empty server" in start_there(server, data)
    (closed / "postgres").rename(homes_of(data) / "postgres")
    (data / "homeport.json").rename(closed / "homeport.json")
    assert "homeport.json is missing" in start_there(server, data)
    (closed / "homeport.json").rename(data / "homeport.json")


def start_there(server: Server, data: Path) -> str:
    """What `serve` says to this folder, which it refuses."""
    environment = server.environment | {"HOMEPORT_DATA": str(data), "HOMEPORT_PORT": "0", "HOMEPORT_TLS_PORT": "0"}
    command = [*server.command, "serve"]
    done = subprocess.run(
        command, cwd=server.folder, env=environment, capture_output=True, text=True, timeout=MOMENT_SECONDS
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr
