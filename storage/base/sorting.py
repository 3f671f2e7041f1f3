"""Pages of a Base in the order of attributes, for the table of items.

An attribute that comes first and has an index sorts a Base of any size: a page begins where the one before has ended. Without
one, the first matches are sorted for every page, and a sort that had to leave some out notes that the attribute was asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from storage import limits
from storage.attribute_indexes import asked, ready
from storage.base.items import find_base_id, with_key
from storage.base.query import Predicate
from storage.base.ranges import IndexedRange, is_range
from storage.base.sql import overviews as overviews_sql
from storage.base.sql import queries as queries_sql
from storage.base.sql import walks as walks_sql
from storage.base.sql.orders import SortStep, is_backwards
from storage.base.sql.walks import MISSING, GroupedItem, Position, Walk, WalkedItem
from storage.errors import InvalidInput
from storage.postgres.caller import Access
from storage.postgres.database import run

# Entries that are sorted at once where an index alone does not tell their order: first few, then as many as without one.
_WINDOWS = (1_000, limits.SORT_MAX_ITEMS)
# Places before the first of all entries from before and from behind, and of those of items without the attribute.
_FIRST, _LAST, _MISSING = Position(-1, "0", "", ""), Position(MISSING + 1, "0", "", ""), Position(MISSING, "0", "", "")
_KINDS_IN_FULL = (0, 2, 3, MISSING)


@dataclass(frozen=True, slots=True)
class SortedPage:
    """A page of whole items as JSON texts. The next page begins at `next_offset`, or, by an index, at `next_position`; both are
    None at the end.

    `sorted_items` is how many matches were sorted, None where an index tells the order of all. With `is_cut` there may be more,
    that nobody looked at; or, by an index, more that are equal in their first attribute than can be sorted at once.
    `looked_at` is how many items an index went through for this page.
    """

    items: list[str]
    revisions: list[int]
    next_offset: int | None
    sorted_items: int | None
    is_cut: bool
    next_position: Position | None = None
    looked_at: int | None = None


def sort_items(
    *,
    access: Access,
    base: str,
    predicate: Predicate,
    order: Sequence[SortStep],
    offset: int = 0,
    position: Position | None = None,
    limit: int = 100,
) -> SortedPage:
    """A page of the matches in the order of one to four top-level attributes, those without one last, equal ones by key:
    backwards where a single attribute is sorted backwards.

    The order is null, strings by bytes, numbers, booleans, lists, objects. Without an index of the first attribute at most the
    first 10,000 matches are sorted. With one a page may be short or empty when few items match, and still have a next one.

    Raises BaseNotFound, and InvalidInput for more attributes than that, or one twice, or a `position` whose index is gone.
    """
    if not 1 <= len(order) <= limits.SORT_MAX_ATTRIBUTES or len({step.attribute for step in order}) < len(order):
        raise InvalidInput(f"A table is sorted by 1 to {limits.SORT_MAX_ATTRIBUTES} attributes, each once")
    span = queries_sql.Span(access, base, find_base_id(access, base), None, False)
    path = (order[0].attribute,)
    index_id = None if offset else ready.find_ready(span.base_id).get(path)
    if index_id is not None:
        page = _by_index(span, predicate, order, IndexedRange(index_id, ()), position, limit)
        if page is not None:
            asked.note_uses([index_id])
            return page
    if position is not None:
        raise InvalidInput("The index that this order goes by is gone: begin again")
    page = _sorted(span, predicate, order, offset, limit)
    if page.is_cut and not offset and index_id is None:
        asked.note_asks(span.base_id, [path])
    return page


def _sorted(
    span: queries_sql.Span, predicate: Predicate, order: Sequence[SortStep], offset: int, limit: int
) -> SortedPage:
    by_index = queries_sql.answered_by_index(predicate)
    rows = run(overviews_sql.sort_items(span, predicate, order=order, by_index=by_index, offset=offset, limit=limit))
    found = [(row.key, row.value, row.revision) for row in rows if row.key is not None]
    sorted_items, is_cut = (rows[0].matches, rows[0].may_be_more) if rows else (0, False)
    reached = offset + len(found)
    return SortedPage(
        [with_key(key, value) for key, value, _ in found],
        [revision for _, _, revision in found],
        reached if found and reached < sorted_items else None,
        sorted_items,
        is_cut,
    )


def _by_index(
    span: queries_sql.Span,
    predicate: Predicate,
    order: Sequence[SortStep],
    found: IndexedRange,
    position: Position | None,
    limit: int,
) -> SortedPage | None:
    """None when the index is gone by now."""
    if position is None and queries_sql.answered_by_index(predicate):
        # Few matches are found and sorted sooner than all items are gone through.
        page = _sorted(span, predicate, order, 0, limit)
        if not page.is_cut:
            return page
    if len(predicate.any_of) == 1:
        path = (order[0].attribute,)
        conditions = tuple(each for each in predicate.any_of[0] if each.path == path and is_range(each))
        found = replace(found, conditions=conditions)
    page = SortedPage([], [], None, None, False)
    walks = _walks(found, order, position)
    for walk in walks:
        part = _walk(span, predicate, walk, order, limit - len(page.items))
        if part is None:
            ready.forget(span.base_id)
            return None
        page = _joined(page, part)
        if page.next_position is not None:
            break
        if len(page.items) >= limit and walk is not walks[-1]:
            return replace(page, next_position=_MISSING)
    return page


def _walks(found: IndexedRange, order: Sequence[SortStep], position: Position | None) -> list[Walk]:
    """One way through the entries; backwards those of items without the attribute come last all the same."""
    if not order[0].descending:
        return [Walk(found, False, position or _FIRST)]
    if position is not None and position.kind == MISSING:
        return [Walk(found, is_backwards(order), position, missing=True)]
    last = Walk(found, is_backwards(order), _MISSING, missing=True)
    return [Walk(found, True, position or _LAST, missing=False), last]


def _joined(page: SortedPage, part: SortedPage) -> SortedPage:
    return replace(
        part,
        items=page.items + part.items,
        revisions=page.revisions + part.revisions,
        is_cut=page.is_cut or part.is_cut,
        looked_at=(page.looked_at or 0) + (part.looked_at or 0),
    )


def _walk(
    span: queries_sql.Span, predicate: Predicate, walk: Walk, order: Sequence[SortStep], limit: int
) -> SortedPage | None:
    """None when the index is gone by now."""
    if len(order) > 1 or walk.start.skip:
        return _grouped(span, predicate, walk, order, limit)
    rows = run(walks_sql.walk_items(span, predicate, walk, limit=limit))
    if rows and not rows[0].ready:
        return None
    rows = [row for row in rows if row.key is not None]
    if not all(map(_is_in_full, rows)):
        return _grouped(span, predicate, walk, order, limit)
    matched = [row for row in rows if row.matched]
    shown = matched[:limit]
    goes_on = len(matched) > limit or bool(rows and rows[-1].stopped)
    reached = shown[-1] if len(matched) > limit else rows[-1] if rows else None
    return SortedPage(
        [with_key(row.key or "", row.value) for row in shown],
        [row.revision for row in shown],
        None,
        None,
        False,
        Position(reached.kind, reached.number, reached.text, reached.key or "") if goes_on and reached else None,
        rows[-1].looked_at if rows else 0,
    )


def _is_in_full(row: WalkedItem) -> bool:
    """Whether its entry tells all about its place."""
    if row.kind == 1:
        return len(row.text) < limits.ATTRIBUTE_INDEX_TEXT_CHARACTERS
    return row.kind in _KINDS_IN_FULL


def _grouped(
    span: queries_sql.Span, predicate: Predicate, walk: Walk, order: Sequence[SortStep], limit: int
) -> SortedPage | None:
    rows: list[GroupedItem] = []
    for window in _WINDOWS:
        rows = run(walks_sql.sort_groups(span, predicate, walk, order=order, window=window, limit=limit))
        if not rows or not rows[0].is_cut:
            break
    if not rows:
        return SortedPage([], [], None, None, False, None, 0)
    if not rows[0].ready:
        return None
    first = rows[0]
    found = [row for row in rows if row.key is not None]
    skip = walk.start.skip + len(found)
    following = None
    if skip < first.matches and found:
        following = replace(walk.start, skip=skip)
    elif first.is_more:
        following = Position(first.end_kind or 0, first.end_number or "0", first.end_text or "", first.end_key or "")
    return SortedPage(
        [with_key(row.key or "", row.value) for row in found],
        [row.revision for row in found],
        None,
        None,
        first.is_cut,
        following,
        first.matches,
    )
