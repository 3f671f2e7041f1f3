"""JSON in and out without losing a digit (contract: Base, "Numbers")."""

import contextlib
import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import EmptyAttributeName, InvalidInput
from storage.exact_json import check_value, dump, is_number, is_same, join, parse, split

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


@settings(max_examples=300, derandomize=True, database=None)
@given(_values)
def test_every_storable_value_comes_back_from_its_json(value: Any) -> None:
    check_value(value)
    text = dump(value)

    assert parse(text) == value
    assert json.loads(text, parse_float=Decimal) == value


@settings(max_examples=300, derandomize=True, database=None)
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


@pytest.mark.parametrize(
    "text, members",
    [
        ("{}", {}),
        ('{"a": 1.0, "b": {"c": [1,  2]}}', {"a": "1.0", "b": '{"c": [1,  2]}'}),
        ('{"a":12345678901234567890,"a":1e21}', {"a": "1e21"}),
        ('{"\\u00e9": "\\u00e9"}', {"é": '"\\u00e9"'}),
    ],
)
def test_split_keeps_the_very_text_of_each_value(text: str, members: dict[str, str]) -> None:
    assert split(text) == members
    assert parse(join(members).encode()) == parse(text.encode())


@pytest.mark.parametrize("text", ["[1]", "1", "", "{", '{"a"}', '{"a": 1} x'])
def test_split_refuses_what_is_no_object(text: str) -> None:
    with pytest.raises(InvalidInput):
        split(text)


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("1", "1", True),
        ("1", "1.0", False),
        ("1e2", "100", True),
        ("1.50e1", "15.0", True),
        ("-0", "0", True),
        ("-0.0", "0.0", True),
        ("1", "true", False),
        ("0", "false", False),
        ("null", "false", False),
        ('"1"', "1", False),
        ('{"a": 1, "b": [true]}', '{"b": [true], "a": 1}', True),
        ('{"a": 1}', '{"a": 1, "b": 1}', False),
        ("[1, 2]", "[2, 1]", False),
        ("[1]", "[1.0]", False),
    ],
)
def test_same_is_what_postgres_would_keep_as_the_same(one: str, other: str, same: bool, database: None) -> None:
    assert is_same(parse(one.encode()), parse(other.encode())) is same
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::jsonb::text = %s::jsonb::text", [one, other])
        assert cursor.fetchone() == (same,)
