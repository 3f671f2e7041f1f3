"""Sandboxes for tests: programs of `attacks/` run in real ones, and what they report."""

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.embedded.micros.finding import find_means
from storage.embedded.micros.places import Places
from storage.embedded.micros.sandbox import APP, NODE, Limits, Means, Sandboxed, SandboxSpec, spawn
from tests.waiting import MOMENT_SECONDS, eventually

ATTACKS = Path(__file__).with_name("attacks")


@dataclass(frozen=True)
class Ended:
    """What became of a program: what it printed, and its exit code."""

    output: str
    errors: str
    code: int

    @property
    def report(self) -> Any:
        """What it reported, as JSON on its last line."""
        assert self.output, self.errors
        return json.loads(self.output.splitlines()[-1])


@dataclass
class Running:
    """A sandbox, and our end of its control socket."""

    sandboxed: Sandboxed
    control: socket.socket

    def doors(self) -> list[socket.socket]:
        """The two listeners that come out first."""
        self.control.settimeout(MOMENT_SECONDS)
        message, descriptors, _, _ = socket.recv_fds(self.control, 1000, 8)
        assert json.loads(message) == {"doors": ["api", "proxy"]}
        return [socket.socket(fileno=descriptor) for descriptor in descriptors]

    def wait(self) -> Ended:
        popen = self.sandboxed.popen
        output, errors = popen.communicate(timeout=MOMENT_SECONDS)
        return Ended(output.decode(), errors.decode(), popen.returncode)


@dataclass(frozen=True)
class Yard:
    """Where sandboxes are made; `code` is what they see as /app."""

    means: Means
    root: Path
    code: Path = ATTACKS

    def folder(self, name: str) -> Path:
        """A folder that the Micros' user can read."""
        folder = self.root / name
        folder.mkdir()
        folder.chmod(0o755)
        return folder

    @contextlib.contextmanager
    def start(self, *command: str, environment: Mapping[str, str] | None = None, **spec: Any) -> Iterator[Running]:
        """A sandbox that runs the command, as long as the block lasts."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                given: dict[str, Any] = {
                    "name": f"test-{theirs.fileno()}",
                    "code": self.code,
                    "command": command,
                    "environment": environment or {},
                    "control": theirs.fileno(),
                }
                sandboxed = spawn(self.means, SandboxSpec(**given | spec))
            try:
                yield Running(sandboxed, ours)
            finally:
                sandboxed.kill()
                with contextlib.suppress(ValueError):
                    sandboxed.popen.communicate(timeout=MOMENT_SECONDS)
                eventually(sandboxed.clean_up, what="its control groups stay")

    def python(self, name: str, *arguments: str) -> tuple[str, ...]:
        """The command for a Python program of `attacks/`."""
        return (str(self.means.programs.python.executable), "-I", f"{APP}/{name}", *arguments)

    def node(self, name: str, *arguments: str) -> tuple[str, ...]:
        return (f"{NODE}/bin/node", f"{APP}/{name}", *arguments)

    def run(self, *command: str, **options: Any) -> Ended:
        """Run the command to its end."""
        with self.start(*command, **options) as running:
            return running.wait()


@contextlib.contextmanager
def making_yard(name: str) -> Iterator[Yard]:
    """A yard with everything that this machine has."""
    root = Path(tempfile.mkdtemp(prefix="homeport-sandbox-"))
    root.chmod(0o755)
    means = find_means(Places(root / "micros"), name=name)
    try:
        # The checkout may be where the Micros' user can't look.
        shutil.copytree(ATTACKS, root / "attacks")
        for path in (root / "attacks", *(root / "attacks").rglob("*")):
            path.chmod(0o755)
        yield Yard(means, root, root / "attacks")
    finally:
        if means.cgroups:
            means.cgroups.remove()
        shutil.rmtree(root)


def processes_with(text: str) -> list[str]:
    """Of this machine, those whose command line has the text."""
    found = subprocess.run(["ps", "-eo", "pid,args", "-ww"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if text in line]


LIMITS = Limits(memory_mb=192, tmp_mb=16, processes=64, open_files=256, file_mb=16)
