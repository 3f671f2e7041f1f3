"""Query JSON to predicate, without a database (contract: Base, POST /query)."""

from decimal import Decimal
from typing import Any

import pytest

from storage.base.query import Condition, Predicate, parse_query
from storage.base.sql import queries as queries_sql
from storage.errors import BadQuery, UnknownOperator

EVERYTHING = Predicate()

PARSED: list[tuple[str, Any, Predicate]] = [
    ("null", None, EVERYTHING),
    ("no objects", [], EVERYTHING),
    ("an empty object", [{}], EVERYTHING),
    ("a bare empty object", {}, EVERYTHING),
    ("an empty object beside another", [{"a": 1}, {}], EVERYTHING),
    ("a bare object", {"a": 1}, Predicate(any_of=((Condition(("a",), "eq", 1),),))),
    ("a path", {"a.b.c?gt": 1}, Predicate(any_of=((Condition(("a", "b", "c"), "gt", 1),),))),
    ("a question mark in a name", {"a?b?lt": 1}, Predicate(any_of=((Condition(("a?b",), "lt", 1),),))),
    (
        "objects ORed, entries ANDed",
        [{"a": 1, "b?pfx": "x"}, {"c?ne": None}],
        Predicate(
            any_of=(
                (Condition(("a",), "eq", 1), Condition(("b",), "pfx", "x")),
                (Condition(("c",), "ne", None),),
            )
        ),
    ),
    ("a range", {"a?r": [1, Decimal("2.5")]}, Predicate(any_of=((Condition(("a",), "r", (1, Decimal("2.5"))),),))),
    ("the key alone", {"key?gte": "a"}, Predicate(key=Condition(("key",), "gte", "a"))),
    ("a range of the key", {"key?r": ["a", "b"]}, Predicate(key=Condition(("key",), "r", ("a", "b")))),
    (
        "one key for all objects",
        [{"key": "a", "n": 1}, {"key?eq": "a", "n": 2}],
        Predicate(
            any_of=((Condition(("n",), "eq", 1),), (Condition(("n",), "eq", 2),)), key=Condition(("key",), "eq", "a")
        ),
    ),
    ("the key, once with nothing else", [{"key": "a", "n": 1}, {"key": "a"}], Predicate(key=Condition(("key",), "eq", "a"))),
    ("an attribute called key further down", {"a.key": 1}, Predicate(any_of=((Condition(("a", "key"), "eq", 1),),))),
]  # fmt: skip


@pytest.mark.parametrize("query, predicate", [case[1:] for case in PARSED], ids=[case[0] for case in PARSED])
def test_parse_query_makes_a_predicate(query: Any, predicate: Predicate) -> None:
    assert parse_query(query) == predicate


SAME = [
    ("eq", ["", "?eq"]),
    ("ne", ["?ne", "?!="]),
    ("lt", ["?lt", "?<"]),
    ("gt", ["?gt", "?>"]),
    ("lte", ["?lte", "?<="]),
    ("gte", ["?gte", "?>="]),
    ("pfx", ["?pfx"]),
    ("contains", ["?contains"]),
    ("not_contains", ["?not_contains", "?!contains"]),
]


@pytest.mark.parametrize("operator, written", SAME)
def test_parse_query_knows_every_spelling_of_an_operator(operator: str, written: list[str]) -> None:
    for suffix in written:
        assert parse_query({f"a{suffix}": "x"}) == Predicate(any_of=((Condition(("a",), operator, "x"),),))


WRONG: list[tuple[Any, list[str]]] = [
    # query, what the explanation names
    ("a", ["list of objects"]),
    ([1], ["list of objects"]),
    ([{"ok": 1}, {"age?random": 1}], ["query[1]", "age?random", "random"]),
    ({"name?": 1}, ["query[0]", "name?"]),
    ({"age?r": [1]}, ["query[0]", "age?r", "two"]),
    ({"name?pfx": 1}, ["query[0]", "name?pfx", "string"]),
    ([{}, {}, {"key": 1}], ["query[2]", "key", "string"]),
    ({"key?gt": "a", "key?lt": "b"}, ["query[0]", "one condition"]),
    ([{"key": "a"}, {"key": "b"}], ["key", "same"]),
    ([{"key": "a"}, {"b": 1}], ["key", "all"]),
    ({"key?contains": "a"}, ["query[0]", "key?contains"]),
]


@pytest.mark.parametrize("query, named", WRONG)
def test_parse_query_says_what_is_wrong_and_where(query: Any, named: list[str]) -> None:
    with pytest.raises(BadQuery) as caught:
        parse_query(query)

    first, explanation = caught.value.messages
    assert first == "Bad query"
    for part in named:
        assert part in explanation


# The very words of the API's second message are `where` and `reason` together.
SAID: list[tuple[Any, str, int | None, str | None, str]] = [
    # query, where, index, condition, reason
    ("a", "", None, None, "A query is a list of objects"),
    ([{}, {"age?gtt": 1}], "query[1], `age?gtt`: ", 1, "age?gtt", "unknown operator `?gtt`"),
    ({"a?b?": 1}, "query[0], `a?b?`: ", 0, "a?b?", "the operator behind `?` is missing"),
    ({"a?pfx": 1}, "query[0], `a?pfx`: ", 0, "a?pfx", "the value must be a string"),
    ({"": 1}, "query[0], ``: ", 0, "", "the attribute's name is empty or has an empty step"),
    (
        {"a": [{"b": "\x00"}]},
        "query[0], `a`: ",
        0,
        "a",
        "A text holds the character \\u0000, which cannot be stored, at [0].b",
    ),
    (
        [{"key": "a"}, {"key": "a", "key?gt": "b"}],
        "query[1]: ",
        1,
        None,
        "an object has at most one condition on the key",
    ),
]


@pytest.mark.parametrize("query, where, index, condition, reason", SAID)
def test_what_is_wrong_stands_in_fields_too(
    query: Any, where: str, index: int | None, condition: str | None, reason: str
) -> None:
    with pytest.raises(BadQuery) as caught:
        parse_query(query)

    error = caught.value
    assert error.messages == ("Bad query", where + reason)
    assert (error.index, error.condition, error.reason) == (index, condition, reason)


@pytest.mark.parametrize("text, attribute, operator", [("age?gtt", "age", "gtt"), ("a?b?", "a?b", ""), ("?", "", "")])
def test_unknown_operator_is_named_with_its_attribute(text: str, attribute: str, operator: str) -> None:
    with pytest.raises(UnknownOperator) as caught:
        parse_query({text: 1})

    assert (caught.value.attribute, caught.value.operator, caught.value.condition) == (attribute, operator, text)


def test_parse_query_takes_1000_objects_and_no_more() -> None:
    objects = [{"n": n} for n in range(1001)]

    assert len(parse_query(objects[:1000]).any_of) == 1000
    with pytest.raises(BadQuery):
        parse_query(objects)


def test_parse_query_leaves_the_query_as_it_is() -> None:
    query = [{"a?r": [1, 2], "b": {"c": []}}]

    parse_query(query)

    assert query == [{"a?r": [1, 2], "b": {"c": []}}]


@pytest.mark.parametrize(
    "query, by_index",
    [
        ({"a": 1}, True),
        ({"a": None}, True),
        ({"a": [[], {"b": 1}]}, True),
        ({"a": {}}, False),
        ({"a": []}, False),
        ({"a": {"b": [{}]}}, False),
        ({"a": {"b": []}, "c": 1}, True),
        ([{"a": 1}, {"b?gt": 1}], False),
        ({"a?ne": 1}, False),
        ({}, False),
    ],
    ids=str,
)
def test_index_answers_what_has_an_entry_in_it(query: Any, by_index: bool) -> None:
    assert queries_sql.answered_by_index(parse_query(query)) is by_index
