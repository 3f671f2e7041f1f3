"""The bundled engines of a data folder that is being restored: PostgreSQL replays its log up to a moment, SeaweedFS is empty."""

import contextlib
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from storage.embedded import postgres, process, seaweedfs, state
from storage.embedded.accounts import Account
from storage.embedded.paths import Binaries

_LOOK_SECONDS = 0.25
_SEAWEEDFS_SECONDS = 120.0
# Of a server that replays its log nobody else asks anything.
_CONNECTIONS = 20


class RecoveryFailed(Exception):
    """An engine did not come up; the message is what it said last."""


@dataclass(frozen=True)
class Installation:
    """Where the engines' data is and who runs them."""

    home: Path
    local: state.LocalState
    binaries: Binaries
    account: Account | None
    marks: Mapping[str, str]


@contextlib.contextmanager
def recovered_postgres(at: Installation, *, log: Path, until: Mapping[str, str]) -> Iterator[None]:
    """Run PostgreSQL on a restored data folder once it has replayed the log in the folder `log`; stop it afterwards.

    `until` are PostgreSQL's settings of where to stop; without any it goes on to the end. Raises RecoveryFailed.
    """
    (postgres.folder(at.home) / "recovery.signal").touch(mode=0o600)
    _give(postgres.folder(at.home), at.account)
    _give(log, at.account)
    child = postgres.child(
        at.home,
        at.local.postgres,
        binaries=at.binaries,
        account=at.account,
        marks=at.marks,
        max_connections=_CONNECTIONS,
    )
    path = f"{shlex.quote(str(log)).replace('%', '%%')}/%f"
    options = {
        "restore_command": f'test -f {path} && cp {path} "%p"',
        "recovery_target_timeline": "current",
        "recovery_target_action": "promote",
        # Nobody gets in before all is replayed; and fewer connections than the server had are enough for that.
        "hot_standby": "off",
        "max_slot_wal_keep_size": "-1",
        **until,
    }
    child.command = [*child.command, *(word for name, value in options.items() for word in ("-c", f"{name}={value}"))]
    with _running(child, lambda: postgres.find_fault(postgres.connection_parameters(at.local.postgres))):
        yield


@contextlib.contextmanager
def running_seaweedfs(at: Installation, *, has_bucket: Callable[[], bool]) -> Iterator[None]:
    """Run SeaweedFS, every write of which is synced, once it has its bucket; stop it afterwards. Raises RecoveryFailed."""
    child = seaweedfs.child(at.home, at.local.s3, binaries=at.binaries, account=at.account, marks=at.marks)

    def find_fault() -> str | None:
        try:
            seaweedfs.make_durable(at.home, at.local.s3, binaries=at.binaries, account=at.account)
        except Exception as error:
            return str(getattr(error, "output", None) or error)
        return None if has_bucket() else "it has no bucket yet"

    with _running(child, find_fault, seconds=_SEAWEEDFS_SECONDS):
        yield


@contextlib.contextmanager
def _running(
    child: process.Child, find_fault: Callable[[], str | None], *, seconds: float = float("inf")
) -> Iterator[None]:
    gives_up_at = time.monotonic() + seconds
    child.start()
    try:
        while fault := find_fault():
            if not child.is_running() or time.monotonic() > gives_up_at:
                raise RecoveryFailed(f"{child.name} did not start. {child.last_words() or fault}")
            time.sleep(_LOOK_SECONDS)
        yield
    finally:
        child.stop()


def _give(folder: Path, account: Account | None) -> None:
    """What we wrote into the engines' folder is theirs; it has been ours alone until now."""
    if account is None:
        return
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, account.uid, account.gid)
