"""Kinds of work that only one process does at a time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from storage.postgres.database import holding_lock, one_connection
from storage.postgres.sql import locks as locks_sql
from storage.postgres.work_leases import leased

Work = Literal[
    "attribute indexes",
    "backup",
    "backup log",
    "expired items",
    "blobs",
    "file deletions",
    "collection deletions",
    "events",
    "history",
    "counting",
    "drill",
    "micros",
    "migrations",
    "room",
    "thumbnails",
]

_ASK_AGAIN_SECONDS = 0.25


class StillBusy(Exception):
    """Another process has held the lock for as long as we were to wait."""


@contextmanager
def only_worker(work: Work) -> Iterator[bool]:
    """Have this kind of work to ourselves, on one connection; False when another process has it.

    Statements inside raise LeaseLost when it may be another's by now (`work_leases.py`). Raises EngineUnreachable.
    """
    with one_connection(), leased(work) as is_ours:
        yield is_ours


@contextmanager
def in_turn(work: Work, *, wait_seconds: float, tell: Callable[[], None]) -> Iterator[None]:
    """Wait until no other process does this kind of work, on one connection; `tell` is called once if there is one.

    For what must work in a database that has no tables yet. It asks again and again, since a wait in the database would end with
    `statement_timeout`. Raises StillBusy and EngineUnreachable.
    """
    gives_up_at = time.monotonic() + wait_seconds
    has_told = False
    while True:
        with one_connection(), holding_lock(locks_sql.try_lock(work)) as is_ours:
            if is_ours:
                yield
                return
        if not has_told:
            has_told = True
            tell()
        if time.monotonic() > gives_up_at:
            raise StillBusy(work)
        time.sleep(_ASK_AGAIN_SECONDS)
