"""What a session is told, and what it tells of its server."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import Statement


class Clock(NamedTuple):
    moment: datetime


def read_clock() -> Statement[Clock]:
    """Row: the moment, however long ago the transaction began."""
    return Statement("SELECT clock_timestamp()", [], Clock)


def set_statement_timeout(milliseconds: str) -> Statement[tuple[str]]:
    """Row: the new value. "0" is none."""
    return Statement("SELECT set_config('statement_timeout', $1, false)", [milliseconds], tuple)


def allow_statements(milliseconds: str) -> Statement[tuple[str]]:
    """As `set_statement_timeout`, until the transaction ends."""
    return Statement("SELECT set_config('statement_timeout', $1, true)", [milliseconds], tuple)


def wait_for_locks(milliseconds: str) -> Statement[tuple[str]]:
    """Row: the new value: how long a statement waits for a lock, until the transaction ends."""
    return Statement("SELECT set_config('lock_timeout', $1, true)", [milliseconds], tuple)
