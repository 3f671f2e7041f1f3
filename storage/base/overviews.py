"""What the table of items needs beyond the public API and sorted pages: counts, and why nothing matches.

Everything here reads a bounded part of the Base (`OVERVIEW_MAX_ROWS`, `OVERVIEW_MAX_BYTES`) and says so when there is
more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from storage import limits
from storage.attribute_indexes import ready
from storage.base.items import find_base_id
from storage.base.query import Condition, Predicate
from storage.base.ranges import has_range, plan_ranges, wanted_paths
from storage.base.sql import overviews as overviews_sql
from storage.base.sql import queries as queries_sql
from storage.base.sql import ranges as ranges_sql
from storage.models import BaseFigures
from storage.postgres.caller import Access
from storage.postgres.database import run, run_one

_CLAUSES_EXPLAINED = 8


@dataclass(frozen=True, slots=True)
class BaseCount:
    """How many items there are (`is_exact` up to 10,000) and match; `looked_at` of them, all if `is_whole`.

    `last_counted` is how many a Base that is not counted exactly had when the figures of all Bases were made, seconds or minutes
    ago; None for others, and where the figures are older than what is known here.
    """

    total: int
    is_exact: bool
    matched: int
    looked_at: int
    is_whole: bool
    last_counted: int | None = None


@dataclass(frozen=True, slots=True)
class Way:
    """What answers a query: the equality index, those of attributes; or none, and of which attributes it would want one."""

    by_equality: bool = False
    attributes: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseCount:
    """One condition on its own: how many items have its attribute in each JSON type ("missing" too), and how many match."""

    condition: Condition
    types: dict[str, int]
    met: int


def count_items(*, access: Access, base: str, predicate: Predicate) -> BaseCount:
    """How many items the Base has, and how many of them match. Raises BaseNotFound."""
    span = _span(access, base)
    most = limits.COUNT_EXACT_MAX
    total = run_one(overviews_sql.count_all(span, most=most + 1)).items
    last_counted = _last_counted(span.base_id, most) if total > most else None
    if predicate == Predicate():
        counted = min(total, most)
        return BaseCount(counted, total <= most, counted, counted, total <= most, last_counted)
    by_index = queries_sql.answered_by_index(predicate)
    if not by_index and (matched := _count_by_ranges(span, predicate)) is not None:
        return BaseCount(min(total, most), total <= most, matched, total, True, last_counted)
    found = run_one(overviews_sql.count_matches(span, predicate, by_index=by_index))
    # What an index leaves out has been looked at as well.
    looked_at = total if by_index else found.looked_at
    return BaseCount(min(total, most), total <= most, found.matched, looked_at, not found.stopped, last_counted)


def _count_by_ranges(span: queries_sql.Span, predicate: Predicate) -> int | None:
    """None where indexes of attributes do not tell, or too many match."""
    plan = plan_ranges(predicate, ready.find_ready(span.base_id)) if has_range(predicate) else None
    return run_one(ranges_sql.count_ranges(span, predicate, plan)).matched if plan is not None else None


def find_way(*, access: Access, base: str, predicate: Predicate) -> Way:
    """Which indexes answer a query by now. Raises BaseNotFound."""
    if queries_sql.answered_by_index(predicate) and not has_range(predicate):
        return Way(by_equality=True)
    paths = ready.find_ready(find_base_id(access, base))
    plan = plan_ranges(predicate, paths)
    if plan is None:
        by_equality = queries_sql.answered_by_index(predicate)
        wanted = () if by_equality else tuple(".".join(path) for path in wanted_paths(predicate))
        return Way(by_equality=by_equality, wanted=wanted)
    return Way(
        by_equality=not all(plan.groups),
        attributes=tuple(sorted(".".join(path) for path, index_id in paths.items() if index_id in plan.index_ids)),
    )


def _last_counted(base_id: int, at_least: int) -> int | None:
    items = BaseFigures.objects.filter(base_id=base_id).values_list("items", flat=True).first()
    return items if items and items > at_least else None


def find_matching(*, access: Access, base: str, predicate: Predicate, keys: Sequence[str]) -> set[str]:
    """Those of these keys whose items match; missing and expired ones do not. Raises BaseNotFound.

    The access is the caller's to check.
    """
    return {row.key for row in run(overviews_sql.find_matching(_span(access, base), predicate, list(keys)))}


def explain_query(*, access: Access, base: str, predicate: Predicate) -> list[ClauseCount]:
    """How many items each of the first conditions of a query matches on its own. Raises BaseNotFound."""
    span = _span(access, base)
    conditions = [condition for group in predicate.any_of for condition in group]
    if predicate.key is not None:
        conditions.insert(0, predicate.key)
    return [_explained(span, condition) for condition in conditions[:_CLAUSES_EXPLAINED]]


def _explained(span: queries_sql.Span, condition: Condition) -> ClauseCount:
    rows = run(overviews_sql.explain_condition(span, condition))
    counts = {row.type or "missing": row.items for row in rows if row.items is not None}
    return ClauseCount(condition, counts, sum(row.matched for row in rows if row.items is not None))


def _span(access: Access, base: str) -> queries_sql.Span:
    return queries_sql.Span(access, base, find_base_id(access, base), None, False)
