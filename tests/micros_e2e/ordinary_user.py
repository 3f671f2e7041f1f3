"""A whole server run by somebody who is not root: by the system's Python, as this one may be where only root can look."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import httpx

from storage.embedded import ports
from tests.serving import ROOT, Server
from tests.waiting import MOMENT_SECONDS

PYTHON = "/usr/bin/python3"
# PostgreSQL asks for one that the system knows by name.
USER = "nobody"
IS_ROOT = os.geteuid() == 0
_GROUP = pwd.getpwnam(USER).pw_gid
_PACKAGES = Path(httpx.__file__).parents[1]
_ABLE = "import sys, django, tests.waiting; sys.exit(sys.version_info < (3, 11))"


class UsersServer(Server):
    """`around` is a command that runs the one that follows it."""

    command = (PYTHON, "manage.py")
    around: Sequence[str] = ()

    def start(self) -> "UsersServer":
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.around, *self.command, "serve"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                user=USER,
                group=_GROUP,
                extra_groups=[],
            )
        return self

    def stop(self, seconds: float = MOMENT_SECONDS) -> None:
        """Whoever runs it ends with it."""
        if not self.around or self.process is None or self.process.poll() is not None:
            return super().stop(seconds)
        served = next(each for each in self.children("manage.py serve") if each.cmdline()[0] == PYTHON)
        served.terminate()
        assert self.process.wait(timeout=seconds) == 0, self.log
        return None

    def run_code(self, code: str) -> str:
        done = run_as_user(PYTHON, "-c", code, environment=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def run_as_user(*command: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
        check=False,
        user=USER,
        group=_GROUP,
        extra_groups=[],
    )


def can_be_another_user() -> bool:
    """Whether this is root, and another user finds a Python and the packages."""
    return IS_ROOT and run_as_user(PYTHON, "-c", _ABLE, environment=_environment(Path("/nowhere"))).returncode == 0


@contextlib.contextmanager
def users_server(*around: str) -> Iterator[UsersServer]:
    """One that has started, with Micros, on a data folder of that user's."""
    above = Path(tempfile.mkdtemp(prefix="homeport-test-user-"))
    http, _ = ports.free_ports(2)
    shutil.chown(above, USER, _GROUP)
    server = UsersServer(above / "data", http, 0)
    server.environment = _environment(above) | {"HOMEPORT_DATA": str(server.data), "HOMEPORT_PORT": str(http)}
    server.around = around
    try:
        server.start().wait_ready()
        yield server
    finally:
        server.stop()
        shutil.rmtree(above, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    """Nothing of root's."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "PYTHONPATH": f"{ROOT}:{_PACKAGES}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "HOMEPORT_HOST": "127.0.0.1",
        "HOMEPORT_TLS_PORT": "0",
    } | {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "NPM_", "npm_"))}
