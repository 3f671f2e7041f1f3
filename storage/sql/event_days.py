"""Statements that keep recorded requests within their time and size: partitions by day, and the oldest of a collection.

The names of partitions come from dates and nothing else.
"""

from datetime import date
from uuid import UUID

from storage.sql.access import Statement

_NAME = "storage_event_{:%Y%m%d}"


def wait_for_events_lock(seconds: int) -> Statement:
    """Locks that take longer than this are given up, until the transaction ends. No row that matters."""
    return "SELECT set_config('lock_timeout', $1, true)", [f"{seconds}s"]


def list_event_days() -> Statement:
    """Rows: the day of each partition as YYYYMMDD."""
    return (
        """
        SELECT right(c.relname, 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'storage_event'::regclass AND c.relname ~ '^storage_event_[0-9]{8}$' ORDER BY 1
    """,
        [],
    )


def make_event_day(day: date, first: UUID, end: UUID) -> list[str]:
    """A partition for the ids from `first` (included) to `end` (not), with what waits for it elsewhere. In one transaction."""
    name = _NAME.format(day)
    within = f"id >= '{first}' AND id < '{end}'"
    return [
        f"CREATE TABLE {name} (LIKE storage_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)",
        f"WITH moved AS (DELETE FROM storage_event_other WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved",
        f"ALTER TABLE storage_event ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{end}')",
    ]


def drop_event_day(day: date) -> list[str]:
    """Drop a day, but for what is pinned, which moves to the partition for all else. In one transaction."""
    name = _NAME.format(day)
    return [
        f"ALTER TABLE storage_event DETACH PARTITION {name}",
        f"INSERT INTO storage_event SELECT * FROM {name} WHERE is_pinned",
        f"DROP TABLE {name}",
    ]


def drop_stray_events(end: UUID, limit: int) -> Statement:
    """Delete events before `end` that are in no day's partition and not pinned. A row for each."""
    return (
        """
        DELETE FROM storage_event_other WHERE (collection_id, id) IN (
            SELECT collection_id, id FROM storage_event_other WHERE id < $1 AND NOT is_pinned LIMIT $2) RETURNING 1
    """,
        [end, limit],
    )


def drop_event_minutes(end_minute: int) -> Statement:
    """Forget what minutes before this one held. No row."""
    return "DELETE FROM storage_eventminute WHERE minute < $1", [end_minute]


def find_overfull(max_bytes: int) -> Statement:
    """Rows: collection id, the first minute to be kept so that the newest minutes stay within `max_bytes`."""
    return (
        """
        SELECT collection_id, min(minute) FILTER (WHERE total <= $1 OR is_newest)
        FROM (
            SELECT collection_id, minute, sum(size_bytes) OVER newest AS total, row_number() OVER newest = 1 AS is_newest
            FROM storage_eventminute WHERE size_bytes > 0
            WINDOW newest AS (PARTITION BY collection_id ORDER BY minute DESC ROWS UNBOUNDED PRECEDING)
        ) m
        GROUP BY collection_id HAVING max(total) > $1
    """,
        [max_bytes],
    )


def delete_events_before(collection_id: str, end: UUID, limit: int) -> Statement:
    """Delete up to `limit` of a collection's oldest events, not pinned ones. Row: how many it were."""
    return (
        """
        WITH deleted AS (
            DELETE FROM storage_event WHERE collection_id = $1 AND id < $2 AND id IN (
                SELECT id FROM storage_event WHERE collection_id = $1 AND id < $2 AND NOT is_pinned ORDER BY id LIMIT $3)
            RETURNING 1)
        SELECT count(*) FROM deleted
    """,
        [collection_id, end, limit],
    )


def empty_event_minutes(collection_id: str, end_minute: int) -> Statement:
    """The minutes before this one hold no bytes any more; what was counted in them stays. No row."""
    return (
        "UPDATE storage_eventminute SET size_bytes = 0 WHERE collection_id = $1 AND minute < $2 AND size_bytes > 0",
        [collection_id, end_minute],
    )


def delete_events_of(collection_id: str, limit: int) -> Statement:
    """Delete up to `limit` events of a collection, pinned ones too. Row: how many it were."""
    return (
        """
        WITH deleted AS (
            DELETE FROM storage_event WHERE collection_id = $1 AND id IN (
                SELECT id FROM storage_event WHERE collection_id = $1 LIMIT $2) RETURNING 1)
        SELECT count(*) FROM deleted
    """,
        [collection_id, limit],
    )


def delete_event_minutes_of(collection_id: str) -> Statement:
    """Forget what a collection's minutes held. No row."""
    return "DELETE FROM storage_eventminute WHERE collection_id = $1", [collection_id]


def try_events_lock() -> Statement:
    """Row: whether this session is the one that tidies recorded requests now."""
    return "SELECT pg_try_advisory_lock(hashtext('homeport events'))", []


def release_events_lock() -> Statement:
    """Row: true."""
    return "SELECT pg_advisory_unlock(hashtext('homeport events'))", []
