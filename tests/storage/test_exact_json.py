"""JSON in and out without losing a digit (contract: Base, "Numbers")."""

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import EmptyAttributeName, InvalidInput
from storage.exact_json import check_value, dump, is_number, parse

_digits = st.integers(1, 10**38 - 1)
_numbers = st.builds(
    lambda digits, place, sign: Decimal(sign * digits).scaleb(place - len(str(digits)) + 1),
    _digits,
    st.integers(-125, 125),
    st.sampled_from([1, -1]),
)
_texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**38) + 1, 10**38 - 1) | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts.filter(bool), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(_values)
def test_every_storable_value_comes_back_from_its_json(value: Any) -> None:
    check_value(value)
    text = dump(value)

    assert parse(text) == value
    assert json.loads(text, parse_float=Decimal) == value


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.binary(max_size=30))
def test_parse_takes_any_bytes_or_says_why_not(text: bytes) -> None:
    with contextlib.suppress(InvalidInput):
        check_value(parse(text))


REFUSED = [
    b"",
    b"{",
    b"nul",
    b"NaN",
    b"[Infinity]",
    b"01",
    b"'a'",
    b'"\xff"',
    b'"\\ud800"',
    b"\xef\xbb\xbf{}",
    b"[" * 100_000,
    b"9" * 5000,
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:12]))
def test_parse_refuses_what_is_no_json(text: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_value(parse(text))

    assert len(caught.value.messages) in (1, 2)


def test_dump_is_compact_utf8_with_the_digits_as_they_were() -> None:
    value = {"é": [1, Decimal("1.10"), None, True], "🙂": {"x": Decimal("-0.5")}}

    assert dump(value).decode() == '{"é":[1,1.10,null,true],"🙂":{"x":-0.5}}'


EDGES: list[tuple[Any, bool]] = [
    (10**38 - 1, True),
    (10**38, True),
    (10**38 + 1, False),
    (10**125, True),
    (10**126, False),
    (-(10**125), True),
    (-(10**126), False),
    (Decimal("0." + "1" * 38), True),
    (Decimal("0." + "1" * 39), False),
    (Decimal("9.9e125"), True),
    (Decimal("1e126"), False),
    (Decimal("1e-125"), True),
    (Decimal("9.9e-126"), False),
    (0, True),
    (Decimal("-0.0"), True),
    ("\x00", False),
    ("\x01", True),
]


@pytest.mark.parametrize("value, good", EDGES, ids=lambda each: str(each)[:20])
def test_check_value_knows_the_limits_wherever_the_value_stands(value: Any, good: bool) -> None:
    for whole in (value, [value], {"a": [{"b": value}]}):
        if good:
            check_value(whole)
        else:
            with pytest.raises(InvalidInput):
                check_value(whole)


def test_check_value_names_the_place() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_value({"a": [0, {"b": "\x00"}]})

    assert caught.value.messages[0].endswith("a[1].b")


@pytest.mark.parametrize("value", [{"": 1}, [{"": 1}], {"a": {"b": [{"": 1}]}}])
def test_check_value_tells_an_empty_attribute_name_apart(value: Any) -> None:
    with pytest.raises(EmptyAttributeName):
        check_value(value)


def test_check_value_counts_levels_from_the_one_it_is_told() -> None:
    value: Any = []
    for _ in range(99):
        value = [value]

    check_value(value)
    with pytest.raises(InvalidInput):
        check_value(value, level=2)


@pytest.mark.parametrize("value, number", [(1, True), (Decimal(1), True), (True, False), ("1", False), (None, False)])
def test_is_number_does_not_take_a_boolean_for_one(value: Any, number: bool) -> None:
    assert is_number(value) is number
