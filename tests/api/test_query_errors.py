"""POST /query: every malformed query is a 400 that says "Bad query" first (contract: Base)."""

from typing import Any

import pytest

from tests.factories import BaseClient, exact_json

BAD_QUERIES: list[tuple[str, Any]] = [
    ("an empty operator", {"name?": "x"}),
    ("an empty operator behind a question mark", {"name??": "x"}),
    ("a question mark alone", {"?": "x"}),
    ("an operator without an attribute", {"?eq": "x"}),
    ("an unknown operator", {"name?random": "x"}),
    ("an operator in capitals", {"name?GT": 1}),
    ("an operator with a blank", {"name? gt": 1}),
    ("an operator's name of SQL", {"name?=": 1}),
    ("an empty attribute name", {"": "x"}),
    ("an empty step", {"a..b": "x"}),
    ("a dot at the end", {"a.?gt": 1}),
    ("pfx with a number", {"name?pfx": 1}),
    ("pfx with null", {"name?pfx": None}),
    ("pfx with a list", {"name?pfx": ["a"]}),
    ("a range that is a number", {"age?r": 1}),
    ("a range that is a text", {"age?r": "ab"}),
    ("a range that is an object", {"age?r": {"a": 1, "b": 2}}),
    ("a range of none", {"age?r": []}),
    ("a range of one", {"age?r": [1]}),
    ("a range of three", {"age?r": [1, 2, 3]}),
    ("a range of two types", {"age?r": [1, "2"]}),
    ("a range of booleans", {"age?r": [False, True]}),
    ("a range of nulls", {"age?r": [None, None]}),
    ("a range of a number and null", {"age?r": [1, None]}),
    ("a range of lists", {"age?r": [[1], [2]]}),
    ("contains on the key", {"key?contains": "a"}),
    ("not_contains on the key", {"key?not_contains": "a"}),
    ("!contains on the key", {"key?!contains": "a"}),
    ("ne on the key", {"key?ne": "a"}),
    ("!= on the key", {"key?!=": "a"}),
    ("a number for the key", {"key": 1}),
    ("null for the key", {"key": None}),
    ("a list for the key", {"key": ["a"]}),
    ("a number in a comparison of the key", {"key?gt": 1}),
    ("a number as prefix of the key", {"key?pfx": 1}),
    ("a range of numbers for the key", {"key?r": [1, 2]}),
    ("a range of one for the key", {"key?r": ["a"]}),
    ("an unknown operator on the key", {"key?random": "a"}),
    ("two conditions on the key", {"key?gt": "a", "key?lt": "b"}),
    ("one condition on the key, written twice", {"key": "a", "key?eq": "a"}),
    ("different keys", [{"key": "a"}, {"key": "b"}]),
    ("different operators on the key", [{"key?gt": "a"}, {"key?gte": "a"}]),
    ("the key in one object alone", [{"key": "a"}, {"n": 1}]),
    ("the key in one object, and an empty one", [{"key": "a"}, {}]),
    ("a query that is a text", "name"),
    ("a query that is a number", 1),
    ("a query that is a boolean", True),
    ("a list of texts", ["name"]),
    ("a list of null", [None]),
    ("a list of lists", [[{"name": 1}]]),
    ("a good object and a number", [{"name": 1}, 1]),
    ("an attribute name with NUL", {"a\x00": 1}),
    ("a text with NUL", {"a": "\x00"}),
    ("a prefix with NUL", {"a?pfx": "\x00"}),
    ("a key with NUL", {"key": "\x00"}),
    ("a key prefix with NUL", {"key?pfx": "\x00"}),
]


@pytest.mark.parametrize("query", [query for _, query in BAD_QUERIES], ids=[name for name, _ in BAD_QUERIES])
def test_query_says_what_is_wrong_and_where(client: BaseClient, query: Any) -> None:
    client.put({"key": "a", "name": "x"})

    response = client.query(query)

    assert response.status_code == 400
    answer = exact_json(response)
    assert list(answer) == ["errors"]
    assert answer["errors"][0] == "Bad query"
    assert len(answer["errors"]) == 2
    assert answer["errors"][1]


def test_query_is_checked_in_a_base_that_does_not_exist_too(client: BaseClient) -> None:
    assert exact_json(client.query({"name?": 1}))["errors"][0] == "Bad query"


def test_query_names_the_object_and_the_entry_that_is_wrong(client: BaseClient) -> None:
    _, where = exact_json(client.query([{"good": 1}, {"age?random": 1}]))["errors"]

    assert "1" in where
    assert "age?random" in where


BAD_OPTIONS: list[tuple[str, dict[str, Any]]] = [
    ("limit 0", {"limit": 0}),
    ("limit -1", {"limit": -1}),
    ("limit a fraction", {"limit": 1.5}),
    ("limit a text", {"limit": "5"}),
    ("limit a boolean", {"limit": True}),
    ("limit a list", {"limit": [1]}),
    ("limit an object", {"limit": {}}),
    ("last a number", {"last": 1}),
    ("last a boolean", {"last": True}),
    ("last a list", {"last": ["a"]}),
    ("last with NUL", {"last": "a\x00"}),
    ("sort unknown", {"sort": "down"}),
    ("sort in capitals", {"sort": "DESC"}),
    ("sort a number", {"sort": 1}),
    ("sort a list", {"sort": ["desc"]}),
    ("sort an object", {"sort": {}}),
    ("sort a boolean", {"sort": False}),
]


@pytest.mark.parametrize("options", [options for _, options in BAD_OPTIONS], ids=[name for name, _ in BAD_OPTIONS])
def test_query_refuses_options_that_make_no_sense(client: BaseClient, options: dict[str, Any]) -> None:
    client.put({"key": "a"})

    response = client.query([], **options)

    assert response.status_code == 400
    assert list(exact_json(response)) == ["errors"]


def test_query_of_1000_objects_is_answered(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1}, {"key": "b", "n": 999}, {"key": "c", "n": 1000})

    response = client.query([{"n": n} for n in range(1000)])

    assert [item["key"] for item in exact_json(response)["items"]] == ["a", "b"]


def test_query_of_1000_objects_that_no_index_answers_is_answered(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1}, {"key": "b", "n": 999}, {"key": "c", "n": -1})

    response = client.query([{"n?gte": n} for n in range(1000)])

    assert [item["key"] for item in exact_json(response)["items"]] == ["a", "b"]


def test_query_beyond_all_measure_is_400_and_no_500(client: BaseClient) -> None:
    for query in ([{"n": n} for n in range(100_000)], {f"n{n}": n for n in range(100_000)}, {"a." * 50_000 + "a": 1}):
        assert client.query(query).status_code in (200, 400)


@pytest.mark.parametrize("levels", [101, 100_000])
def test_query_for_a_value_nested_too_deep_is_400(client: BaseClient, levels: int) -> None:
    client.put({"key": "a"})

    response = client.send("POST", "/query", content=b'{"query":{"a":%s}}' % (b"[" * levels + b"]" * levels))

    assert response.status_code == 400
