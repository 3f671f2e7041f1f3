"""Keeping recorded requests within 14 days and each collection's size, run by a job.

A day is a partition, and dropping it costs the same whatever it holds. What a collection holds is summed by minute as it is
written, so that one over its size is found without counting, and loses its oldest minutes. Pinned events are copies of their own.
"""

from datetime import UTC, date, datetime, time, timedelta

from storage import limits
from storage.events.ids import first_id_at, minute_of
from storage.events.sql import retention as retention_sql
from storage.events.sql.retention import BLOCKS
from storage.postgres import day_partitions
from storage.postgres.database import run, run_one
from storage.postgres.locks import only_worker
from storage.postgres.sql.day_partitions import drop_day


def tidy_events(now: datetime) -> None:
    """Create the partitions of the next days, drop expired ones, and delete the oldest events of collections over their size.

    What fails now is left to the next run. Returns at once when another process is doing this. Raises EngineUnreachable.
    """
    with only_worker("events") as is_ours:
        if is_ours:
            _make_and_drop_days(now.astimezone(UTC).date())
            _drop_oldest()


def delete_events_of(collection_id: str) -> None:
    """Delete all that was recorded of a collection, pinned or not. Raises EngineUnreachable."""
    while run_one(retention_sql.delete_blocks_of(collection_id, limits.DELETE_BATCH_ROWS)).total:
        pass
    run(retention_sql.delete_event_traces_of(collection_id))


def _make_and_drop_days(today: date) -> None:
    day_partitions.make_days(BLOCKS, today, _first_id)
    oldest = today - timedelta(days=limits.EVENTS_KEPT_DAYS)
    for day in sorted(day_partitions.list_days(BLOCKS)):
        if day < oldest:
            day_partitions.change_table(BLOCKS, [drop_day(BLOCKS, day)])
    while run(retention_sql.drop_stray_blocks(_first_id(oldest), limits.DELETE_BATCH_ROWS)):
        pass
    run(retention_sql.drop_event_minutes(minute_of(_first_id(oldest))))


def _drop_oldest() -> None:
    for collection_id, minute in run(retention_sql.find_overfull(limits.EVENTS_MAX_BYTES)):
        end_id = first_id_at(datetime.fromtimestamp(minute * 60, UTC))
        while run_one(retention_sql.delete_blocks_before(collection_id, end_id, limits.DELETE_BATCH_ROWS)).total:
            pass
        run(retention_sql.empty_event_minutes(collection_id, minute))


def _first_id(day: date) -> str:
    return first_id_at(datetime.combine(day, time(), UTC))
