"""Many items at once: what goes together, what counts as stored, and keys that are the same each time."""

import threading
from collections.abc import Iterator
from typing import Any, Optional

import pytest

from deta.cli.bases.imports import Importer, batches, with_key
from deta.cli.bases.item_calls import Stored
from deta.cli.bases.records import BadRecord, Record
from deta.cli.exact_json import parse
from deta.errors import BadRequest, ConnectionFailed
from deta.items import Item


def records(*keys: Optional[str]) -> Iterator[Record]:
    for number, key in enumerate(keys, 1):
        item: dict[str, Any] = {"n": number} if key is None else {"key": key, "n": number}
        yield with_key(Record(number, f"item {number}", item), None)


def test_requests_hold_25_and_no_key_twice() -> None:
    keys = [f"k{number}" for number in range(30)]
    sizes = [[record.item["key"] for record in batch.records] for batch in batches(records(*keys, "k29", "k29"))]
    assert sizes == [keys[:25], keys[25:], ["k29"], ["k29"]]


def test_the_later_of_two_items_wins() -> None:
    """However slow the request with the earlier one is."""
    held: dict[str, int] = {}
    first_is_there = threading.Event()

    def put(items: list[Item]) -> Stored:
        if items[0]["n"] == 1:
            first_is_there.wait(0.05)
        held.update({item["key"]: item["n"] for item in items})
        return Stored(items, [])

    keys = ["same", *(f"k{number}" for number in range(60)), "same", "last"]
    Importer(put, told=lambda _: None).run(records(*keys))
    assert held["same"] == 62
    assert len(held) == 62


def test_item_without_a_key_gets_the_same_each_time() -> None:
    first, again = ([record.item["key"] for record in records(None, None)] for _ in range(2))
    assert first == again
    assert len(set(first)) == 2
    assert first == sorted(first)


@pytest.mark.parametrize(
    ("item", "attribute", "key"),
    [('{"id": "x"}', "id", "x"), ('{"id": 12.0}', "id", "12.0"), ('{"id": "x", "key": "y"}', "id", "x")],
)
def test_key_may_come_from_an_attribute(item: str, attribute: str, key: str) -> None:
    assert with_key(Record(1, "item 1", parse(item)), attribute).item["key"] == key


@pytest.mark.parametrize(
    ("item", "attribute", "said"),
    [
        ('{"a": 1}', "id", "`id` is missing or empty, so it can't be the key (item 1)"),
        ('{"id": ""}', "id", "`id` is missing or empty, so it can't be the key (item 1)"),
        ('{"key": 1}', None, "The key is not a text (item 1)"),
    ],
)
def test_key_that_is_none_is_refused(item: str, attribute: Optional[str], said: str) -> None:
    with pytest.raises(BadRecord) as raised:
        with_key(Record(1, "item 1", parse(item)), attribute)
    assert str(raised.value) == said


def test_what_failed_is_not_counted_nor_what_was_sent_behind_it() -> None:
    def put(items: list[Item]) -> Stored:
        if items[0]["n"] == 51:
            raise ConnectionFailed("no answer")
        return Stored(items, [])

    told: list[int] = []
    importer = Importer(put, told=told.append)
    with pytest.raises(ConnectionFailed):
        importer.run(records(*(f"k{number}" for number in range(500))))
    assert importer.stored == 50
    assert told == [25, 50]


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        (
            ("A number has more than 38 significant digits, at items[1].a.b",),
            "A number has more than 38 significant digits in `a.b` (item 2)",
        ),
        (("The item is too large, at items[0]", "409,601 bytes"), "The item is too large. 409,601 bytes (item 1)"),
        (("Something else",), "Something else (one of the items 1 to 3)"),
    ],
)
def test_refused_item_is_named(errors: tuple[str, ...], said: str) -> None:
    def put(items: list[Item]) -> Stored:
        raise BadRequest("put", status=400, errors=errors)

    with pytest.raises(BadRecord) as raised:
        Importer(put, told=lambda _: None).run(records("a", "b", "c"))
    assert str(raised.value) == said


def test_item_that_failed_inside_a_request_is_named() -> None:
    def put(items: list[Item]) -> Stored:
        return Stored(items[:1], items[1:])

    with pytest.raises(BadRecord) as raised:
        Importer(put, told=lambda _: None).run(records("a", "b"))
    assert str(raised.value) == "An attribute has no name (item 2)"
