"""Statements that keep recorded requests within their time and size: partitions by day, and a collection's oldest blocks."""

from typing import NamedTuple

from storage.postgres.sql.day_partitions import DayTable
from storage.postgres.statements import Affected, NoRow, Statement, Total

BLOCKS = DayTable("storage_eventblock", "last_id")


class Overfull(NamedTuple):
    collection_id: str
    first_minute: int


def drop_stray_blocks(end_id: str, limit: int) -> Statement[Affected]:
    """Delete blocks before `end_id` that are in no day's partition. A row for each."""
    return Statement(
        """
        DELETE FROM storage_eventblock_other WHERE (collection_id, last_id) IN (
            SELECT collection_id, last_id FROM storage_eventblock_other WHERE last_id < $1::uuid LIMIT $2) RETURNING 1
    """,
        [end_id, limit],
        Affected,
    )


def drop_event_minutes(end_minute: int) -> Statement[NoRow]:
    """Forget what minutes before this one held. No row."""
    return Statement("DELETE FROM storage_eventminute WHERE minute < $1", [end_minute], NoRow)


def find_overfull(max_bytes: int) -> Statement[Overfull]:
    """Rows: collection id, the first minute to be kept so that the newest minutes stay within `max_bytes`."""
    return Statement(
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
        Overfull,
    )


def delete_blocks_before(collection_id: str, end_id: str, limit: int) -> Statement[Total]:
    """Delete up to `limit` of a collection's oldest blocks. Row: how many."""
    return Statement(
        """
        WITH deleted AS (
            DELETE FROM storage_eventblock WHERE collection_id = $1 AND last_id < $2::uuid AND last_id IN (
                SELECT last_id FROM storage_eventblock WHERE collection_id = $1 AND last_id < $2::uuid
                ORDER BY last_id LIMIT $3)
            RETURNING 1)
        SELECT count(*) FROM deleted
    """,
        [collection_id, end_id, limit],
        Total,
    )


def empty_event_minutes(collection_id: str, end_minute: int) -> Statement[NoRow]:
    """Set the bytes of the minutes before this one to zero; their counts stay. No row."""
    return Statement(
        "UPDATE storage_eventminute SET size_bytes = 0 WHERE collection_id = $1 AND minute < $2 AND size_bytes > 0",
        [collection_id, end_minute],
        NoRow,
    )


def delete_blocks_of(collection_id: str, limit: int) -> Statement[Total]:
    """Delete up to `limit` blocks of a collection. Row: how many."""
    return Statement(
        """
        WITH deleted AS (
            DELETE FROM storage_eventblock WHERE collection_id = $1 AND last_id IN (
                SELECT last_id FROM storage_eventblock WHERE collection_id = $1 LIMIT $2) RETURNING 1)
        SELECT count(*) FROM deleted
    """,
        [collection_id, limit],
        Total,
    )


def delete_event_traces_of(collection_id: str) -> Statement[NoRow]:
    """Forget a collection's pinned events and what its minutes held. No row."""
    return Statement(
        """
        WITH pinned AS (DELETE FROM storage_pinnedevent WHERE collection_id = $1)
        DELETE FROM storage_eventminute WHERE collection_id = $1
    """,
        [collection_id],
        NoRow,
    )
