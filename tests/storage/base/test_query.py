"""Query JSON to predicate, without a database (contract: Base, POST /query)."""

from decimal import Decimal
from typing import Any

import pytest

from storage.base.query import Condition, Predicate, parse_query
from storage.base.sql import queries as queries_sql
from storage.errors import BadQuery

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
