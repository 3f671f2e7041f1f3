"""The real supervisor without a database: what should run is in a file, and the log goes into another.

`python -m tests.embedded.micros.stand FOLDER` is the process that `Stand` starts and asks.
"""

import asyncio
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import psutil
import uvloop

from storage.embedded.micros import sockets
from storage.embedded.micros.builds import Builds
from storage.embedded.micros.client import EmbeddedHost
from storage.embedded.micros.control import Control
from storage.embedded.micros.egress import Egress
from storage.embedded.micros.finding import find_means
from storage.embedded.micros.indexes import Indexes
from storage.embedded.micros.launching import Launcher
from storage.embedded.micros.log import Log
from storage.embedded.micros.places import Places
from storage.embedded.micros.reach import Reach
from storage.embedded.micros.sandbox import Limits
from storage.embedded.micros.supervisor import Supervisor, clear_sockets
from storage.embedded.micros.surroundings import Bounds, Surroundings
from storage.micro_host import Line, Status, Wanted
from tests.waiting import MOMENT_SECONDS, eventually

ROOT = Path(__file__).resolve().parents[3]
HELLO = """
def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""


class Settings(msgspec.Struct):
    """What a stand is started with."""

    bounds: Bounds = Bounds()
    may_reach: list[str] = []
    index_environment: dict[str, str] = {}
    index_hosts: list[str] = []


class Stand:
    """A supervisor in a folder that the Micros' user can reach."""

    def __init__(self, folder: Path, settings: Settings, *, around: Sequence[str] = ()) -> None:
        """`around` is a command that runs the one that follows it."""
        self.folder, self._around = folder, around
        self.places = Places(folder / "micros")
        self.places.make()
        self.wanted: dict[str, Wanted] = {}
        bounds = settings.bounds
        self.host = EmbeddedHost(
            self.places,
            build_seconds=bounds.build_seconds,
            start_seconds=bounds.start_seconds,
            request_seconds=bounds.request_seconds,
        )
        (folder / "settings.json").write_bytes(msgspec.json.encode(settings))
        (folder / "log").touch()
        self._save()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Stand":
        """Start it, and wait until it answers."""
        command = [*self._around, sys.executable, "-m", "tests.embedded.micros.stand", str(self.folder)]
        self.process = subprocess.Popen(command, cwd=ROOT)
        eventually(self.places.control.exists)
        return self

    def stop(self) -> None:
        """Stop it the usual way."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(timeout=MOMENT_SECONDS) == 0
            self.process = None

    def kill(self) -> list[psutil.Process]:
        """End it by kill -9; all that ran below it."""
        assert self.process is not None
        below = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait()
        self.process = None
        return below

    def add(self, main: str = HELLO, *, files: Mapping[str, str] | None = None, **about: Any) -> Wanted:
        """Have a Micro run whose `main.py` is that, and wait until it can be called."""
        micro_id = uuid.uuid4().hex[:12]
        settings = {"idle_seconds": 300.0, "dependencies_id": None, "runtime": "python", "version": "", **about}
        wanted = Wanted(
            micro_id=micro_id,
            collection_id="collection",
            deployment_id=self.put_code({"main.py": main, **(files or {})}),
            version_number=1,
            hostname=f"{micro_id}.localhost",
            data_key=f"key-of-{micro_id}",
            **settings,
        )
        self.set(wanted)
        eventually(self.places.socket(micro_id).exists)
        return wanted

    def put_code(self, files: Mapping[str, str]) -> uuid.UUID:
        """Lay out the code of a new deployment."""
        deployment_id = uuid.uuid4()
        code = self.places.code(deployment_id)
        code.mkdir(parents=True)
        for name, text in files.items():
            (code / name).write_text(text)
        for folder in (code, code.parent, code.parent.parent):
            folder.chmod(0o755)
        for name in files:
            (code / name).chmod(0o644)
        return deployment_id

    def deploy(self, wanted: Wanted, main: str) -> Wanted:
        """Have a new version of it run."""
        number = wanted.version_number + 1
        return self.set(replace(wanted, deployment_id=self.put_code({"main.py": main}), version_number=number))

    def set(self, wanted: Wanted) -> Wanted:
        """Have it run as that says."""
        self.wanted[wanted.micro_id] = wanted
        self._save()
        self.host.changed(wanted.micro_id)
        return wanted

    def remove(self, wanted: Wanted) -> None:
        """Have it run no more."""
        del self.wanted[wanted.micro_id]
        self._save()
        self.host.changed(wanted.micro_id)

    def status(self, wanted: Wanted) -> Status:
        return self.host.statuses([wanted.micro_id])[wanted.micro_id]

    def connect(self, wanted: Wanted) -> socket.socket:
        return sockets.connect(self.places.socket(wanted.micro_id), seconds=MOMENT_SECONDS)

    def get(self, wanted: Wanted, path: str = "/", *, request_id: str = "") -> tuple[int, str]:
        """The status and body of a GET over a connection of its own, as the web server asks. Raises OSError, HTTPException."""
        connection = http.client.HTTPConnection("micro", timeout=MOMENT_SECONDS)
        connection.sock = self.connect(wanted)
        try:
            connection.request("GET", path, headers={"X-Homeport-Request": request_id} if request_id else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def lines(self, wanted: Wanted) -> list[Line]:
        """What its log has so far."""
        text = (self.folder / "log").read_bytes()
        found = [msgspec.json.decode(line, type=Line) for line in text.splitlines()]
        return [line for line in found if line.micro_id == wanted.micro_id]

    def said(self, wanted: Wanted) -> list[str]:
        """The same without who said it."""
        return [line.text for line in self.lines(wanted)]

    def processes(self) -> list[psutil.Process]:
        """All that run below it."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def _save(self) -> None:
        new = self.folder / "wanted.new"
        new.write_bytes(msgspec.json.encode(list(self.wanted.values())))
        new.rename(self.folder / "wanted.json")


def is_alive(process: psutil.Process) -> bool:
    """One that nobody has asked for its end yet has ended all the same."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _keeper(path: Path) -> Any:
    def keep(lines: Sequence[Line]) -> None:
        with path.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))

    return keep


async def _run(folder: Path) -> None:
    settings = msgspec.json.decode((folder / "settings.json").read_bytes(), type=Settings)
    places = Places(folder / "micros")
    clear_sockets(places)
    means = find_means(places, name=f"homeport-{folder.name}")
    launcher = Launcher(means, places, Limits(memory_mb=settings.bounds.memory_bytes // 1_048_576))
    indexes = Indexes(settings.index_environment, frozenset(settings.index_hosts))
    log = Log(_keeper(folder / "log"))

    async def fetch(wanted: Wanted) -> None:
        await asyncio.get_running_loop().run_in_executor(None, launcher.make_ready, wanted)

    around = Surroundings(
        places=places,
        launcher=launcher,
        egress=Egress(Reach(settings.may_reach)),
        bounds=settings.bounds,
        fetch=fetch,
        tell=log.add,
        now=time.monotonic,
    )

    def list_wanted() -> list[Wanted]:
        return msgspec.json.decode((folder / "wanted.json").read_bytes(), type=list[Wanted])

    supervisor = Supervisor(around, log, list_wanted=list_wanted, sweep=lambda _: None)
    builds = Builds(around, find_indexes=lambda: indexes)
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with await Control(supervisor, builds, list_runtimes=launcher.runtimes).serve(places.control):
        await supervisor.run(stopped)


if __name__ == "__main__":
    os.umask(0o077)
    uvloop.run(_run(Path(sys.argv[1])))
