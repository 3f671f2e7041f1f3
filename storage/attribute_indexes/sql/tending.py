"""Statements that find, build and drop indexes of attributes, and count what was asked for."""

from typing import NamedTuple

from storage.postgres.statements import Affected, NoRow, Statement, YesNo


class ReadyIndex(NamedTuple):
    id: int
    path: list[str]


class WantedIndex(NamedTuple):
    base_id: int
    path: list[str]
    items: int


class Built(NamedTuple):
    state: str
    rows: int


class TableSize(NamedTuple):
    size_bytes: int
    entries: int


def find_ready(base_id: int) -> Statement[ReadyIndex]:
    """The indexes of a Base that answer queries. Row: id, path."""
    return Statement(
        "SELECT id, path FROM storage_attributeindex WHERE base_id = $1 AND state = 'ready' ORDER BY id",
        [base_id],
        ReadyIndex,
    )


def add_asks(asks: list[tuple[int, str, int]], seconds: int) -> Statement[NoRow]:
    """Count asks of base_id, path as a JSON list, times; none that are older than `seconds` count any more.

    In one order, so that two processes never deadlock.
    """
    base_ids, paths, times = (list(column) for column in zip(*asks, strict=True))
    return Statement(
        """
        INSERT INTO storage_attributeask AS a (base_id, path, times, asked_at)
        SELECT n.base_id, p.path, n.times, now()
        FROM unnest($1::bigint[], $2::text[], $3::int[]) AS n(base_id, steps, times)
        JOIN storage_base b ON b.id = n.base_id
        CROSS JOIN LATERAL (SELECT ARRAY(SELECT jsonb_array_elements_text(n.steps::jsonb)) AS path) p
        ORDER BY n.base_id, p.path
        ON CONFLICT (base_id, path) DO UPDATE SET asked_at = excluded.asked_at,
            times = excluded.times + CASE WHEN a.asked_at < now() - make_interval(secs => $4) THEN 0 ELSE a.times END
    """,
        [base_ids, paths, times, seconds],
        NoRow,
    )


def note_uses(index_ids: list[int]) -> Statement[NoRow]:
    """Note that these indexes have just answered a query. Once a minute for each is enough. No row."""
    return Statement(
        """
        UPDATE storage_attributeindex SET used_at = now() WHERE id IN (
            SELECT id FROM storage_attributeindex
            WHERE id = ANY ($1::int[]) AND used_at < now() - interval '1 minute' ORDER BY id FOR NO KEY UPDATE)
    """,
        [index_ids],
        NoRow,
    )


def forget_asks(seconds: int, most: int) -> Statement[NoRow]:
    """Delete counts that are older, those of Bases that are gone, and all but the latest of one Base. No row."""
    return Statement(
        """
        DELETE FROM storage_attributeask a WHERE a.asked_at < now() - make_interval(secs => $1)
            OR NOT EXISTS (SELECT FROM storage_base b WHERE b.id = a.base_id)
            OR (a.base_id, a.path) IN (SELECT base_id, path FROM (
                SELECT base_id, path, row_number() OVER (PARTITION BY base_id ORDER BY asked_at DESC, path) AS nth
                FROM storage_attributeask) n WHERE nth > $2)
    """,
        [seconds, most],
        NoRow,
    )


def find_wanted(times: int, seconds: int) -> Statement[WantedIndex]:
    """Attributes that were asked for so often, within so many seconds, the most wanted first. Row: base_id, path, items."""
    return Statement(
        """
        SELECT a.base_id, a.path, coalesce(f.items, 0) FROM storage_attributeask a
        JOIN storage_base b ON b.id = a.base_id LEFT JOIN storage_basefigures f ON f.base_id = a.base_id
        WHERE a.times >= $1 AND a.asked_at >= now() - make_interval(secs => $2)
        AND NOT EXISTS (SELECT FROM storage_attributeindex x WHERE x.base_id = a.base_id AND x.path = a.path)
        ORDER BY a.times DESC, a.base_id, a.path
    """,
        [times, seconds],
        WantedIndex,
    )


def drop_strays() -> Statement[Affected]:
    """Drop the indexes of Bases that are gone and will not come back; a row for each."""
    return Statement(
        """
        UPDATE storage_attributeindex x SET base_id = NULL, state = 'dropped', wait_for = NULL
        WHERE x.state <> 'dropped' AND NOT EXISTS (SELECT FROM storage_base b WHERE b.id = x.base_id)
        AND NOT EXISTS (SELECT FROM storage_deletion d
            WHERE x.base_id = ANY (d.base_ids) AND d.undo_until > now() AND d.undone_at IS NULL)
        RETURNING 1
    """,
        [],
        Affected,
    )


def drop_unused(days: int) -> Statement[Affected]:
    """Drop the indexes that were not used for so long; a row for each."""
    return Statement(
        """
        UPDATE storage_attributeindex SET base_id = NULL, state = 'dropped', wait_for = NULL
        WHERE state <> 'dropped' AND used_at < now() - make_interval(days => $1) RETURNING 1
    """,
        [days],
        Affected,
    )


def mark_moment(index_id: int) -> Statement[NoRow]:
    """Note which transactions may have begun before the last change of state was committed. No row."""
    return Statement(
        """
        UPDATE storage_attributeindex SET wait_for = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
        WHERE id = $1 AND wait_for IS NULL
    """,
        [index_id],
        NoRow,
    )


def is_known_to_all(index_id: int) -> Statement[YesNo]:
    """Whether all those transactions are over. No row for an index that is gone."""
    return Statement(
        """
        SELECT coalesce(pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= wait_for, false)
        FROM storage_attributeindex WHERE id = $1
    """,
        [index_id],
        YesNo,
    )


def wait_for_writers(milliseconds: int) -> Statement[tuple[str]]:
    """Wait no longer than this for a lock, until the transaction ends. Row: the new value."""
    return Statement("SELECT set_config('lock_timeout', $1, true)", [str(milliseconds)], tuple)


def build(index_id: int, rows: int) -> Statement[Built]:
    """Put the next items of its Base, in key order, into an index that is being built; ready it is after the last.

    The items are locked against changes: what a writer changes later it finds in the index, and what it changed before is
    read here. Row: the state then, how many items there were; none when the index is no longer being built.
    """
    return Statement(
        """
        WITH building AS (
            SELECT id, base_id, path, built_to FROM storage_attributeindex
            WHERE id = $1 AND state = 'building' FOR NO KEY UPDATE
        ), batch AS MATERIALIZED (
            SELECT i.key, i.value FROM storage_item i
            WHERE i.base_id = (SELECT base_id FROM building) AND i.key > (SELECT coalesce(built_to, '') FROM building)
            ORDER BY i.key LIMIT $2 FOR SHARE
        ), made AS (
            INSERT INTO storage_attributeentry (index_id, kind, number, text, key)
            SELECT x.id, storage_entry_kind(v.value), storage_entry_number(v.value), storage_entry_text(v.value), b.key
            FROM building x CROSS JOIN batch b
            CROSS JOIN LATERAL (SELECT storage_attribute(b.value, x.path) AS value OFFSET 0) v
            ON CONFLICT DO NOTHING
        ), counted AS (SELECT count(*) AS rows, max(key) AS last FROM batch)
        UPDATE storage_attributeindex x SET built_to = coalesce(c.last, x.built_to), entries = x.entries + c.rows,
            used_at = CASE WHEN c.rows < $2 THEN now() ELSE x.used_at END,
            state = CASE WHEN c.rows < $2 THEN 'ready' ELSE 'building' END
        FROM counted c, building WHERE x.id = building.id
        RETURNING x.state, c.rows
    """,
        [index_id, rows],
        Built,
    )


def delete_entries(index_id: int, rows: int) -> Statement[Affected]:
    """Delete up to so many entries of an index; a row for each."""
    return Statement(
        """
        DELETE FROM storage_attributeentry WHERE (index_id, kind, number, text, key) IN (
            SELECT index_id, kind, number, text, key FROM storage_attributeentry WHERE index_id = $1 LIMIT $2)
        RETURNING 1
    """,
        [index_id, rows],
        Affected,
    )


def give_back_entries() -> Statement[NoRow]:
    """Let readers take new entries from the index alone, and new ones use the space of deleted ones. No row."""
    return Statement("VACUUM (TRUNCATE, SKIP_LOCKED) storage_attributeentry", [], NoRow)


def size_up() -> Statement[TableSize]:
    """Of all entries together. Row: bytes, and about how many entries."""
    return Statement(
        """
        SELECT pg_total_relation_size(oid), greatest(reltuples, 0)::bigint FROM pg_class
        WHERE oid = 'storage_attributeentry'::regclass
    """,
        [],
        TableSize,
    )
