"""Tables that are partitioned by days of UTC: dropping a day costs the same whatever it holds.

A job makes the days ahead, so that no row has to wait for its own.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from django.db import transaction

from storage.errors import EngineUnreachable
from storage.postgres.database import engine_errors, run
from storage.postgres.sql import day_partitions as days_sql
from storage.postgres.sql.day_partitions import DayTable
from storage.postgres.statements import NoRow, Statement

logger = logging.getLogger(__name__)

DAYS_AHEAD = 2
# Creating or dropping a day locks the whole table for a moment. While this waits for the lock, writers wait behind it.
_LOCK_SECONDS = 2

# The first value of a day, as it stands in a statement.
FirstOf = Callable[[date], str]


def list_days(table: DayTable) -> set[date]:
    """The days that have a partition. Raises EngineUnreachable."""
    return {date.fromisoformat(day) for (day,) in run(days_sql.list_days(table))}


def make_days(table: DayTable, today: date, first_of: FirstOf) -> None:
    """Make today and the next days, where they are missing. What fails is logged, and left to the next call."""
    existing = list_days(table)
    for day in (today + timedelta(days=ahead) for ahead in range(DAYS_AHEAD + 1)):
        if day not in existing:
            change_table(table, days_sql.make_day(table, day, first_of(day), first_of(day + timedelta(days=1))))


def change_table(
    table: DayTable, statements: Iterable[str], *, together_with: Callable[[], object] = lambda: None
) -> bool:
    """Change the partitions in one transaction, and do something else in it first; whether that worked."""
    try:
        with engine_errors(), transaction.atomic():
            run(days_sql.wait_for_lock(_LOCK_SECONDS))
            together_with()
            for statement in statements:
                run(Statement(statement, [], NoRow))
    except EngineUnreachable as error:
        logger.warning("The partitions of %s could not be changed: %r", table.name, error.__cause__)
        return False
    return True
