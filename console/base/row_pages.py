"""One page of the table's rows, as the query string asks for it: which items, in which order, after which one."""

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest

from console.base.cells import Column, Line, Rows, make_rows
from storage import limits, names
from storage.base import bases, items, sorting
from storage.base.query import Predicate
from storage.base.sorting import Position, SortStep
from storage.errors import BaseNotFound, InvalidInput
from storage.exact_json import check_value, dump, is_number, parse
from storage.history.moments import query_items_as_of
from storage.models import Base
from storage.numbers import read_number
from storage.postgres.caller import Access

PAGE_ITEMS = 100


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows. `last` is where the next page starts, None at the end: a key, or a place in the order if an attribute sorts
    the rows.

    `looked_at` is how many items were looked at, where that is known; `note` says what the order does not cover;
    `sorted_by` is the attribute whose index told the order.
    """

    rows: Rows
    last: str | None
    looked_at: int | None
    duration_ms: int
    note: str = ""
    sorted_by: str = ""

    @property
    def columns(self) -> list[Column]:
        return self.rows.columns

    @property
    def fetched(self) -> int:
        return len(self.rows.html)


def find_base(collection_id: str, name: str) -> Base:
    """Raises Http404."""
    try:
        return bases.find_base(collection_id=collection_id, name=names.check_name(name))
    except (BaseNotFound, InvalidInput) as error:
        raise Http404(error.messages[0]) from None


def access_of(request: HttpRequest, collection_id: str) -> Access:
    """The access of a person who passed the gate."""
    return Access(collection_id, person_id=request.user.pk)


def limit_from(request: HttpRequest) -> int:
    """The requested number of rows, `limit`."""
    wanted = read_number(request.GET.get("limit", ""))
    return PAGE_ITEMS if wanted is None else min(max(wanted, 1), limits.QUERY_LIMIT_MAX)


def read_page(
    *,
    access: Access,
    base: str,
    predicate: Predicate,
    sort: str = "",
    last: str = "",
    limit: int = PAGE_ITEMS,
    columns: Sequence[str] = (),
    moment: datetime | None = None,
) -> Page:
    """One page, of the items as they were at a `moment` if there is one; these are in the order of their keys. `sort` is an
    attribute, with `-` before it for the other way round; several of these are a JSON list of texts. Without one it is by key.

    Raises BadRequest when `sort` or `last` holds a NUL character, or `sort` has too many attributes, or one twice;
    InvalidInput for a moment to come, and HistoryNotKept for one of which not enough is kept.
    """
    began = time.monotonic()
    if "\x00" in sort + last:
        raise BadRequest("An address holds the character \\u0000")
    order = _read_order(sort)
    if moment is not None or not order or order[0].attribute == "key":
        descending = bool(order) and order[0].attribute == "key" and order[0].descending
        found = find_items(
            access=access,
            base=base,
            predicate=predicate,
            limit=limit,
            last=last or None,
            descending=descending,
            moment=moment,
        )
        lines, following, looked_at, note = _lines(found.items, found.revisions), found.last, found.looked_at, ""
        sorted_by = ""
    else:
        position = _read_position(last)
        offset = 0 if position else min(read_number(last) or 0, limits.SORT_MAX_ITEMS)
        try:
            ordered = sorting.sort_items(
                access=access,
                base=base,
                predicate=predicate,
                order=order,
                offset=offset,
                position=position,
                limit=limit,
            )
        except InvalidInput as error:
            raise BadRequest(error.messages[0]) from None
        lines = _lines(ordered.items, ordered.revisions)
        looked_at = None if predicate == Predicate() else ordered.looked_at
        following = _write_place(ordered)
        note, sorted_by = _describe_cut(ordered), order[0].attribute if ordered.sorted_items is None else ""
    made = make_rows(lines, columns=columns)
    return Page(made, following, looked_at, round((time.monotonic() - began) * 1000), note, sorted_by)


def find_items(
    *,
    access: Access,
    base: str,
    predicate: Predicate,
    limit: int,
    last: str | None,
    descending: bool = False,
    moment: datetime | None = None,
) -> items.Page:
    """A page of items as they are, or as they were at a moment. Raises as `query_items_as_of`."""
    if moment is None:
        return items.query_items(
            access=access, base=base, predicate=predicate, limit=limit, last=last, descending=descending
        )
    return query_items_as_of(
        access=access, base=base, predicate=predicate, moment=moment, limit=limit, last=last, descending=descending
    )


def moment_from(request: HttpRequest) -> datetime | None:
    """The moment that `as_of` asks for, in UTC where it names no zone; None for now. Raises InvalidInput for what is none."""
    text = request.GET.get("as_of", "")
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInput("That is no moment: write it like 2026-11-29T14:05:00") from None


def _read_position(last: str) -> Position | None:
    """Where an index goes on, as `_write_place` wrote it."""
    if not last.startswith("["):
        return None
    try:
        place = parse(last.encode(errors="replace"))
        check_value(place)
        match place:
            case [int(kind), str(number), str(text), str(key), int(skip)] if 0 <= skip <= limits.SORT_MAX_ITEMS:
                parsed = parse(number.encode())
                check_value(parsed)
                if is_number(parsed) and kind in range(-1, 11):
                    return Position(kind, number, text, key, skip)
    except InvalidInput:
        pass
    return None


def _write_place(page: sorting.SortedPage) -> str | None:
    """Where the next page begins: an offset, or an index's position as a JSON list."""
    if page.next_position is not None:
        return dump(list(astuple(page.next_position))).decode()
    return None if page.next_offset is None else str(page.next_offset)


def _describe_cut(page: sorting.SortedPage) -> str:
    if not page.is_cut:
        return ""
    if page.sorted_items is None:
        return f"equal ones sorted {limits.SORT_MAX_ITEMS:,} at a time"
    return f"sorted within the first {page.sorted_items:,} matches; asked for often, this order gets an index"


def _read_order(sort: str) -> list[SortStep]:
    """Nothing follows the key, which no two items share, and so it is left out behind others."""
    texts: list[str] = [sort]
    if sort.startswith("["):
        try:
            listed = parse(sort.encode(errors="replace"))
        except InvalidInput:
            listed = None
        # An attribute may be called like the beginning of a list.
        if isinstance(listed, list) and all(isinstance(text, str) for text in listed):
            texts = listed
    steps = [SortStep(text.removeprefix("-"), text.startswith("-")) for text in texts if text.removeprefix("-")]
    return steps[:1] + [step for step in steps[1:] if step.attribute != "key"]


def _lines(texts: list[str], revisions: list[int]) -> list[Line]:
    return [Line(text, revision) for text, revision in zip(texts, revisions, strict=True)]
