"""Statements for undoing what one writer did to the items of a Base since a moment."""

from datetime import datetime
from typing import NamedTuple

from storage.history.sql.versions import expired
from storage.postgres.statements import Params, Statement


class TouchedKey(NamedTuple):
    key: str
    is_theirs: bool
    is_cut: bool


class TouchedCount(NamedTuple):
    items: int
    is_exact: bool


class RunEdge(NamedTuple):
    key: str
    is_theirs: bool
    before: str | None
    is_kept: bool
    bytes_so_far: int


class Writer(NamedTuple):
    """A data key's id or a person's."""

    key_id: int | None = None
    person_id: int | None = None


def list_touched(base_id: int, writer: Writer, since: datetime, *, after: str, most: int) -> Statement[TouchedKey]:
    """Look at up to `most` versions since the moment, in the order of keys, of those behind `after`.

    Rows: each key among them, whether the writer was there, and whether the look may have ended within it.
    """
    params = Params()
    base, at, behind = params.add(base_id), params.add(since), params.add(after)
    theirs = _is_theirs(writer, params)
    return Statement(
        f"""
        SELECT key, bool_or(is_theirs), max(nth) = {most:d}
        FROM (
            SELECT v.key, {theirs} AS is_theirs, row_number() OVER (ORDER BY v.key, v.id) AS nth FROM storage_itemversion v
            WHERE v.base_id = {base}::bigint AND v.at >= {at}::timestamptz AND v.key > {behind}::text
            ORDER BY v.key, v.id LIMIT {most:d}
        ) v GROUP BY key ORDER BY key
    """,
        params,
        TouchedKey,
    )


def count_touched(base_id: int, writer: Writer, since: datetime, *, most: int) -> Statement[TouchedCount]:
    """Row: how many items the writer was at, among the newest `most` versions since the moment, and whether these are all."""
    params = Params()
    base, at = params.add(base_id), params.add(since)
    theirs = _is_theirs(writer, params)
    return Statement(
        f"""
        SELECT count(DISTINCT key) FILTER (WHERE is_theirs), count(*) < {most:d} FROM (
            SELECT v.key, {theirs} AS is_theirs FROM storage_itemversion v
            WHERE v.base_id = {base}::bigint AND v.at >= {at}::timestamptz ORDER BY v.id DESC LIMIT {most:d}
        ) v
    """,
        params,
        TouchedCount,
    )


def list_run_edges(
    base_id: int, writer: Writer, since: datetime, *, keys: list[str], max_bytes: int
) -> Statement[RunEdge]:
    """The versions of these items at which the writer takes over from others, and they from the writer, oldest first.

    Rows: key, whether it is the writer's, what was before as text or NULL, whether that is kept, and how many bytes these rows
    have with it. The row that goes beyond `max_bytes` is the last one.
    """
    params = Params()
    base, at, of = params.add(base_id), params.add(since), params.add(keys)
    theirs = _is_theirs(writer, params)
    cap = f"{params.add(max_bytes)}::bigint"
    return Statement(
        f"""
        WITH told AS (
            SELECT v.*, {theirs} AS is_theirs FROM storage_itemversion v
            WHERE v.base_id = {base}::bigint AND v.at >= {at}::timestamptz AND v.key = ANY ({of}::text[])
        ), edges AS (
            SELECT e.*, sum(size_bytes) OVER (ORDER BY key, id ROWS UNBOUNDED PRECEDING)::bigint AS bytes FROM (
                SELECT t.*, lag(is_theirs, 1, false) OVER (PARTITION BY key ORDER BY id) AS was_theirs FROM told t
            ) e WHERE is_theirs <> was_theirs
        )
        SELECT key, is_theirs, CASE WHEN NOT (kind IN ('u', 'e') AND {expired("before", "at")}) THEN before::text END,
            before_revision IS NULL OR before IS NOT NULL, bytes
        FROM edges WHERE bytes - size_bytes < {cap} ORDER BY key, id
    """,
        params,
        RunEdge,
    )


def _is_theirs(writer: Writer, params: Params) -> str:
    column, value = ("by_key", writer.key_id) if writer.key_id is not None else ("by_person", writer.person_id)
    return f"coalesce(v.{column} = {params.add(value)}::bigint, false)"
