"""The statement that pages through the items of a Base as they were at a moment."""

from datetime import datetime
from typing import NamedTuple

from storage.base.query import Predicate
from storage.base.sql.queries import Span, any_of, bounds_of
from storage.history.sql.versions import expired
from storage.postgres.statements import Params, Statement


class ItemThen(NamedTuple):
    key: str | None
    value: str
    revision: int
    position: int
    matched: bool
    stopped: bool
    is_kept: bool


def scan_items_as_of(
    span: Span, predicate: Predicate, moment: datetime, *, limit: int, max_bytes: int, max_rows: int
) -> Statement[ItemThen]:
    """Look at the items of then in key order until `limit` + 1 match, or `max_bytes` or `max_rows` were looked at.

    An item was then what its first change since then found; without one it is as it was. Keys are those of items now, and those
    of changes since then, which are found one by one however often each was changed.

    Rows: key, value as text, revision, its position among those looked at, whether it matches, whether it stopped here, and
    whether what it was then is kept. Of an item that matches, that is not kept, or where it stopped.
    """
    params = Params()
    then = f"{params.add(moment)}::timestamptz"
    bounds = bounds_of(span, predicate, params)
    base_id = f"{params.add(span.base_id)}::bigint"
    order, beyond = span.order, "<" if span.descending else ">"
    bytes_cap = f"{params.add(max_bytes)}::bigint"
    matches = any_of(predicate, params)
    # The limits of rows stand in the text: a known one keeps it to the order of the indexes.
    return Statement(
        f"""
        WITH RECURSIVE next_key(key) AS (
            (SELECT i.key FROM storage_itemversion i WHERE {bounds} AND i.at > {then} ORDER BY i.key {order} LIMIT 1)
            UNION ALL
            SELECT (
                SELECT i.key FROM storage_itemversion i WHERE {bounds} AND i.at > {then} AND i.key {beyond} k.key
                ORDER BY i.key {order} LIMIT 1
            ) FROM next_key k WHERE k.key IS NOT NULL
        ), keys AS MATERIALIZED (
            SELECT key FROM (
                (SELECT key FROM next_key WHERE key IS NOT NULL LIMIT {max_rows:d})
                UNION (SELECT i.key FROM storage_item i WHERE {bounds} ORDER BY i.key {order} LIMIT {max_rows:d})
            ) k ORDER BY key {order} LIMIT {max_rows:d}
        ), states AS (
            SELECT k.key, coalesce(n.before, i.value) AS value, coalesce(n.before_revision, i.revision) AS revision,
                coalesce(CASE WHEN n.before IS NULL THEN i.size_bytes ELSE n.size_bytes END, 0) AS size_bytes,
                n.before_revision IS NULL OR n.before IS NOT NULL AS is_kept, row_number() OVER (ORDER BY k.key {order}) AS nth
            FROM keys k LEFT JOIN LATERAL (
                SELECT n.kind, n.before, n.before_revision, n.size_bytes FROM storage_itemversion n
                WHERE n.base_id = {base_id} AND n.key = k.key AND n.at > {then} ORDER BY n.id LIMIT 1
            ) n ON true
            LEFT JOIN storage_item i ON n.kind IS NULL AND i.base_id = {base_id} AND i.key = k.key
        ), seen AS (
            SELECT *, sum(size_bytes) OVER (ORDER BY nth ROWS UNBOUNDED PRECEDING) AS bytes FROM states
        )
        SELECT key, value::text, revision, nth, matched, stopped, is_kept FROM (
            SELECT i.*, i.value IS NOT NULL AND NOT {expired("i.value", then)} AND ({matches}) IS TRUE AS matched,
                i.bytes >= {bytes_cap} OR i.nth = {max_rows:d} AS stopped
            FROM seen i WHERE i.bytes - i.size_bytes < {bytes_cap}
        ) i WHERE matched OR stopped OR NOT is_kept ORDER BY nth LIMIT {params.add(limit + 1)}
    """,
        params,
        ItemThen,
    )
