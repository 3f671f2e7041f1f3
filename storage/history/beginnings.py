"""Where the history of a Base begins. Nothing that happened by that version is sure to be there, nor what items were before that
moment.

The Base 0 stands for all of them: days are dropped for all Bases at once.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from storage.history.sql import beginnings as beginnings_sql
from storage.postgres.database import run, run_one

EVERY_BASE = 0


class Beginning(NamedTuple):
    """The last version that may be missing, and the first moment of which all is known."""

    version_id: int
    at: datetime


def find_beginning(base_id: int) -> Beginning:
    """Where the history of the Base with this id begins. Raises EngineUnreachable."""
    return Beginning(*run_one(beginnings_sql.find_beginning(base_id)))


def raise_beginnings(base_ids: Iterable[int], *, version_id: int = 0, at: datetime | None = None) -> None:
    """Let the history of these Bases begin behind a version and a moment, now by default; in the transaction that drops what was
    before. What begins later already stays."""
    run(beginnings_sql.raise_beginnings(list(base_ids), version_id, at))
