"""Kinds of work that only one process does at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from storage.postgres.database import one_connection, run, run_one
from storage.postgres.sql import locks as locks_sql

Work = Literal["expired items", "blobs", "file deletions", "collection deletions", "events", "counting", "room"]


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
