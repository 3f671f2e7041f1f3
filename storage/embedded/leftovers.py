"""Ends what an earlier serve of the same data folder left running when it was killed.

A recorded pid proves nothing: it may be somebody else's process by now. So a process counts as ours by what the system says
about it: the marks in its environment, or, for Postgres (which writes over its environment), its working folder.
"""

import contextlib
import hashlib
import logging
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

logger = logging.getLogger(__name__)

INSTANCE_MARK = "HOMEPORT_INSTANCE"
FOLDER_MARK = "HOMEPORT_INSTANCE_DATA"
SANDBOX_MARK = "HOMEPORT_SANDBOX"

# How long Postgres may take to write its last checkpoint; after it, its log is replayed at the next start instead.
_POSTGRES_SECONDS = 1.5
_KILL_SECONDS = 5.0


def marks(instance_id: str, data: Path) -> dict[str, str]:
    """The environment that tells our children from everybody else's; a copied data folder shares the id, not the path."""
    return {INSTANCE_MARK: instance_id, FOLDER_MARK: str(data)}


def sandbox_marks(instance_id: str, data: Path) -> dict[str, str]:
    """The environment of the first process of each of our sandboxes: an app may read it, and learns nothing from it."""
    return {SANDBOX_MARK: hashlib.sha256(f"{instance_id} {data}".encode()).hexdigest()[:32]}


def clear(instance_id: str, data: Path, postgres_folder: Path) -> int:
    """End every leftover process; returns how many there were. Call it under serve's lock only."""
    marked = _find(lambda process: _is_marked(process, instance_id, data))
    for process in marked:
        with contextlib.suppress(psutil.Error):
            process.kill()
    postgres = postgres_processes(postgres_folder)
    end_postgres(postgres)
    _wait_gone(marked, _KILL_SECONDS)
    if marked or postgres:
        logger.info("Ended %d processes that an earlier serve had left running.", len(marked) + len(postgres))
    return len(marked) + len(postgres)


def postgres_processes(folder: Path) -> list[psutil.Process]:
    """Every process of a Postgres that works on this data folder: postmaster, background processes, sessions."""
    return _find(lambda process: process.name().startswith("postgres") and process.cwd() == str(folder))


def end_postgres(found: list[psutil.Process]) -> None:
    """Ask Postgres for a fast shutdown, then kill what is still there."""
    if not found:
        return
    for process in found:
        with contextlib.suppress(psutil.Error):
            # Of its processes only the postmaster's parent isn't one of them; to a session SIGINT means "cancel".
            if process.ppid() not in {other.pid for other in found}:
                process.send_signal(signal.SIGINT)
    alive = _wait_gone(found, _POSTGRES_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    _wait_gone(alive, _KILL_SECONDS)


def _wait_gone(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait until they have ended; returns those that have not. One that only waits to be reaped by its parent has ended."""
    until = time.monotonic() + seconds
    while alive := [process for process in processes if _is_alive(process)]:
        if time.monotonic() > until:
            break
        time.sleep(0.01)
    return alive


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_marked(process: psutil.Process, instance_id: str, data: Path) -> bool:
    environment = process.environ()
    if environment.get(SANDBOX_MARK) == sandbox_marks(instance_id, data)[SANDBOX_MARK]:
        return True
    return environment.get(INSTANCE_MARK) == instance_id and environment.get(FOLDER_MARK) == str(data)


def _find(matches: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """The processes that match, but for ourselves and our own parents (a test's server is started with marks as well)."""
    own = {psutil.Process().pid, *(parent.pid for parent in psutil.Process().parents())}
    found = []
    for process in psutil.process_iter():
        # Processes of other users, and those that end while we look, are not ours.
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in own and process.status() != psutil.STATUS_ZOMBIE and matches(process):
                found.append(process)
    return found
