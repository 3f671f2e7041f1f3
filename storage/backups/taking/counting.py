"""How many rows tables have at a position of the log that can be named, so that a drill can compare them exactly."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from django.db import connection as django_connection

from storage.backups.sql import counting as counting_sql
from storage.postgres.connections import Connection
from storage.postgres.database import engine_errors
from storage.postgres.sending import send

logger = logging.getLogger(__name__)

# Writers wait no longer than this, and mostly not at all; then it is tried again later.
_LOCK_MS, _TRIES, _PAUSE_SECONDS = 400, 5, 1.0


@dataclass(frozen=True)
class Counted:
    """Rows by table, as they were when the log had come to this position; neither when that could not be had."""

    position: str = ""
    rows: dict[str, int] = field(default_factory=dict)


def count_tables() -> Counted:
    """Count the tables that people would miss. Writers wait for a moment at most. Raises EngineUnreachable."""
    for _ in range(_TRIES):
        try:
            return _count_once()
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            time.sleep(_PAUSE_SECONDS)
    logger.info("Somebody kept writing: this backup does not say how many rows it has.")
    return Counted()


def _count_once() -> Counted:
    """While nobody writes, the log's position and what can be seen are one moment; it is counted afterwards."""
    with _open() as holding, _open() as counting:
        send(holding, counting_sql.begin_moment())
        # A LOCK is no query: what can be seen is what is there once it is held.
        send(holding, counting_sql.hold_still())
        (moment,) = send(holding, counting_sql.note_moment())
        send(counting, counting_sql.begin_moment())
        send(counting, counting_sql.see_as_in(moment.snapshot))
        send(holding, counting_sql.end_moment())
        rows = {table: send(counting, counting_sql.count(table))[0].total for table in counting_sql.TABLES}
        return Counted(moment.position, rows)


@contextmanager
def _open() -> Iterator[Connection]:
    """Counting takes its time, and reads whole tables."""
    options = f"-c lock_timeout={_LOCK_MS} -c statement_timeout=0 -c timezone=UTC"
    with engine_errors():
        connection = Connection.open(
            **{**django_connection.get_connection_params(), "options": options}, autocommit=True
        )
    connection.answer_seconds = float("inf")
    try:
        yield connection
    finally:
        connection.close()
