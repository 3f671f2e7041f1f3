"""The bundled PostgreSQL's data folder, brought to the major version that runs here by `pg_upgrade`, and back again.

Its files are copied, never linked: the old folder is not written to but for the log that a crash left to replay, and stays
beside the new one until somebody removes it. In the engines' folder:

- `postgres` is the folder in use, of whatever version;
- `postgres.upgrading` is a new one that is not finished, and is thrown away by the next try;
- `postgres.incoming` is whole, and about to take the place of `postgres`;
- `postgres-16`, `postgres-18-2` and so on were in use before, and are kept.

So whatever interrupts this, at each moment one folder is whole and known by its name.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from storage.embedded import durable, leftovers, paths, postgres, process, state
from storage.embedded.accounts import Account
from storage.embedded.paths import POSTGRES_MAJOR, Binaries

_MB = 1_048_576
# A new cluster with its log, the dumped schema, and what the log grows by on the way.
_NEW_CLUSTER_BYTES = 160 * _MB
# Of a socket in a folder that nobody else can enter. No port of the network is opened.
_PORT = "50432"
_KEPT = re.compile(r"postgres-(\d{1,3})(?:-(\d{1,6}))?")


class UpgradeError(Exception):
    """It can't be done as things are; the message says why and what to do. What is in use was not changed."""


@dataclass(frozen=True)
class Installation:
    """Whose data it is and who runs the engines. `marks` let the next start find what was left running."""

    home: Path
    settings: state.Postgres
    binaries: Binaries
    account: Account | None
    marks: Mapping[str, str]

    @property
    def used(self) -> Path:
        """The data folder in use."""
        return postgres.folder(self.home)

    @property
    def unfinished(self) -> Path:
        """The new data folder while it is being made."""
        return self.home / "postgres.upgrading"

    @property
    def work(self) -> Path:
        """Where tools leave what they need meanwhile."""
        return self.home / "tmp" / "upgrade"

    def run(self, *command: str | Path, text: str = "") -> str:
        """Run a tool of PostgreSQL to its end as the engines' user; what it printed. Raises subprocess.CalledProcessError."""
        return process.run_tool(
            [str(part) for part in command],
            environment=process.engine_environment(self.home, marks=self.marks),
            account=self.account,
            text=text,
            seconds=None,
            folder=self.work,
        )


def finish_swap(home: Path) -> None:
    """When it was interrupted between the two names, put the folder in the place that is empty. Call it under serve's lock."""
    incoming = _incoming(home)
    if not postgres.folder(home).exists() and incoming.is_dir():
        incoming.rename(postgres.folder(home))
        durable.sync_folder(home)


def kept_folders(home: Path) -> list[Path]:
    """The folders that were in use before, the one that was last first."""
    found = []
    for path in home.iterdir():
        if (match := _KEPT.fullmatch(path.name)) and path.is_dir():
            found.append((int(match[1]), int(match[2] or 1), path))
    return [path for _, _, path in sorted(found, reverse=True)]


def upgrade(of: Installation, *, keep_free_bytes: int, tell: Callable[[str], None]) -> Path:
    """Bring the data folder in use to PostgreSQL's version here; returns where the old one is kept from now on.

    The server is stopped. `keep_free_bytes` is what has to stay free besides, for the server to go on. Interrupted, it can be
    run again. Raises UpgradeError, or subprocess.CalledProcessError with what a tool printed: then all is as it was.
    """
    old_major = postgres.major_of(of.used)
    if old_major is None:
        raise UpgradeError(f"{of.used} is not a data folder of PostgreSQL, or not whole: restore it from a backup.")
    old = paths.postgres_of(old_major, of.account) if old_major < POSTGRES_MAJOR else None
    if old is None:
        raise UpgradeError(_no_way_from(of.used, old_major))
    _clear(of)
    try:
        _check_room(of, keep_free_bytes)
        tell(f"Upgrading from PostgreSQL {old_major} to {POSTGRES_MAJOR} ...")
        _make_new(of, old, tell)
        tell("Gathering statistics and trying the new one ...")
        _try_new(of)
    finally:
        _end_left(of)
        shutil.rmtree(of.work, ignore_errors=True)
    of.unfinished.rename(_incoming(of.home))
    return _swap(of.home)


def check_major(data: Path, *, command: str) -> None:
    """Raises UpgradeError for a data folder of another PostgreSQL, which ours can't read; `command` would upgrade it."""
    major = postgres.major_of(data)
    if major is None or major == POSTGRES_MAJOR:
        return
    if paths.can_upgrade(major):
        raise UpgradeError(
            f"{data} is of PostgreSQL {major}, and this version of Homeport runs {POSTGRES_MAJOR}: run `{command}`."
            f" Nothing was changed."
        )
    raise UpgradeError(_no_way_from(data, major))


def _no_way_from(data: Path, major: int) -> str:
    """What to do with a data folder that can't be brought to the version here, in a sentence."""
    made = f"{data} is of PostgreSQL {major}, and this version of Homeport runs {POSTGRES_MAJOR}"
    if major > POSTGRES_MAJOR:
        return f"{made}: start a version of Homeport that has PostgreSQL {major}. Nothing was changed."
    return (
        f"{made} and does not have the programs of {major}, which an upgrade needs: upgrade by an older version first."
    )


def go_back(home: Path) -> tuple[Path, Path]:
    """Put the newest folder of an older version in the place of the one in use, which is kept in turn.

    Returns where the one that comes back was, and where the other is now. Raises UpgradeError when there is none.
    """
    major = postgres.major_of(postgres.folder(home)) or 0
    older = [path for path in kept_folders(home) if (postgres.major_of(path) or major) < major]
    if not older:
        raise UpgradeError(f"{home} has no data folder of an older PostgreSQL to go back to.")
    older[0].rename(_incoming(home))
    return older[0], _swap(home)


def clear_interrupted(home: Path) -> None:
    """Whatever was interrupted: finish what only lacks its name, give what waits its name back, remove what is unfinished.

    A new folder that was finished is made again, as the one in use may have been written to since.
    """
    finish_swap(home)
    incoming = _incoming(home)
    if incoming.is_dir():
        waiting, used = postgres.major_of(incoming) or 0, postgres.major_of(postgres.folder(home)) or 0
        if waiting < used:
            incoming.rename(_free_name(home, waiting))
        else:
            shutil.rmtree(incoming)
    shutil.rmtree(home / "postgres.upgrading", ignore_errors=True)
    durable.sync_folder(home)


def _clear(of: Installation) -> None:
    _end_left(of)
    clear_interrupted(of.home)
    shutil.rmtree(of.work, ignore_errors=True)
    paths.make_private_folder(of.work, of.account)


def _end_left(of: Installation) -> None:
    """End what pg_upgrade started and was killed before it stopped it."""
    for data in (of.used, of.unfinished):
        leftovers.end_postgres(leftovers.postgres_processes(data))
        (data / "postmaster.pid").unlink(missing_ok=True)


def _check_room(of: Installation, keep_free_bytes: int) -> None:
    """Raises UpgradeError. The log of the old one is not copied."""
    copied = sum(_size(path) for path in of.used.rglob("*") if path.relative_to(of.used).parts[0] != "pg_wal")
    needed, free = copied + _NEW_CLUSTER_BYTES + keep_free_bytes, shutil.disk_usage(of.home).free
    if free < needed:
        raise UpgradeError(
            f"The upgrade copies the database and needs {_say(needed)} free on the disk with {of.home}, which has {_say(free)}:"
            f" free {_say(needed - free)}, or move the data folder to a larger disk. Nothing was changed."
        )


def _size(path: Path) -> int:
    about = path.lstat()
    return max(about.st_size, about.st_blocks * 512)


def _say(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.0f} MB"


def _make_new(of: Installation, old: Path, tell: Callable[[str], None]) -> None:
    # Single-user mode replays what a crash left, and ends as pg_upgrade wants to find it.
    of.run(old / "postgres", "--single", "-D", of.used, "template1", text="")
    about = of.run(old / "pg_controldata", "-D", of.used)
    has_checksums = re.search(r"^Data page checksum version: +0$", about, re.MULTILINE) is None
    new = of.binaries.postgres
    # The superuser's password comes from the old one with all other roles.
    checksums = "--data-checksums" if has_checksums else "--no-data-checksums"
    password = of.work / "password"
    paths.write_private_file(password, "replaced by the old one's", of.account)
    of.run(*postgres.initdb(of.unfinished, binaries=of.binaries), checksums, "--no-sync", f"--pwfile={password}")
    with _door(of) as (socket, door):
        tell("Copying the database. The larger it is, the longer it takes ...")
        folders = ("-b", old, "-B", new, "-d", of.used, "-D", of.unfinished)
        options = ("--socketdir", socket, "--old-options", door, "--new-options", door)
        of.run(new / "pg_upgrade", *folders, "-U", "postgres", *options)


def _try_new(of: Installation) -> None:
    """Start the new one, have it gather the statistics that don't come over, and ask it something as we will."""
    new, log = of.binaries.postgres, of.work / "postgres.log"
    with _door(of) as (socket, door):
        options = f"-p {_PORT} -c listen_addresses='' -c unix_socket_directories='{socket}' {door}"
        of.run(new / "pg_ctl", "-D", of.unfinished, "-w", "-t", "3600", "-l", log, "-o", options, "start")
        where: list[str | Path] = ["-h", socket, "-p", _PORT, "-U", "postgres"]
        of.run(new / "vacuumdb", *where, "--all", "--analyze-in-stages", "--missing-stats-only")
        fault = postgres.find_fault(postgres.connection_parameters(of.settings) | {"host": socket, "port": _PORT})
        of.run(new / "pg_ctl", "-D", of.unfinished, "-w", "-t", "3600", "-m", "fast", "stop")
    if fault:
        raise UpgradeError(f"The upgraded database does not open ({fault}). The old one is as it was.")


@contextmanager
def _door(of: Installation) -> Iterator[tuple[Path, str]]:
    """A folder for sockets, and the option that lets the superuser in there, whose password nobody knows.

    Nobody but the engines' user enters either folder.
    """
    rules = of.work / "pg_hba.conf"
    ours = f'local "{of.settings.database}" "{of.settings.user}" scram-sha-256'
    paths.write_private_file(rules, f"{ours}\nlocal all postgres trust\n", of.account)
    socket = state.socket_folder(of.home)
    made = None if socket else Path(tempfile.mkdtemp(prefix="homeport-upgrade-"))
    try:
        if made and of.account:
            os.chown(made, of.account.uid, of.account.gid)
        yield socket or made or of.work, f"-c hba_file='{rules}'"
    finally:
        if made:
            shutil.rmtree(made, ignore_errors=True)


def _swap(home: Path) -> Path:
    """Put what waits in the place of the folder in use; returns where that is kept."""
    used = postgres.folder(home)
    durable.sync_folder(home)
    kept = _free_name(home, postgres.major_of(used) or 0)
    used.rename(kept)
    durable.sync_folder(home)
    finish_swap(home)
    return kept


def _incoming(home: Path) -> Path:
    return home / "postgres.incoming"


def _free_name(home: Path, major: int) -> Path:
    names = (home / f"postgres-{major}{f'-{number}' if number > 1 else ''}" for number in count(1))
    return next(name for name in names if not name.exists())
