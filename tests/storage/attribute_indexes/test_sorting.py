"""The order of sorted pages is the same with and without an index of the first attribute, and pages fit together."""

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import limits
from storage.attribute_indexes import ready
from storage.attribute_indexes.sql import tending as tending_sql
from storage.base import items, sorting
from storage.base.query import parse_query
from storage.base.sorting import SortedPage, SortStep
from storage.collections import collections
from storage.errors import InvalidInput
from storage.exact_json import parse
from storage.models import AttributeIndex
from storage.postgres.caller import Access
from storage.postgres.database import run
from tests.storage.base.documents import queries

_numbers = itertools.count()
_LONG = "é" * 299
_VALUES: list[Any] = [
    None, True, False, 0, 1, Decimal("1.0"), Decimal("-0.5"), 9007199254740993, 9007199254740992, "", "a", "B", "\ufffd", "🙂",
    _LONG, _LONG + "a", _LONG + "ab", _LONG + "aa", _LONG + "b", [], ["a"], [2], [1, 2], {}, {"a": 1}, {"a": 2},
]  # fmt: skip
_values = st.sampled_from(_VALUES)
_documents = st.fixed_dictionaries({}, optional={"n": _values, "t'": _values | st.sampled_from(["a", "b"])})
_ORDERS = [
    [SortStep("n")],
    [SortStep("n", descending=True)],
    [SortStep("n"), SortStep("t'", descending=True)],
    [SortStep("n", descending=True), SortStep("t'")],
]


def _pages(access: Access, base: str, predicate: Any, order: list[SortStep], limit: int) -> tuple[list[str], bool]:
    """The keys on all pages, and whether an index led from one to the next."""
    keys: list[str] = []
    place: dict[str, Any] = {}
    by_index = False
    while True:
        page: SortedPage = sorting.sort_items(
            access=access, base=base, predicate=predicate, order=order, limit=limit, **place
        )
        assert len(page.items) <= limit
        keys += [parse(text.encode())["key"] for text in page.items]
        if page.next_position is not None:
            place, by_index = {"position": page.next_position}, True
        elif page.next_offset is not None:
            place = {"offset": page.next_offset}
        else:
            return keys, by_index


def _check(profile: settings, monkeypatch: pytest.MonkeyPatch) -> None:
    access = Access(collections.create_collection("Made by a test").id)
    find_ready = ready.find_ready

    @profile
    @given(
        stored=st.lists(_documents, min_size=10, max_size=30),
        asked=st.lists(queries(), min_size=3, max_size=3),
        limit=st.integers(1, 7),
        rows=st.integers(2, 9),
    )
    def check(stored: list[Any], asked: list[Any], limit: int, rows: int) -> None:
        base = f"b{next(_numbers)}"
        for start in range(0, len(stored), 25):
            made = [{**document, "key": f"{(n * 7) % 31:02}"} for n, document in enumerate(stored)]
            items.put_items(access=access, base=base, items=made[start : start + 25])
        base_id = items.find_base_id(access, base)
        building = AttributeIndex.State.BUILDING
        index = AttributeIndex.objects.create(base_id=base_id, path=["n"], state=building)
        while run(tending_sql.build(index.pk, 100)):
            pass
        led = False
        for query in [*asked, []]:
            predicate = parse_query(query)
            for order in _ORDERS:
                monkeypatch.setattr(ready, "find_ready", lambda base_id: {})
                expected, _ = _pages(access, base, predicate, order, 100)
                monkeypatch.setattr(ready, "find_ready", find_ready)
                with monkeypatch.context() as low:
                    low.setattr(limits, "OVERVIEW_MAX_ROWS", rows)
                    low.setattr(sorting, "_WINDOWS", (2, 1_000))
                    found, by_index = _pages(access, base, predicate, order, limit)
                assert found == expected, (query, order)
                led |= by_index
        assert led

    check()


_QUICK = settings(
    max_examples=20, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_sorted_pages_are_the_same_with_an_index(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _check(_QUICK, monkeypatch)


@pytest.mark.slow
def test_many_sorted_pages_are_the_same_with_an_index(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _check(settings(_QUICK, max_examples=150, derandomize=False, print_blob=True), monkeypatch)


def test_order_goes_past_what_is_sorted_at_once_and_notices_that_its_index_is_gone(
    database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = Access(collections.create_collection("Made by a test").id)
    monkeypatch.setattr(limits, "SORT_MAX_ITEMS", 5)
    monkeypatch.setattr(sorting, "_WINDOWS", (2, 5))
    made = [{"key": f"{n:02}", "n": n // 8, "t": 9 - n % 10} for n in range(24)]
    items.put_items(access=access, base="b", items=made)
    base_id = items.find_base_id(access, "b")
    index = AttributeIndex.objects.create(base_id=base_id, path=["n"], state=AttributeIndex.State.BUILDING)
    run(tending_sql.build(index.pk, 100))
    everything = parse_query([])
    assert _pages(access, "b", everything, [SortStep("n")], 4)[0] == [f"{n:02}" for n in range(24)]
    # A group that is too large to be sorted at once is sorted by parts, and says so.
    keys, _ = _pages(access, "b", everything, [SortStep("n"), SortStep("t")], 100)
    assert keys[:8] == ["04", "03", "02", "01", "00", "07", "06", "05"]
    assert sorted(keys) == [f"{n:02}" for n in range(24)]
    page = sorting.sort_items(access=access, base="b", predicate=everything, order=[SortStep("n"), SortStep("t")])
    assert page.is_cut
    AttributeIndex.objects.filter(pk=index.pk).update(state=AttributeIndex.State.DROPPED, base_id=None)
    with pytest.raises(InvalidInput, match="begin again"):
        sorting.sort_items(
            access=access, base="b", predicate=everything, order=[SortStep("n")], position=page.next_position
        )
