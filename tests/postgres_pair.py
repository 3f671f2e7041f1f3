"""Two PostgreSQL of the tests' own, one of which follows the other until it is promoted."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from storage.embedded import accounts, paths, ports, postgres, process, state
from storage.embedded.process import Child
from tests.waiting import eventually


@dataclass
class Instance:
    """One of them: where it is, and its process."""

    home: Path
    about: state.Postgres
    child: Child

    def start(self) -> None:
        self.child.start()
        eventually(lambda: postgres.find_fault(postgres.connection_parameters(self.about)) is None)

    @contextlib.contextmanager
    def behind(self) -> Iterator[None]:
        """Inside, what a follower is sent is written down there, and can't be read yet."""
        assert self.child.process is not None
        replaying = next(filter(_replays, psutil.Process(self.child.process.pid).children(recursive=True)))
        replaying.suspend()
        try:
            yield
        finally:
            replaying.resume()

    def kill(self) -> None:
        """kill -9 of all its processes."""
        assert self.child.process is not None
        self.child.process.kill()
        self.child.process.wait()


class Pair:
    """A leader that is running and, unless it is `alone`, a follower that is running and up to date in a moment."""

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        self.account = accounts.engine_account(accounts.OWN)
        self.binaries = paths.binaries(self.account)
        self._password = secrets.token_urlsafe(12)
        folder.chmod(0o711)
        self.leader, self.follower = (
            self._instance(folder / name, port) for name, port in zip("ab", ports.free_ports(2), strict=True)
        )
        home = self.leader.home
        postgres.initialise(home, self.leader.about, binaries=self.binaries, account=self.account)
        self._run("postgres", "--single", "-D", str(postgres.folder(home)), "postgres", home=home, text=_MAY_FOLLOW)
        self.leader.start()
        if alone:
            return
        self._run(
            *("pg_basebackup", "-R", "-X", "stream", "-c", "fast", "-D", str(postgres.folder(self.follower.home))),
            *("-d", self.leader_url()),
            home=self.follower.home,
        )
        self.follower.start()

    def leader_url(self, port: int = 0) -> str:
        """The first one, or what listens on a port on the way to it, as DATABASE_URL names it."""
        return f"postgres://homeport:{self._password}@127.0.0.1:{port or self.leader.about.port}/homeport"

    def url(self, *, options: str = "target_session_attrs=read-write") -> str:
        """Both, as DATABASE_URL names them."""
        hosts = ",".join(f"127.0.0.1:{each.about.port}" for each in (self.leader, self.follower))
        return f"postgres://homeport:{self._password}@{hosts}/homeport?{options}"

    def promote(self) -> None:
        """The follower takes writes from here on."""
        data = str(postgres.folder(self.follower.home))
        self._run("pg_ctl", "promote", "-w", "-D", data, home=self.follower.home)

    def stop(self) -> None:
        process.stop_all([self.leader.child, self.follower.child])

    def _run(self, program: str, *words: str, home: Path, text: str = "") -> None:
        command = [str(self.binaries.postgres / program), *words]
        environment = process.engine_environment(home, marks={})
        process.run_tool(command, environment=environment, account=self.account, text=text)

    def _instance(self, home: Path, port: int) -> Instance:
        paths.prepare_home(home.parent, home, self.account)
        about = state.Postgres("127.0.0.1", port, "homeport", self._password, "homeport")
        child = postgres.child(home, about, binaries=self.binaries, account=self.account, marks={}, max_connections=60)
        return Instance(home, about, child)


def _replays(process: psutil.Process) -> bool:
    try:
        return "startup" in "".join(process.cmdline())
    except psutil.Error:
        return False  # it has ended


_MAY_FOLLOW = "ALTER ROLE homeport REPLICATION\n"


@contextlib.contextmanager
def running_pair(folder: Path, *, alone: bool = False) -> Iterator[Pair]:
    """`folder` is one that the engines' user can reach. An `alone` leader has no follower."""
    pair = Pair(folder, alone=alone)
    try:
        yield pair
    finally:
        pair.stop()
