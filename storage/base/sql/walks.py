"""Statements that go through a Base in the order of an attribute that has an index, from any place on.

The order of an index is that of sorted pages (`overviews.py`) but for what it does not hold: long strings beyond their beginning,
lists, objects, and the attributes that come next. Where these matter, whole groups of equal entries are sorted at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from storage import limits
from storage.base.query import Predicate
from storage.base.ranges import IndexedRange
from storage.base.sql.items import LIVE
from storage.base.sql.orders import SortStep, ordered, sort_columns, sort_names
from storage.base.sql.queries import Span, any_of, key_bounds
from storage.base.sql.ranges import entry_bounds, item_of, still_ready
from storage.postgres.sql.access import access
from storage.postgres.statements import Params, Statement

# Items without the attribute, which come last whichever way one goes.
MISSING = 9
_ENTRY = ("kind", "number", "text", "key")


@dataclass(frozen=True, slots=True)
class Position:
    """The entry after which to go on, and how many of the sorted items behind it were seen already."""

    kind: int
    number: str
    text: str
    key: str
    skip: int = 0


@dataclass(frozen=True, slots=True)
class Walk:
    """Which entries, which way, and from where: with `missing` only those of items without the attribute, or only the others."""

    found: IndexedRange
    descending: bool
    start: Position
    missing: bool | None = None


class WalkedItem(NamedTuple):
    base_id: int
    allowed: bool
    ready: bool
    key: str | None
    value: str
    revision: int
    kind: int
    number: str
    text: str
    looked_at: int
    matched: bool
    stopped: bool


class GroupedItem(NamedTuple):
    base_id: int
    allowed: bool
    ready: bool
    key: str | None
    value: str
    revision: int
    matches: int
    is_cut: bool
    is_more: bool
    end_kind: int | None
    end_number: str | None
    end_text: str | None
    end_key: str | None


def walk_items(span: Span, predicate: Predicate, walk: Walk, *, limit: int) -> Statement[WalkedItem]:
    """The first `limit` + 1 matches in the index's own order, out of the entries that one page may look at.

    Rows: base_id, allowed, whether the index answers, key, value as text, revision, the entry, how many were looked at up to
    this one, whether it matches, whether the walk stopped here. One row with a NULL key when there is nothing.
    """
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    most = limits.OVERVIEW_MAX_ROWS
    entries = _entries(walk, params, most)
    base_id, by = params.add(span.base_id), _by(walk, "")
    looked_cap, answer_cap = (
        f"{params.add(cap)}::bigint" for cap in (limits.OVERVIEW_MAX_BYTES, limits.ANSWER_MAX_BYTES)
    )
    meets = " AND ".join([LIVE, f"({any_of(predicate, params)})", *key_bounds(span, predicate, params)])
    ready = still_ready([walk.found.index_id], span.base_id, params)
    return Statement(
        f"""{head}
        SELECT access.base_id, access.allowed, {ready}, found.* FROM access LEFT JOIN (
            SELECT key, value::text, revision, kind, number::text AS digits, text, nth, matched,
                   stopped OR answered >= {answer_cap}
            FROM (
                SELECT *, coalesce(sum(size_bytes) FILTER (WHERE matched) OVER answer, 0) AS answered FROM (
                    SELECT i.kind, i.number, i.text, i.key, i.value, i.revision, i.size_bytes, i.nth,
                           ({meets}) IS TRUE AS matched,
                           i.nth = {most:d} OR i.before + i.size_bytes >= {looked_cap} AS stopped
                    FROM (
                        SELECT e.*, i.value, i.revision, i.size_bytes, i.expires_at, row_number() OVER seen AS nth,
                               sum(i.size_bytes) OVER seen - i.size_bytes AS before
                        FROM ({entries}) e CROSS JOIN LATERAL ({item_of("e.key", base_id)}) i
                        WINDOW seen AS (ORDER BY {_by(walk, "e.")} ROWS UNBOUNDED PRECEDING)
                    ) i WHERE i.before < {looked_cap}
                ) seen WHERE matched OR stopped
                WINDOW answer AS (ORDER BY {by} ROWS UNBOUNDED PRECEDING)
                ORDER BY {by} LIMIT {params.add(limit + 1)}
            ) answered WHERE answered - CASE WHEN matched THEN size_bytes ELSE 0 END < {answer_cap}
            ORDER BY {by}
        ) found ON access.allowed
    """,
        params,
        WalkedItem,
    )


def sort_groups(
    span: Span, predicate: Predicate, walk: Walk, *, order: Sequence[SortStep], window: int, limit: int
) -> Statement[GroupedItem]:
    """A page of the matches among the next whole groups of equal entries, at most `window` of them, sorted by every step.

    Where one group has more than that, its first `window` entries are sorted among themselves (`is_cut`). Rows: base_id, allowed,
    whether the index answers, key, value as text, revision, number of matches sorted, `is_cut`, whether more entries follow those
    that were sorted, and the last of these. One row with a NULL key when the page is empty.
    """
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    entries = _entries(walk, params, window + 1)
    names, base_id = sort_names(order), params.add(span.base_id)
    meets = " AND ".join([LIVE, f"({any_of(predicate, params)})", *key_bounds(span, predicate, params)])
    ready = still_ready([walk.found.index_id], span.base_id, params)
    skip = params.add(walk.start.skip)
    cap, columns = f"{params.add(limits.ANSWER_MAX_BYTES)}::bigint", sort_columns(order, params)
    return Statement(
        f"""{head}, entries AS MATERIALIZED (
            SELECT e.*, row_number() OVER (ORDER BY {_by(walk, "e.")}) AS nth FROM ({entries}) e
        ),
        counted AS MATERIALIZED (SELECT count(*) AS entries FROM entries),
        whole AS MATERIALIZED (
            SELECT CASE WHEN c.entries <= {window:d} THEN c.entries ELSE (
                SELECT max(e.nth) FROM entries e JOIN entries l ON l.nth = {window + 1:d}
                AND (e.kind, e.number, e.text) IS DISTINCT FROM (l.kind, l.number, l.text)) END AS nth FROM counted c
        ),
        ending AS MATERIALIZED (SELECT coalesce(w.nth, {window:d}) AS nth, w.nth IS NULL AS is_cut FROM whole w),
        sorted AS MATERIALIZED (
            SELECT i.key, {columns} FROM entries e CROSS JOIN LATERAL ({item_of("e.key", base_id)}) i
            WHERE e.nth <= (SELECT nth FROM ending) AND {meets}
        ),
        page AS (SELECT key, {names} FROM sorted ORDER BY {ordered("sorted", order)} OFFSET {skip} LIMIT {params.add(limit)}),
        weighed AS (
            SELECT page.*, i.value, i.revision,
                   sum(i.size_bytes) OVER (ORDER BY {ordered("page", order)} ROWS UNBOUNDED PRECEDING) - i.size_bytes AS before
            FROM page CROSS JOIN LATERAL ({item_of("page.key", base_id)}) i
        )
        SELECT access.base_id, access.allowed, {ready}, found.key, found.value::text, found.revision,
               (SELECT count(*) FROM sorted), n.is_cut, c.entries > n.nth, l.kind, l.number::text, l.text, l.key
        FROM access CROSS JOIN counted c CROSS JOIN ending n LEFT JOIN entries l ON l.nth = n.nth
        LEFT JOIN (SELECT * FROM weighed WHERE before < {cap}) found ON access.allowed
        ORDER BY {ordered("found", order)}
    """,
        params,
        GroupedItem,
    )


def _by(walk: Walk, table: str) -> str:
    return ", ".join(f"{table}{column} {'DESC' if walk.descending else 'ASC'}" for column in _ENTRY)


def _entries(walk: Walk, params: Params, most: int) -> str:
    bounds = [entry_bounds(walk.found, params)]
    if walk.missing is not None:
        bounds.append(f"e.kind {'=' if walk.missing else '<'} {MISSING}")
    start = walk.start
    # No key is empty: from behind, the place before the first item without the attribute is no bound.
    if not (walk.missing and walk.descending and not start.key):
        bounds.append(
            f"(e.kind, e.number, e.text, e.key) {'<' if walk.descending else '>'}"
            f" ({params.add(start.kind)}::smallint, {params.add(start.number)}::text::numeric, {params.add(start.text)}::text,"
            f" {params.add(start.key)}::text)"
        )
    return f"""SELECT e.kind, e.number, e.text, e.key FROM storage_attributeentry e WHERE {" AND ".join(bounds)}
        ORDER BY {_by(walk, "e.")} LIMIT {most:d}"""
