"""What a change of many items does to one of them."""

from typing import Any

import pytest

from storage.base.acts import Convert, Copy, Delete, Rename, Set, Unset, describe_act, read_act, write_act
from storage.errors import InvalidInput
from storage.exact_json import parse

ITEM = {"a": "1.0", "b": '"x"', "n": "null", "big": "12345678901234567890", "list": "[1]", "on": "true"}

DONE: list[tuple[Set | Unset | Rename | Convert, dict[str, str]]] = [
    (Set("c", "[1, 2]"), ITEM | {"c": "[1, 2]"}),
    (Set("a", "1.0"), ITEM),
    (Set("a", "1"), ITEM | {"a": "1"}),
    (Set("constructor", "1"), ITEM | {"constructor": "1"}),
    (Unset("b"), {name: text for name, text in ITEM.items() if name != "b"}),
    (Unset("gone"), ITEM),
    (Rename("b", "text"), {("text" if name == "b" else name): text for name, text in ITEM.items()}),
    (Rename("gone", "b"), ITEM),
    (Convert("n", "number"), ITEM),
    (Convert("gone", "number"), ITEM),
    (Convert("big", "string"), ITEM | {"big": '"12345678901234567890"'}),
    (Convert("list", "string"), ITEM | {"list": '"[1]"'}),
    (Convert("on", "number"), ITEM | {"on": "1"}),
    (Convert("a", "number"), ITEM),
    (Convert("b", "string"), ITEM),
]


@pytest.mark.parametrize("act, after", DONE, ids=[f"{act.kind} {act.attribute} {n}" for n, (act, _) in enumerate(DONE)])
def test_what_becomes_of_an_item(act: Set | Unset | Rename | Convert, after: dict[str, str]) -> None:
    before = dict(ITEM)
    assert act.apply(ITEM) == after
    assert before == ITEM
    if isinstance(act, Rename):
        assert list(act.apply(ITEM)) == list(after)


CONVERTED = [
    ('" 1.50 "', "number", "1.50"),
    ('"-2e10"', "number", "-2e10"),
    ('"0012"', "number", None),
    ('"1,5"', "number", None),
    ('"0x10"', "number", None),
    ('"NaN"', "number", None),
    ('""', "number", None),
    ("[1]", "number", None),
    ('"Yes"', "boolean", "true"),
    ("0", "boolean", "false"),
    ("2", "boolean", None),
    ('"maybe"', "boolean", None),
    ("{}", "boolean", None),
    ('"ä\\n"', "string", '"ä\\n"'),
    ("1.0", "string", '"1.0"'),
    ("false", "string", '"false"'),
]


@pytest.mark.parametrize("text, to, expected", CONVERTED)
def test_another_type(text: str, to: str, expected: str | None) -> None:
    act = read_act({"kind": "convert", "attribute": "a", "to": to})
    assert isinstance(act, Convert)
    if expected is None:
        with pytest.raises(InvalidInput, match="is no"):
            act.apply({"a": text})
    else:
        assert act.apply({"a": text}) == {"a": expected}


def test_a_new_name_that_is_there_would_lose_one_of_the_two() -> None:
    with pytest.raises(InvalidInput, match="“b” already"):
        Rename("a", "b").apply(ITEM)


def test_acts_survive_their_own_text() -> None:
    for act in (
        Set("a", '{"b": 1.0}'),
        Unset("a"),
        Rename("a", "b"),
        Convert("a", "number"),
        Delete(),
        Copy("b", True),
    ):
        assert read_act(parse(write_act(act).encode())) == act
        assert describe_act(act)


WRONG: list[Any] = [
    None,
    [],
    {},
    {"kind": "drop"},
    {"kind": ["set"]},
    {"kind": "set", "attribute": "a"},
    {"kind": "set", "attribute": "a", "value": 1},
    {"kind": "set", "attribute": "a", "value": "{"},
    {"kind": "set", "attribute": "a", "value": "NaN"},
    {"kind": "set", "attribute": "a", "value": '"\\u0000"'},
    {"kind": "set", "attribute": "key", "value": "1"},
    {"kind": "set", "attribute": "", "value": "1"},
    {"kind": "unset", "attribute": "key"},
    {"kind": "rename", "attribute": "a", "new_name": "key"},
    {"kind": "rename", "attribute": "a", "new_name": "a"},
    {"kind": "rename", "attribute": "a", "new_name": ""},
    {"kind": "convert", "attribute": "a", "to": "date"},
    {"kind": "copy", "base": "../x"},
    {"kind": "copy", "base": "b", "replace": "yes"},
    {"kind": "delete", "attribute": "a"},
]


@pytest.mark.parametrize("given", WRONG, ids=str)
def test_what_is_no_act(given: object) -> None:
    with pytest.raises(InvalidInput):
        read_act(given)
