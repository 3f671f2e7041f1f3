"""Which statement finds the matches of a query: by the equality index, by indexes of attributes, or in key order.

Sorting all hits of a condition that much of the Base meets takes longer than to find the first of them in key order. So an
index is first asked for few hits, then the Base is read in key order for a while, and then the index is asked for more.
"""

from collections.abc import Sequence

from storage import limits
from storage.attribute_indexes import asked, ready
from storage.base.query import Predicate
from storage.base.ranges import RangePlan, has_range, plan_ranges, wanted_paths
from storage.base.sql import queries as queries_sql
from storage.base.sql import ranges as ranges_sql
from storage.postgres.database import run
from storage.postgres.gathering import run_with_others
from storage.postgres.statements import R, Statement

Rows = Sequence[queries_sql.ScannedItem | queries_sql.LookedUpItem]

_SHORT_SCAN = {"max_bytes": limits.SCAN_MAX_BYTES, "max_rows": limits.SCAN_MAX_ROWS}
_LONG_SCAN = {"max_bytes": limits.DENSE_SCAN_MAX_BYTES, "max_rows": limits.DENSE_SCAN_MAX_ROWS}

# The ways to find a range, each tried when the one before has found too many hits, or too few: a number is how many hits of
# the indexes are sorted at most.
_WAYS: tuple[int | dict[str, int], ...] = (
    limits.RANGE_FEW_HITS,
    _SHORT_SCAN,
    limits.INDEX_FEW_HITS,
    _LONG_SCAN,
    limits.INDEX_MAX_HITS,
)
# Which of them answered last, by indexes and operators: the next such query is probably alike, and begins there.
_begin_at: dict[tuple[int | str, ...], int] = {}
_KINDS_KEPT = 10_000


def find_rows(span: queries_sql.Span, predicate: Predicate, limit: int) -> Rows:
    """The rows of `queries_sql.scan_items`. Raises EngineUnreachable."""
    by_equality = queries_sql.answered_by_index(predicate)
    if has_range(predicate):
        plan = plan_ranges(predicate, ready.find_ready(span.base_id), equality_too=not by_equality)
        if plan is not None:
            rows = _find_by_ranges(span, predicate, plan, limit, is_last_chance=not by_equality)
            if rows is not None:
                return rows
    if by_equality:
        return _find_by_equality(span, predicate, limit)
    scanned = _run_short(queries_sql.scan_items(span, predicate, limit=limit, **_SHORT_SCAN))
    if span.last is None and _was_in_vain(scanned, limit):
        asked.note_asks(span.base_id, wanted_paths(predicate))
    return scanned


def _find_by_equality(span: queries_sql.Span, predicate: Predicate, limit: int) -> Rows:
    rows = _run_short(queries_sql.look_up_items(span, predicate, limit=limit, max_hits=limits.INDEX_FEW_HITS))
    if not rows or rows[0].hits <= limits.INDEX_FEW_HITS:
        return rows
    scanned = run(queries_sql.scan_items(span, predicate, limit=limit, **_LONG_SCAN))
    if not _was_in_vain(scanned, limit):
        return scanned
    rows = run(queries_sql.look_up_items(span, predicate, limit=limit, max_hits=limits.INDEX_MAX_HITS))
    return rows if not rows or rows[0].hits <= limits.INDEX_MAX_HITS else scanned


def _find_by_ranges(
    span: queries_sql.Span, predicate: Predicate, plan: RangePlan, limit: int, *, is_last_chance: bool
) -> Rows | None:
    """None when an index of the plan is gone by now, or when there are many hits and another way may find fewer."""
    kind: tuple[int | str, ...] = (*plan.index_ids, *(each.operator for group in predicate.any_of for each in group))
    began_at = _begin_at.get(kind, 0)
    ways = [*range(began_at, len(_WAYS))] if isinstance(_WAYS[began_at], int) else [began_at, *range(len(_WAYS))]
    scanned: list[queries_sql.ScannedItem] = []
    for number in ways:
        way = _WAYS[number]
        if isinstance(way, int):
            ask = _run_short if way <= limits.INDEX_FEW_HITS else run
            rows = ask(ranges_sql.look_up_ranges(span, predicate, plan, limit=limit, max_hits=way))
            if rows and rows[0].hits is None:
                ready.forget(span.base_id)
                return None
            asked.note_uses(plan.index_ids)
            if not rows or rows[0].hits <= way:
                _begin_next_at(kind, 0 if not rows or rows[0].hits <= limits.RANGE_FEW_HITS else number)
                return rows
            if not is_last_chance:
                return None
        else:
            ask = _run_short if way is _SHORT_SCAN else run
            scanned = ask(queries_sql.scan_items(span, predicate, limit=limit, **way))
            # Half a page shows that much of the Base matches.
            if not _was_in_vain(scanned, limit // 2):
                _begin_next_at(kind, number)
                break
    asked.note_uses(plan.index_ids)
    return scanned


def _run_short(statement: Statement[R]) -> list[R]:
    """For what takes some milliseconds at most: an event loop may ask it."""
    return run_with_others(statement, is_query=True)


def _begin_next_at(kind: tuple[int | str, ...], number: int) -> None:
    if len(_begin_at) >= _KINDS_KEPT:
        _begin_at.clear()
    # Reading much of the Base in vain is never where to begin.
    _begin_at[kind] = number - 1 if _WAYS[number] is _LONG_SCAN else number


def _was_in_vain(scanned: Rows, limit: int) -> bool:
    """Whether a scan had to stop before it had found more than `limit` matches, a full answer, or reached the end."""
    if not scanned or not scanned[-1].stopped:
        return False
    found = [row for row in scanned if row.matched]
    return len(found) <= limit and sum(len(row.value) for row in found) < limits.ANSWER_MAX_BYTES
