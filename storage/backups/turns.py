"""Waiting for one's turn at work that one process does at a time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from storage.backups.faults import BackupFault
from storage.postgres.locks import Work, only_worker

# The lease of a process that was killed goes on for ten.
SECONDS = 20.0
_ASK_AGAIN_SECONDS = 0.5


@contextmanager
def turn(work: Work, *, otherwise: str, seconds: float = SECONDS) -> Iterator[None]:
    """Have this kind of work to ourselves inside, once nobody else does it.

    Raises BackupFault with that sentence after so many seconds, and EngineUnreachable.
    """
    gives_up_at = time.monotonic() + seconds
    while True:
        with only_worker(work) as is_ours:
            if is_ours:
                yield
                return
        if time.monotonic() > gives_up_at:
            raise BackupFault(otherwise)
        time.sleep(_ASK_AGAIN_SECONDS)
