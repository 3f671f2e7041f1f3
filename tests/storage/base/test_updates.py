"""Patch and item to new item, without a database (contract: Base, PATCH). Refusals of whole requests: tests/api."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from storage.base.updates import apply_patch, parse_patch
from storage.errors import InvalidInput

ITEM: dict[str, Any] = {"n": 1, "d": Decimal("0.1"), "l": [1], "o": {"n": 5, "l": [], "p": {"q": 1}}, "z": None}

APPLIED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("set", {"set": {"n": "x", "o.p.r": [1]}},
     ITEM | {"n": "x", "o": {"n": 5, "l": [], "p": {"q": 1, "r": [1]}}}),
    ("increment", {"increment": {"n": 2, "o.n": -5}}, ITEM | {"n": 3, "o": {"n": 0, "l": [], "p": {"q": 1}}}),
    ("increment a fraction", {"increment": {"d": Decimal("0.2")}}, ITEM | {"d": Decimal("0.3")}),
    ("append and prepend", {"append": {"l": [2]}, "prepend": {"o.l": [1, 2]}},
     ITEM | {"l": [1, 2], "o": {"n": 5, "l": [1, 2], "p": {"q": 1}}}),
    ("delete", {"delete": ["o.p", "z", "nothing"]}, {name: ITEM[name] for name in "ndl"} | {"o": {"n": 5, "l": []}}),
]  # fmt: skip


@pytest.mark.parametrize("patch, result", [case[1:] for case in APPLIED], ids=[case[0] for case in APPLIED])
def test_apply_patch_returns_a_new_item_and_leaves_the_old_one(patch: dict[str, Any], result: dict[str, Any]) -> None:
    before = copy.deepcopy(ITEM)

    assert apply_patch(ITEM, parse_patch(patch)) == result
    assert before == ITEM


def test_apply_patch_adds_numbers_of_any_size_exactly() -> None:
    operations = parse_patch({"increment": {"n": Decimal("1e-30")}})

    assert apply_patch({"n": 10**7}, operations) == {"n": Decimal("10000000.000000000000000000000000000001")}


def test_apply_patch_gives_the_same_whatever_the_order_of_parts() -> None:
    one = {"set": {"a": 1}, "delete": ["n"], "append": {"l": [2]}}
    other = {"append": {"l": [2]}, "delete": ["n"], "set": {"a": 1}}

    assert apply_patch(ITEM, parse_patch(one)) == apply_patch(ITEM, parse_patch(other))


UNFIT: list[tuple[str, dict[str, Any]]] = [
    ("the level above is missing", {"set": {"no.a": 1}}),
    ("the level above is null", {"set": {"z.a": 1}}),
    ("the level above is a list", {"set": {"l.0": 1}}),
    ("the level above a deleted attribute is missing", {"delete": ["no.a"]}),
    ("increment of what is missing", {"increment": {"no": 1}}),
    ("increment of null", {"increment": {"z": 1}}),
    ("append to what is missing", {"append": {"no": [1]}}),
    ("append to a number", {"append": {"n": [1]}}),
    ("prepend to an object", {"prepend": {"o": [1]}}),
]


@pytest.mark.parametrize("patch", [patch for _, patch in UNFIT], ids=[name for name, _ in UNFIT])
def test_apply_patch_refuses_what_does_not_fit_the_item(patch: dict[str, Any]) -> None:
    operations = parse_patch(patch)

    with pytest.raises(InvalidInput):
        apply_patch(ITEM, operations)


def test_increment_does_not_take_true_for_a_number() -> None:
    with pytest.raises(InvalidInput):
        apply_patch({"n": True}, parse_patch({"increment": {"n": 1}}))
    with pytest.raises(InvalidInput):
        parse_patch({"increment": {"n": True}})


MALFORMED: list[tuple[str, dict[str, Any]]] = [
    ("nothing", {}),
    ("empty parts", {"set": {}, "increment": {}, "append": {}, "prepend": {}, "delete": []}),
    ("the key", {"set": {"key": "x"}}),
    ("below the key", {"delete": ["key.x"]}),
    ("one path twice", {"set": {"a": 1}, "increment": {"a": 1}}),
    ("a path and one below it", {"set": {"a": {}}, "append": {"a.b.c": [1]}}),
    ("one path deleted twice", {"delete": ["a", "a"]}),
    ("an empty step", {"set": {"a..b": 1}}),
    ("a value that is no list", {"append": {"a": 1}}),
    ("a number that is a text", {"increment": {"a": "1"}}),
    ("a list for an object", {"set": []}),
    ("an object for a list", {"delete": {}}),
]


@pytest.mark.parametrize("patch", [patch for _, patch in MALFORMED], ids=[name for name, _ in MALFORMED])
def test_parse_patch_refuses_what_fits_no_item(patch: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse_patch(patch)


def test_paths_that_only_begin_alike_do_not_conflict() -> None:
    operations = parse_patch({"set": {"a": 1, "ab": 2, "a b": 3}, "delete": ["b.a"]})

    assert apply_patch({"b": {"a": 1}}, operations) == {"a": 1, "ab": 2, "a b": 3, "b": {}}
