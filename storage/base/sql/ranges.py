"""Statements that find items by the indexes of attributes (`storage/attribute_indexes/`).

What an index finds is looked at again in the item: of a long string the index has only the beginning, and other conditions may
have to hold as well. So an index finds every match, and never decides what matches.
"""

from typing import NamedTuple

from storage import limits, names
from storage.base.query import Condition, Predicate
from storage.base.ranges import IndexedRange, RangePlan
from storage.base.sql.items import LIVE
from storage.base.sql.queries import (
    LookedUpItem,
    Span,
    any_of,
    group_hits,
    key_bounds,
)
from storage.exact_json import dump
from storage.postgres.sql.access import access
from storage.postgres.statements import Params, Statement


class RangeCount(NamedTuple):
    base_id: int | None
    allowed: bool
    matched: int | None


_SIGNS = {"lt": "<", "gt": ">", "lte": "<=", "gte": ">="}
_STRING, _NUMBER = 1, 2


def look_up_ranges(
    span: Span, predicate: Predicate, plan: RangePlan, *, limit: int, max_hits: int
) -> Statement[LookedUpItem]:
    """Find the matches by indexes of attributes, in groups without one by the equality index.

    Rows: as in `look_up_items`; but stopped where too much was looked at. `hits` is NULL when one of the indexes no longer
    answers, and more than `max_hits` when one group has more: then there is one row with a NULL key.
    """
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    hits = hits_of(span, predicate, plan, params, max_hits=max_hits)
    base_id, cap = params.add(span.base_id), f"{params.add(limits.DENSE_SCAN_MAX_BYTES)}::bigint"
    most = limits.DENSE_SCAN_MAX_ROWS
    answer_cap = f"{params.add(limits.ANSWER_MAX_BYTES)}::bigint"
    # Keys in order, and their items one after the other until the page is full. Few keys are looked up together, which takes
    # less; a PostgreSQL before 17 fetches all of them first.
    keys, key = f"SELECT key FROM hits WHERE (SELECT hits <= {max_hits:d} FROM counted)", "h.key"
    fetched = f"({keys} ORDER BY key {span.order} LIMIT {most:d}) h CROSS JOIN LATERAL ({item_of('h.key', base_id)}) i"
    if max_hits <= limits.RANGE_FEW_HITS:
        fetched, key = f"storage_item i WHERE i.base_id = {base_id} AND i.key = ANY (ARRAY({keys}))", "i.key"
    matches = f"({LIVE} AND ({any_of(predicate, params)})) IS TRUE"
    stopped = f"(i.bytes_before + i.size_bytes >= {cap} OR i.nth = {most:d})"
    # One window, and not that of `queries.page_of` behind another: each copies its rows.
    answer = f"""
        SELECT key, value::text, revision, NULL::bigint AS nth, matched, stopped OR answered >= {answer_cap} AS stopped FROM (
            SELECT i.key, i.value, i.size_bytes, i.revision, i.matched, {stopped} AS stopped, i.answered FROM (
                SELECT i.*, row_number() OVER seen AS nth, sum(i.size_bytes) OVER seen - i.size_bytes AS bytes_before,
                       coalesce(sum(i.size_bytes) FILTER (WHERE i.matched) OVER seen, 0) AS answered
                FROM (
                    SELECT {key}, i.value, i.size_bytes, i.revision, {matches} AS matched FROM {fetched}
                    ORDER BY {key} {span.order} LIMIT {most:d}
                ) i
                WINDOW seen AS (ORDER BY i.key {span.order} ROWS UNBOUNDED PRECEDING)
            ) i
            WHERE i.bytes_before < {cap} AND (i.matched OR {stopped})
            ORDER BY i.key {span.order} LIMIT {params.add(limit + 1)}
        ) answered
        WHERE answered - CASE WHEN matched THEN size_bytes ELSE 0 END < {answer_cap}
        ORDER BY key {span.order}
    """
    return Statement(
        f"""{head}, {hits}
        SELECT access.base_id, access.allowed, answer.*, counted.hits
        FROM access CROSS JOIN counted LEFT JOIN ({answer}) answer ON access.allowed
    """,
        params,
        LookedUpItem,
    )


def count_ranges(span: Span, predicate: Predicate, plan: RangePlan) -> Statement[RangeCount]:
    """Row: base_id, allowed, matches; NULL where an index no longer answers, or finds more than is looked at for a count."""
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    most, cap = limits.OVERVIEW_MAX_ROWS, f"{params.add(limits.OVERVIEW_MAX_BYTES)}::bigint"
    hits = hits_of(span, predicate, plan, params, max_hits=most)
    return Statement(
        f"""{head}, {hits}, found AS MATERIALIZED (
            SELECT i.value, i.key, i.expires_at, i.size_bytes
            FROM hits h CROSS JOIN LATERAL ({item_of("h.key", params.add(span.base_id))}) i
            WHERE (SELECT hits <= {most:d} FROM counted)
        )
        SELECT access.base_id, access.allowed, CASE
            WHEN (SELECT hits <= {most:d} FROM counted) AND (SELECT coalesce(sum(size_bytes), 0) <= {cap} FROM found)
            THEN (SELECT count(*) FROM found i WHERE {LIVE} AND ({any_of(predicate, params)})) END
        FROM access
    """,
        params,
        RangeCount,
    )


def hits_of(span: Span, predicate: Predicate, plan: RangePlan, params: Params, *, max_hits: int) -> str:
    """The CTEs `hits(key)`, the keys that indexes find within the bounds by key; and `counted(hits)`, which is NULL when an
    index no longer answers, and more than `max_hits` where a group has more than its part of them: then `hits` is not complete.
    """
    ctes, keys, counts = [], [], []
    max_hits //= len(plan.groups)
    bounds = key_bounds(span, predicate, params)
    for number, (group, ranges) in enumerate(zip(predicate.any_of, plan.groups, strict=True)):
        sources = [entries_in(each, params) for each in ranges]
        sources = sources or [f"SELECT i.key FROM storage_item i WHERE {group_hits(group, span.base_id, params)}"]
        found = [f"found_{number}_{place}" for place in range(len(sources))]
        for name, source in zip(found, sources, strict=True):
            ctes.append(f"{name} AS MATERIALIZED (SELECT key FROM ({source} LIMIT {max_hits + 1:d}) f)")
            ctes.append(f"{name}_count AS MATERIALIZED (SELECT count(*) AS found FROM {name})")
        counts.append(f"least({', '.join(f'(SELECT found FROM {name}_count)' for name in found)})")
        # Of several indexes the first that has found all is enough.
        for place, name in enumerate(found):
            ruled = [f"(SELECT found FROM {each}_count) > {max_hits:d}" for each in found[:place]]
            keys.append(f"SELECT key FROM {name} i WHERE {' AND '.join([*ruled, *bounds]) or 'true'}")
    union = " UNION ".join(keys) if len(keys) > 1 else keys[0]
    ready = still_ready(plan.index_ids, span.base_id, params)
    too_many = f"greatest({', '.join(counts)}) > {max_hits:d}"
    total = f"CASE WHEN {too_many} THEN {(max_hits + 1) * len(counts):d} ELSE {' + '.join(counts)} END"
    return f"""{", ".join(ctes)}, hits AS MATERIALIZED ({union}),
        counted AS MATERIALIZED (SELECT CASE WHEN {ready} THEN {total} END AS hits)"""


def still_ready(index_ids: list[int], base_id: int, params: Params) -> str:
    """Whether these indexes of the Base answer, in the moment that the statement sees."""
    return f"""(SELECT count(*) FROM storage_attributeindex x WHERE x.id = ANY ({params.add(index_ids)}::int[])
            AND x.base_id = {params.add(base_id)} AND x.state = 'ready') = {len(index_ids):d}"""


def item_of(key: str, base_id: str) -> str:
    """A query for one item, which is fetched when its row is wanted: Postgres, which plans without the values, would
    otherwise read the whole Base to join some of it."""
    return f"SELECT * FROM storage_item i WHERE i.base_id = {base_id} AND i.key = {key} LIMIT 1"


def entries_in(found: IndexedRange, params: Params) -> str:
    """A query for the keys of all entries within the conditions, and perhaps of some that are just outside."""
    return f"SELECT e.key FROM storage_attributeentry e WHERE {entry_bounds(found, params)}"


def entry_bounds(found: IndexedRange, params: Params) -> str:
    """The conditions on the entry `e` that all those within the range meet."""
    bounds = [f"e.index_id = {params.add(found.index_id)}::int"]
    for condition in found.conditions:
        bounds += _bounds(condition, params)
    return " AND ".join(bounds)


def _bounds(condition: Condition, params: Params) -> list[str]:
    operand = condition.operand
    match condition.operator:
        case "r":
            return [*_compared(">=", operand[0], params), *_compared("<=", operand[1], params)]
        case "pfx":
            start = operand[: limits.ATTRIBUTE_INDEX_TEXT_CHARACTERS]
            end = names.end_of_prefix(start)
            below = [] if end is None else [f"e.text < {params.add(end)}"]
            return [*_compared(">=", start, params), *below]
        case operator:
            return _compared(_SIGNS[operator], operand, params)


def _compared(sign: str, operand: object, params: Params) -> list[str]:
    if not isinstance(operand, str):
        return [f"e.kind = {_NUMBER}", f"e.number {sign} {params.add(dump(operand).decode())}::text::numeric"]
    # Whatever is cut is as long as this, so a shorter text compares with the beginning as it does with the whole.
    if len(operand) >= limits.ATTRIBUTE_INDEX_TEXT_CHARACTERS:
        operand, sign = operand[: limits.ATTRIBUTE_INDEX_TEXT_CHARACTERS], f"{sign[0]}="
    return [f"e.kind = {_STRING}", "e.number = 0", f"e.text {sign} {params.add(operand)}"]
