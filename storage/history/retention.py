"""Keeping history within its days and each collection's size, run by a job.

Older days go whole, of all Bases at once. A collection that is over its size loses its oldest hours, of all its Bases alike; the
newest hour stays. What it has is summed by hour as it comes, so that this is found without counting. While the disk is too
full, the oldest day goes, and the next, today's at last.

Where history begins is raised in the transaction that drops what was before.
"""

from datetime import UTC, date, datetime, time, timedelta

from django.conf import settings

from storage import limits
from storage.history import horizon
from storage.history.beginnings import EVERY_BASE, raise_beginnings
from storage.history.sql import retention as retention_sql
from storage.history.sql.retention import VERSIONS
from storage.postgres import day_partitions
from storage.postgres.database import run, run_one
from storage.postgres.distribution import items_are_distributed
from storage.postgres.locks import only_worker
from storage.postgres.sql import day_partitions as days_sql

_MB = 1_048_576


def tidy_history(now: datetime) -> None:
    """Create the partitions of the next days, drop what is too old, and the oldest hours of collections over their size.

    What fails now is left to the next run. Returns at once when another process is doing this, and where items are distributed,
    of which there is no history. Raises EngineUnreachable.
    """
    if items_are_distributed():
        return
    with only_worker("history") as is_ours:
        if is_ours:
            today = now.astimezone(UTC).date()
            run(retention_sql.note_day(today))
            day_partitions.make_days(VERSIONS, today, _first)
            _drop_before(today - timedelta(days=settings.HISTORY_DAYS))
            run(retention_sql.count_new(horizon.find_horizon().settled))
            _drop_oldest_hours()


def drop_oldest_day() -> bool:
    """Drop the oldest day that holds anything, whatever is asked to be kept; whether there was one that could be dropped.

    Raises EngineUnreachable.
    """
    with only_worker("history") as is_ours:
        for day in sorted(day_partitions.list_days(VERSIONS)) if is_ours else ():
            if run_one(retention_sql.holds_any(day)).answer:
                return _drop(day)
    return False


def _drop_before(oldest: date) -> None:
    for day in sorted(day_partitions.list_days(VERSIONS)):
        if day < oldest:
            _drop(day)
    first = _moment(oldest)
    while run(retention_sql.drop_stray_versions(first, limits.DELETE_BATCH_ROWS)):
        pass
    run(retention_sql.forget_before(first))


def _drop(day: date) -> bool:
    """One that is not over yet is made again."""
    is_over = run_one(retention_sql.is_over(day)).answer
    end = _moment(day + timedelta(days=1)) if is_over else None
    again = [] if is_over else days_sql.make_day(VERSIONS, day, _first(day), _first(day + timedelta(days=1)))

    def raise_for_all() -> None:
        last = run_one(retention_sql.find_last_version(day)).total
        raise_beginnings([EVERY_BASE], version_id=last, at=end)

    statements = [days_sql.drop_day(VERSIONS, day), *again]
    return day_partitions.change_table(VERSIONS, statements, together_with=raise_for_all)


def _drop_oldest_hours() -> None:
    for base_id, hour in run(retention_sql.find_overfull(settings.HISTORY_MAX_MB * _MB)):
        while run_one(retention_sql.delete_versions_before(base_id, hour, limits.DELETE_BATCH_ROWS)).total:
            pass
        run(retention_sql.forget_hours(base_id, hour))


def _moment(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _first(day: date) -> str:
    return f"{day:%Y-%m-%d} 00:00:00+00"
