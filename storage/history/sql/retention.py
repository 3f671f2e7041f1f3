"""Statements that keep history within its time and size: partitions by day, and what each Base has by hour."""

from datetime import date, datetime
from typing import NamedTuple

from storage.postgres.sql.day_partitions import DayTable
from storage.postgres.statements import Affected, NoRow, Statement, Total, YesNo

VERSIONS = DayTable("storage_itemversion", "at")

# Of a version beside the item that it holds: its own columns, its key and the entries in the indexes.
VERSION_BYTES = 150

# Whose history it is: of a collection's Bases, and of what these held before they were emptied or deleted.
_OWNED = """
    SELECT id AS base_id, collection_id FROM storage_base
    UNION SELECT t.base_id, t.collection_id FROM storage_baseturn t
    WHERE t.base_id <> 0 AND NOT EXISTS (SELECT FROM storage_base b WHERE b.id = t.base_id)
"""


class Overfull(NamedTuple):
    base_id: int
    first_hour: datetime


def note_day(day: date) -> Statement[NoRow]:
    """Note the last version that was drawn when a day began, unless it is noted. No row."""
    return Statement(
        """
        INSERT INTO storage_historyday (day, version_id) SELECT $1, last_value + 4095 FROM storage_item_version
        ON CONFLICT DO NOTHING
    """,
        [day],
        NoRow,
    )


def find_last_version(day: date) -> Statement[Total]:
    """Row: the version up to which all of that day and of the days before are."""
    return Statement(
        """
        SELECT coalesce((SELECT min(version_id) FROM storage_historyday
            WHERE day > $1 AND $1 < (now() AT TIME ZONE 'UTC')::date), (SELECT last_value + 4095 FROM storage_item_version))
    """,
        [day],
        Total,
    )


def forget_before(moment: datetime) -> Statement[NoRow]:
    """Forget what was noted of the time before a moment, from which on history is kept. No row."""
    return Statement(
        """
        WITH days AS (DELETE FROM storage_historyday WHERE day < $1::date),
            hours AS (DELETE FROM storage_historyhour WHERE hour < $1),
            turns AS (DELETE FROM storage_baseturn WHERE at < $1)
        DELETE FROM storage_historybeginning b USING storage_historybeginning every
        WHERE every.base_id = 0 AND b.base_id <> 0 AND b.at <= every.at AND b.version_id <= every.version_id
    """,
        [moment],
        NoRow,
    )


def drop_stray_versions(moment: datetime, limit: int) -> Statement[Affected]:
    """Delete versions from before a moment that are in no day's partition. A row for each."""
    return Statement(
        """
        DELETE FROM storage_itemversion_other WHERE id IN (
            SELECT id FROM storage_itemversion_other WHERE at < $1 LIMIT $2) RETURNING 1
    """,
        [moment, limit],
        Affected,
    )


def holds_any(day: date) -> Statement[YesNo]:
    """Row: whether there is a version in a day's partition."""
    return Statement(f"SELECT EXISTS (SELECT FROM {VERSIONS.partition(day)})", [], YesNo)


def is_over(day: date) -> Statement[YesNo]:
    """Row: whether a day is over by the database's clock."""
    return Statement("SELECT (now() AT TIME ZONE 'UTC')::date > $1", [day], YesNo)


def count_new(settled: int) -> Statement[NoRow]:
    """Add the versions since the last count, up to one below which none is still to come, to what their Bases have by hour.

    Only these are read, and of the last two days: no transaction takes that long. No row.
    """
    return Statement(
        f"""
        WITH counted AS (
            SELECT v.base_id, v.hour, sum(v.size_bytes) AS size_bytes
            FROM storage_historycount place, (SELECT DISTINCT base_id FROM ({_OWNED}) o) b CROSS JOIN LATERAL (
                SELECT v.base_id, date_trunc('hour', v.at) AS hour, v.size_bytes + {VERSION_BYTES} AS size_bytes
                FROM storage_itemversion v WHERE v.base_id = b.base_id AND v.id > place.version_id AND v.id <= $1
                AND v.at > now() - interval '2 days'
            ) v GROUP BY 1, 2
        ), added AS (
            INSERT INTO storage_historyhour AS h (base_id, hour, size_bytes) SELECT * FROM counted ORDER BY 1, 2
            ON CONFLICT (base_id, hour) DO UPDATE SET size_bytes = h.size_bytes + excluded.size_bytes
        )
        UPDATE storage_historycount SET version_id = $1 WHERE version_id < $1
    """,
        [settled],
        NoRow,
    )


def find_overfull(max_bytes: int) -> Statement[Overfull]:
    """Of collections whose history is larger, a row for each Base that has some of the hours that go.

    Row: its id, and the first hour to be kept so that the collection's newest stay within `max_bytes`.
    """
    return Statement(
        f"""
        WITH owned AS MATERIALIZED ({_OWNED}), summed AS (
            SELECT collection_id, hour, sum(sum(size_bytes)) OVER newest AS total, row_number() OVER newest = 1 AS is_newest
            FROM storage_historyhour JOIN owned USING (base_id) GROUP BY collection_id, hour
            WINDOW newest AS (PARTITION BY collection_id ORDER BY hour DESC ROWS UNBOUNDED PRECEDING)
        ), kept AS (
            SELECT collection_id, min(hour) FILTER (WHERE total <= $1 OR is_newest) AS first_hour
            FROM summed GROUP BY collection_id HAVING max(total) > $1
        )
        SELECT base_id, max(first_hour) FROM kept JOIN owned USING (collection_id) JOIN storage_historyhour h USING (base_id)
        WHERE h.hour < first_hour GROUP BY base_id
    """,
        [max_bytes],
        Overfull,
    )


def delete_versions_before(base_id: int, moment: datetime, limit: int) -> Statement[Total]:
    """Delete up to `limit` of a Base's oldest versions from before a moment; its history begins there then. Row: how many."""
    return Statement(
        """
        WITH deleted AS (
            DELETE FROM storage_itemversion WHERE base_id = $1 AND at < $2 AND id IN (
                SELECT id FROM storage_itemversion WHERE base_id = $1 AND at < $2 ORDER BY id LIMIT $3)
            RETURNING id
        ), raised AS (
            INSERT INTO storage_historybeginning AS b (base_id, version_id, at)
            SELECT $1, max(id), $2 FROM deleted HAVING count(*) > 0
            ON CONFLICT (base_id) DO UPDATE SET at = greatest(b.at, excluded.at),
                version_id = greatest(b.version_id, excluded.version_id)
        )
        SELECT count(*) FROM deleted
    """,
        [base_id, moment, limit],
        Total,
    )


def forget_hours(base_id: int, moment: datetime) -> Statement[NoRow]:
    """Forget what a Base had before a moment. No row."""
    return Statement("DELETE FROM storage_historyhour WHERE base_id = $1 AND hour < $2", [base_id, moment], NoRow)
