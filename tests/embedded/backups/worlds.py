"""A server that is backed up, and others that are restored from its backups."""

import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from storage.backups.targets.catalogue import Catalogue, read_catalogue
from storage.backups.targets.places import FolderPlace
from storage.embedded import ports
from tests.serving import ROOT, Server
from tests.waiting import LONG_SECONDS, eventually


class World:
    """A running server, a data key of it, and the folder of its backups."""

    def __init__(self, server: Server, target: Path) -> None:
        self.server, self.target = server, target
        self.collection, self.key = server.make_key("Backed up")

    def catalogue(self) -> Catalogue:
        """What the target holds now."""
        return read_catalogue(FolderPlace(self.target))

    def copy_target(self, into: Path) -> Path:
        """All that the target holds, in a folder of its own. The server goes on writing its log there meanwhile."""

        def copied() -> Path | None:
            folder = Path(tempfile.mkdtemp(dir=into)) / "copy"
            try:
                return Path(shutil.copytree(self.target, folder, ignore=shutil.ignore_patterns(".unfinished")))
            except shutil.Error:  # a longer piece of the log came in place of one
                return None

        found = eventually(copied, what="it changed each time")
        assert found
        return found

    def http(self, server: Server | None = None) -> httpx.Client:
        """A client of this server, or of one that was restored from it, with the same key."""
        return httpx.Client(
            base_url=f"{(server or self.server).url}/v1/{self.collection}",
            headers={"X-API-Key": self.key},
            timeout=LONG_SECONDS,
        )

    def put(self, *keys: str) -> None:
        """Items with these keys."""
        with self.http() as http:
            http.put("/base/items", json={"items": [{"key": key} for key in keys]}).raise_for_status()

    def put_file(self, name: str, content: bytes) -> None:
        with self.http() as http:
            http.post("/drive/files", params={"name": name}, content=content).raise_for_status()

    def back_up(self, *options: str) -> str:
        """Make a backup; what was printed."""
        return run(self.server, "backup", *options)

    def let_time_pass(self) -> datetime:
        """A moment between what was done before and what is done after, once the target has the log until then."""
        found = datetime.fromisoformat(self.server.run_code(_NOW))
        eventually(lambda: self.kept_until() > found, seconds=LONG_SECONDS, what="the log did not come to the target")
        return found

    def kept_until(self) -> datetime:
        """Until when the target has the log of this server, and not of one that was restored from there."""
        known = self.catalogue()
        own = [each for each in known.restorable() if each.line == known.backups[0].line]
        return known.span(own[-1]).last


_NOW = """
import django
django.setup()
from storage.postgres import clock
print(clock.now().isoformat())
"""


def run(server: Server, *command: str) -> str:
    """Run a command of a server's, however long it takes; what it printed. Fails with what it said if it does."""
    done = try_to(server, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def try_to(server: Server, *command: str) -> "subprocess.CompletedProcess[str]":
    """The same, whatever comes of it. A backup or drill that the server makes by itself at the moment is waited for."""
    until = time.monotonic() + LONG_SECONDS
    while True:
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=server.environment,
            capture_output=True,
            text=True,
            timeout=LONG_SECONDS,
        )
        if "is on its way: wait until" not in done.stderr or time.monotonic() > until:
            return done
        time.sleep(1)


def restored(like: Server, data: Path, source: str, *options: str, **environment: str) -> Server:
    """A server that was restored into a folder, started and ready."""
    http, https = ports.free_ports(2)
    chosen = {"HOMEPORT_CACHE_MB": "0", "HOMEPORT_MICROS": "false", **environment}
    server = Server(data, http, https, environment=chosen)
    run(server, "restore", source, *options)
    # They are the same, and take long to make.
    shutil.copytree(like.data / "static", data / "static")
    shutil.copy(like.data / "static.stamp", data)
    server.start().wait_ready(LONG_SECONDS)
    return server


def items_of(http: httpx.Client) -> set[str]:
    """The keys of all items."""
    answer = http.post("/base/query", json={}).raise_for_status().json()
    return {item["key"] for item in answer["items"]}


def files_of(http: httpx.Client) -> dict[str, bytes]:
    """Names and contents of all files."""
    names: list[str] = http.get("/drive/files").raise_for_status().json()["names"]
    return {name: http.get("/drive/files/download", params={"name": name}).raise_for_status().content for name in names}


def write_moment(moment: datetime) -> str:
    """As `--at` takes it."""
    return moment.astimezone(UTC).isoformat()
