"""Kinds of work that only one process does at a time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from storage.postgres.database import one_connection, run, run_one
from storage.postgres.sql import locks as locks_sql

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
    """Lock this kind of work, on one connection; False when another process has it. Raises EngineUnreachable."""
    with one_connection():
        is_ours = run_one(locks_sql.try_lock(work)).answer
        try:
            yield is_ours
        finally:
            if is_ours:
                run(locks_sql.release_lock(work))


@contextmanager
def in_turn(work: Work, *, wait_seconds: float, tell: Callable[[], None]) -> Iterator[None]:
    """Wait until no other process does this kind of work, on one connection; `tell` is called once if there is one.

    It asks again and again, since a wait in the database would end with `statement_timeout`.
    Raises StillBusy and EngineUnreachable.
    """
    with one_connection():
        gives_up_at = time.monotonic() + wait_seconds
        has_told = False
        while not run_one(locks_sql.try_lock(work)).answer:
            if not has_told:
                has_told = True
                tell()
            if time.monotonic() > gives_up_at:
                raise StillBusy(work)
            time.sleep(_ASK_AGAIN_SECONDS)
        try:
            yield
        finally:
            run(locks_sql.release_lock(work))
