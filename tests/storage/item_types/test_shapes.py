"""What is learned from items: how many have what, of which types, and what is certain enough to be said of texts."""

from typing import Any

import pytest

from storage.item_types import shapes
from storage.item_types.shapes import Learner, Shape
from storage.item_types.texts import Texts

MOMENTS = [
    f"2026-11-{day:02}T09:30:0{day % 10}{'.25' * (day % 2)}{'Z' if day % 3 else '+02:00'}" for day in range(1, 13)
]
UUIDS = [f"0192f0e1-7c4b-7c3e-9a51-{number:012x}" for number in range(12)]


def shape_of(*items: dict[str, Any]) -> Shape:
    learner = Learner()
    for item in items:
        learner.add(item)
    return learner.items


def texts_of(*texts: str) -> Texts:
    made = Texts()
    for text in texts:
        made.add(text)
    return made


def test_each_place_counts_who_has_it_and_its_types() -> None:
    from decimal import Decimal

    items = shape_of(
        {"key": "a", "n": 1, "in": {"deep": [1, "x"]}},
        {"key": "b", "n": Decimal("1.5"), "in": {"deep": []}},
        {"key": "c", "n": None, "in": True},
    )
    assert (items.count, items.objects) == (3, 3)
    assert {name: inside.count for name, inside in items.attributes.items()} == {"key": 3, "n": 3, "in": 3}
    assert items.attributes["n"].types == {"integer": 1, "number": 1, "null": 1}
    inside = items.attributes["in"]
    assert inside.types == {"boolean": 1, "object": 2}
    deep = inside.attributes["deep"]
    assert (deep.count, deep.lists) == (2, 2)
    assert deep.elements is not None
    assert deep.elements.types == {"string": 1, "integer": 1}


def test_things_by_name_are_no_attributes() -> None:
    many = {f"id-{number}": 1 for number in range(shapes.ATTRIBUTES_MAX + 1)}
    items = shape_of({"key": "a", "by_id": many, "none": {}, "some": {"x": 1}})
    assert items.attributes["by_id"].is_collection
    assert items.attributes["none"].is_collection
    assert not items.attributes["some"].is_collection


def test_what_is_looked_at_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    deep: Any = 1
    for _ in range(99):
        deep = {"x": deep}
    shape = shape_of({"key": "a", "deep": deep})
    levels = 0
    while shape.attributes:
        shape = list(shape.attributes.values())[-1]
        levels += 1
    assert shape.is_open
    assert levels == shapes.LEVELS_MAX
    monkeypatch.setattr(shapes, "PLACES_MAX", 5)
    items = shape_of(*({"key": f"{n}", f"a{n}": {f"b{n}": 1}} for n in range(100)))
    assert items.has_more
    assert len(items.attributes) < 6


@pytest.mark.parametrize(
    "texts, said",
    [
        (MOMENTS, "date-time"),
        ([moment[:10] for moment in MOMENTS], "date"),
        (UUIDS, "uuid"),
        ([f"ada{n}@home.example.org" for n in range(10)], "email"),
        ([f"https://example.org/{n}?q=1#x" for n in range(10)], "uri"),
        (MOMENTS[:9], ""),
        (MOMENTS[:9] * 9, ""),
        ([*MOMENTS, "2026-13-01T00:00:00Z"], ""),
        ([*MOMENTS, "2026-11-01T00:00:00"], ""),
        ([*(moment[:10] for moment in MOMENTS), "2026-02-30"], ""),
        ([*UUIDS, ""], ""),
        ([f"{n}" for n in range(100)], ""),
        ([f"https://example.org/{n} x" for n in range(10)], ""),
    ],
    ids=[
        *("moments", "days", "uuids", "emails", "addresses", "too few", "few again and again", "no month", "no zone"),
        *("no day", "one empty", "numbers", "spaces"),
    ],
)
def test_a_format_is_said_where_all_of_enough_keep_to_it(texts: list[str], said: str) -> None:
    assert texts_of(*texts).format == said


def test_choices_are_said_where_few_come_again_and_again() -> None:
    assert texts_of(*["open", "closed"] * 50).choices == ["closed", "open"]
    assert texts_of(*["open", "closed"] * 49).choices == []
    assert texts_of(*["open"] * 500).choices == []
    assert texts_of(*["open", "closed"] * 50, "rare").choices == []
    assert texts_of(*[f"{n % 9}" for n in range(900)]).choices == []
    assert texts_of(*["x" * 61, "y"] * 50).choices == []
    assert texts_of(*(f"{n}" for n in range(1_000))).choices == []
