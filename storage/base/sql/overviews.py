"""Statements that read many items of a Base within bounds: sorted pages, counts, and why nothing matches."""

from collections.abc import Sequence
from typing import NamedTuple

from storage import limits
from storage.base.query import Condition, Predicate
from storage.base.sql.items import LIVE
from storage.base.sql.orders import SortStep, ordered, sort_columns, sort_names
from storage.base.sql.queries import Span, any_of, attribute_of, bounds_of, condition_of, indexed_hits
from storage.postgres.sql.access import access
from storage.postgres.statements import Params, Statement


class SortedItem(NamedTuple):
    base_id: int
    allowed: bool
    key: str | None
    value: str
    revision: int
    matches: int
    may_be_more: bool


class ItemCount(NamedTuple):
    base_id: int | None
    allowed: bool
    items: int


class MatchCount(NamedTuple):
    base_id: int | None
    allowed: bool
    matched: int
    looked_at: int
    stopped: bool


class TypeCount(NamedTuple):
    base_id: int | None
    allowed: bool
    type: str | None
    items: int | None
    matched: int


class MatchingKey(NamedTuple):
    key: str


def sort_items(
    span: Span, predicate: Predicate, *, order: Sequence[SortStep], by_index: bool, offset: int, limit: int
) -> Statement[SortedItem]:
    """A page of the matches in the order of one attribute, of equal ones in that of the next, and so on; those without one
    are last, equal ones by key.

    Rows: base_id, allowed, key, value as text, revision, number of matches sorted, whether there may be more matches than
    those sorted. One row with a NULL key when the page is empty. Cut where it has grown to a full answer.
    """
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    names = sort_names(order)
    # When everything matches, there is no reason to scan more rows than are sorted.
    rows = min(
        limits.OVERVIEW_MAX_ROWS, limits.SORT_MAX_ITEMS + 1 if predicate == Predicate() else limits.OVERVIEW_MAX_ROWS
    )
    columns = f"i.key, {sort_columns(order, params)}"
    looked_at = _looked_at(span, predicate, params, by_index=by_index, columns=columns, rows=rows)
    most, cap = limits.SORT_MAX_ITEMS, f"{params.add(limits.ANSWER_MAX_BYTES)}::bigint"
    return Statement(
        f"""{head}, looked_at AS MATERIALIZED ({looked_at}),
        sorted AS MATERIALIZED (SELECT key, {names} FROM looked_at WHERE matched LIMIT {most:d}),
        page AS (
            SELECT key, {names} FROM sorted
            ORDER BY {ordered("sorted", order)} OFFSET {params.add(offset)} LIMIT {params.add(limit)}
        ),
        weighed AS (
            SELECT page.*, i.value, i.revision,
                   sum(i.size_bytes) OVER (ORDER BY {ordered("page", order)} ROWS UNBOUNDED PRECEDING) - i.size_bytes AS before
            FROM page JOIN storage_item i ON i.base_id = {params.add(span.base_id)} AND i.key = page.key
        )
        SELECT access.base_id, access.allowed, found.key, found.value::text, found.revision,
               (SELECT count(*) FROM sorted),
               (SELECT coalesce(bool_or(stopped), false) OR count(*) FILTER (WHERE matched) > {most:d} FROM looked_at)
        FROM access LEFT JOIN (SELECT * FROM weighed WHERE before < {cap}) found ON access.allowed
        ORDER BY {ordered("found", order)}
    """,
        params,
        SortedItem,
    )


def count_all(span: Span, *, most: int) -> Statement[ItemCount]:
    """Row: base_id, allowed, how many items the Base has, counted up to `most`."""
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    return Statement(
        f"""{head} SELECT base_id, allowed, (
            SELECT count(*) FROM (
                SELECT 1 FROM storage_item i WHERE i.base_id = {params.add(span.base_id)} AND {LIVE} LIMIT {params.add(most)}
            ) i) FROM access
    """,
        params,
        ItemCount,
    )


def count_matches(span: Span, predicate: Predicate, *, by_index: bool) -> Statement[MatchCount]:
    """Row: base_id, allowed, matches, items looked at (of a scan: all live ones), whether it stopped before the end."""
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    looked_at = _looked_at(span, predicate, params, by_index=by_index, columns="i.key")
    return Statement(
        f"""{head}
        SELECT access.base_id, access.allowed, counted.* FROM access CROSS JOIN (
            SELECT count(*) FILTER (WHERE matched), count(*) FILTER (WHERE live), coalesce(bool_or(stopped), false)
            FROM ({looked_at}) looked_at
        ) counted
    """,
        params,
        MatchCount,
    )


def find_matching(span: Span, predicate: Predicate, keys: list[str]) -> Statement[MatchingKey]:
    """Those of these keys whose items match. Row: key."""
    params = Params()
    bounds, matches = bounds_of(span, predicate, params), any_of(predicate, params)
    return Statement(
        f"""
        SELECT i.key FROM storage_item i
        WHERE {bounds} AND i.key = ANY ({params.add(keys)}::text[]) AND {LIVE} AND ({matches})
    """,
        params,
        MatchingKey,
    )


def explain_condition(span: Span, condition: Condition) -> Statement[TypeCount]:
    """Rows: base_id, allowed, type of the attribute or NULL where it is missing, items of that, how many of them match."""
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    is_key = condition.path == ("key",)
    attribute = "to_jsonb(i.key)" if is_key else attribute_of(condition.path, params)
    columns = f"jsonb_typeof({attribute}) AS type, ({condition_of(condition, params)}) IS TRUE AS meets"
    looked_at = _looked_at(span, Predicate(), params, by_index=False, columns=columns)
    return Statement(
        f"""{head}
        SELECT access.base_id, access.allowed, counted.* FROM access LEFT JOIN (
            SELECT type, count(*), count(*) FILTER (WHERE meets) FROM ({looked_at}) looked_at WHERE live GROUP BY type
        ) counted ON access.allowed ORDER BY 4 DESC NULLS LAST
    """,
        params,
        TypeCount,
    )


def _looked_at(
    span: Span, predicate: Predicate, params: Params, *, by_index: bool, columns: str, rows: int | None = None
) -> str:
    """The columns of items within the bounds of an overview, with `live`, `matched` and `stopped` (on the last one, when
    there may be more)."""
    bounds = bounds_of(span, predicate, params)
    rows, cap = rows or limits.OVERVIEW_MAX_ROWS, f"{params.add(limits.OVERVIEW_MAX_BYTES)}::bigint"
    source = f"(SELECT * FROM storage_item i WHERE {bounds})"
    if by_index:
        # OFFSET 0 keeps the two conditions apart, as in `look_up_items`: the index is to find the hits.
        hits = f"(SELECT * FROM storage_item i WHERE {indexed_hits(predicate, span.base_id, params)} OFFSET 0)"
        source = f"(SELECT * FROM {hits} i WHERE {bounds} LIMIT {rows:d})"
    return f"""
        SELECT {columns}, {LIVE} AS live, ({LIVE} AND ({any_of(predicate, params)})) IS TRUE AS matched,
               i.nth = {rows:d} OR i.before + i.size_bytes >= {cap} AS stopped
        FROM (
            SELECT i.*, row_number() OVER seen AS nth, sum(i.size_bytes) OVER seen - i.size_bytes AS before
            FROM {source} i WINDOW seen AS (ORDER BY i.key ROWS UNBOUNDED PRECEDING)
            ORDER BY i.key LIMIT {rows:d}
        ) i
        WHERE i.before < {cap}
    """
