"""Searches for words held against a plain Python reading of them, and the bounds of overviews on the real database."""

import itertools
import re
from decimal import Decimal
from typing import Any

import pytest

from console.management.demo_items import messy_items
from storage import limits
from storage.base import bases, items, overviews, sorting
from storage.base.query import Predicate, parse_query, parse_search
from storage.base.sql.orders import SortStep
from storage.collections import collections
from storage.errors import BadQuery, BaseNotFound, InvalidInput
from storage.exact_json import dump, is_number, parse
from storage.models import Base
from storage.postgres.caller import Access
from tests.storage.rows import fill_base


@pytest.fixture(scope="module")
def access(server: Any) -> Access:
    """A collection with a Base `messy` and an empty one, `empty`."""
    access = Access(collections.create_collection("Made by a test").id)
    for base in ("messy", "empty"):
        bases.ensure_base(collection_id=access.collection_id, name=base)
    fill_base(base_id(access, "messy"), (item for item in messy_items(800) if "__expires" not in item))
    return access


def base_id(access: Access, name: str) -> int:
    return Base.objects.get(collection_id=access.collection_id, name=name).pk


def holds(value: Any, words: str) -> bool:
    """Whether a value holds the words whole, whatever their case."""
    if isinstance(value, dict):
        return any(holds(inner, words) for inner in value.values())
    if isinstance(value, list):
        return any(holds(inner, words) for inner in value)
    if isinstance(value, str):
        start = r"(?<!\w)" if re.match(r"\w", words[0]) else ""
        end = r"(?!\w)" if re.match(r"\w", words[-1]) else ""
        return re.search(start + re.escape(words) + end, value, re.IGNORECASE) is not None
    text = format(Decimal(value), "f") if is_number(value) else dump(value).decode()
    return text.lower() == words.lower()


def found(access: Access, words: str) -> list[str]:
    return all_keys(access, parse_search(words))


def all_keys(access: Access, predicate: Predicate) -> list[str]:
    keys: list[str] = []
    last = None
    while True:
        page = items.query_items(access=access, base="messy", predicate=predicate, limit=100, last=last)
        keys += [parse(text.encode())["key"] for text in page.items]
        last = page.last
        if last is None:
            return keys


@pytest.mark.parametrize(
    "words",
    [
        "ada", "LOVELACE", "love", "Zoë", "zoë müller", "ŁUKASZ", "محمد", "المشوررت", "שלום", "山田", "太郎", "山", "null",
        "true", "TRUE", "18", "1", "-7", "1.0", "12345678901234567890", "1000000000000000000000", "guest-00007", "guest", "2024",
        "co?#%20", "%", "_of_", "_", "\\", '"Pat"', 'O\'Brien, "Pat"', "<script>", "<b>bold</b>", "line one\nline", "tabbed",
        "an attribute with a dot in its name", "town", "🦊", "100 %", "(A1:A9)", "=SUM", ".", "*", "x" * 400, "x" * 399,
        "überall",
    ],
)  # fmt: skip
def test_search_finds_what_a_reader_would(access: Access, words: str) -> None:
    documents = [item for item in messy_items(800) if "__expires" not in item]
    expected = sorted((item["key"] for item in documents if holds(item, words)), key=str.encode)
    assert found(access, words) == expected


@pytest.mark.parametrize("words", ["", " ", "x" * (limits.SEARCH_MAX_CHARACTERS + 1), "\x00"])
def test_search_that_cannot_be(words: str) -> None:
    with pytest.raises(BadQuery):
        parse_search(words)


QUERIES = [
    None,
    {"age?gt": 40},
    {"active": True},
    {"home.town": "Paris", "age?lt": 60},
    {"none": 1},
    {"key?pfx": "guest"},
]


@pytest.mark.parametrize("query", QUERIES)
def test_count_agrees_with_the_pages(access: Access, query: Any) -> None:
    predicate = parse_query(query)
    counted = overviews.count_items(access=access, base="messy", predicate=predicate)
    assert counted.matched == len(all_keys(access, predicate))
    assert counted.total == len(all_keys(access, Predicate()))
    assert counted.is_exact
    assert counted.is_whole


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("descending", [False, True])
def test_sorted_pages_have_every_match_once_and_in_order(access: Access, query: Any, descending: bool) -> None:
    predicate = parse_query(query)
    seen: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        page = sorting.sort_items(
            access=access,
            base="messy",
            predicate=predicate,
            order=[SortStep("age", descending)],
            offset=offset,
            limit=70,
        )
        seen += [parse(text.encode()) for text in page.items]
        offset = page.next_offset
        assert not page.is_cut
    assert sorted(item["key"] for item in seen) == sorted(all_keys(access, predicate))
    # null, then strings, then numbers, as jsonb has it, and missing last either way.
    kinds = [_rank(item) for item in seen]
    assert kinds == sorted(kinds, key=lambda rank: (rank == 9, -rank if descending else rank))
    for kind, group in itertools.groupby(seen, _rank):
        values: list[Any] = [item.get("age") for item in group]
        assert kind in (0, 9) or values == sorted(values, reverse=descending)


def _rank(item: dict[str, Any]) -> int:
    if "age" not in item:
        return 9
    return 0 if item["age"] is None else 1 if isinstance(item["age"], str) else 2


def test_sorted_by_several_attributes_one_after_the_other(access: Access) -> None:
    bases.ensure_base(collection_id=access.collection_id, name="several")
    made: list[dict[str, Any]] = [
        {"key": f"{n:02}", "city": ["Rome", "Oslo"][n % 2], "age": n % 3, "a'b\"": n % 5} for n in range(30)
    ]
    fill_base(base_id(access, "several"), [*made, {"key": "none"}, {"key": "half", "city": "Rome"}])
    order = [SortStep("city", descending=True), SortStep("age"), SortStep("a'b\"", descending=True)]
    its_keys: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = sorting.sort_items(
            access=access, base="several", predicate=Predicate(), order=order, offset=offset, limit=7
        )
        its_keys += [parse(text.encode())["key"] for text in page.items]
        offset = page.next_offset
    by = sorted(made, key=lambda item: (item["city"] != "Rome", item["age"], -item["a'b\""], item["key"]))
    rome = [item["key"] for item in by if item["city"] == "Rome"]
    oslo = [item["key"] for item in by if item["city"] == "Oslo"]
    assert its_keys == [*rome, "half", *oslo, "none"]
    for wrong in ([], [SortStep("a")] * 2, [SortStep(str(n)) for n in range(limits.SORT_MAX_ATTRIBUTES + 1)]):
        with pytest.raises(InvalidInput):
            sorting.sort_items(access=access, base="several", predicate=Predicate(), order=wrong)


def test_sort_and_count_stop_at_their_bounds_and_say_so(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OVERVIEW_MAX_ROWS", 100)
    counted = overviews.count_items(access=access, base="messy", predicate=parse_query({"age?gt": 0}))
    assert (counted.looked_at, counted.is_whole) == (100, False)
    page = sorting.sort_items(access=access, base="messy", predicate=Predicate(), order=[SortStep("age")], limit=10)
    assert (page.sorted_items, page.is_cut) == (100, True)

    monkeypatch.setattr(limits, "OVERVIEW_MAX_ROWS", 1_000)
    monkeypatch.setattr(limits, "SORT_MAX_ITEMS", 50)
    page = sorting.sort_items(access=access, base="messy", predicate=Predicate(), order=[SortStep("age")], limit=10)
    assert (page.sorted_items, page.is_cut) == (50, True)

    monkeypatch.setattr(limits, "OVERVIEW_MAX_BYTES", 2_000)
    counted = overviews.count_items(access=access, base="messy", predicate=parse_query({"age?gt": 0}))
    assert 0 < counted.looked_at < 100
    assert not counted.is_whole


def test_sorted_page_of_large_items_is_cut_and_goes_on(access: Access) -> None:
    bases.ensure_base(collection_id=access.collection_id, name="large")
    fill_base(base_id(access, "large"), ({"key": str(n), "n": 9 - n, "x": "x" * 300_000} for n in range(9)))
    seen: list[int] = []
    offset: int | None = 0
    while offset is not None:
        page = sorting.sort_items(
            access=access, base="large", predicate=Predicate(), order=[SortStep("n")], offset=offset, limit=100
        )
        assert 1 <= len(page.items) <= 4
        seen += [parse(text.encode())["n"] for text in page.items]
        offset = page.next_offset
    assert seen == list(range(1, 10))


def test_empty_base_and_none_at_all(access: Access) -> None:
    page = sorting.sort_items(access=access, base="empty", predicate=Predicate(), order=[SortStep("a")])
    assert (page.items, page.next_offset, page.sorted_items, page.is_cut) == ([], None, 0, False)
    counted = overviews.count_items(access=access, base="empty", predicate=parse_query({"a": 1}))
    assert (counted.total, counted.matched, counted.looked_at) == (0, 0, 0)
    assert overviews.explain_query(access=access, base="empty", predicate=parse_query({"a": 1}))[0].types == {}
    with pytest.raises(BaseNotFound):
        overviews.count_items(access=access, base="none", predicate=Predicate())


def test_conditions_are_explained_by_type_and_by_what_they_meet_alone(access: Access) -> None:
    clauses = overviews.explain_query(
        access=access,
        base="messy",
        predicate=parse_query([{"age?gt": 40, "key?pfx": "guest"}, {"none": 1, "key?pfx": "guest"}]),
    )
    assert [clause.condition.path for clause in clauses] == [("key",), ("age",), ("none",)]
    documents = [item for item in messy_items(800) if "__expires" not in item]
    assert clauses[1].types == {
        "number": sum(isinstance(item.get("age"), int) for item in documents),
        "string": sum(isinstance(item.get("age"), str) for item in documents),
        "null": sum("age" in item and item["age"] is None for item in documents),
        "missing": sum("age" not in item for item in documents),
    }
    assert clauses[1].met == sum(isinstance(item.get("age"), int) and item["age"] > 40 for item in documents)
    assert clauses[2].types == {"missing": len(documents)}
