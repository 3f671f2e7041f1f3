"""POST /query: which items each operator matches (contract: Base)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.factories import BaseClient, exact_json, make_client

ITEMS: list[dict[str, Any]] = [
    {"key": "int", "v": 9},
    {"key": "one", "v": 1},
    {"key": "one-point-nought", "v": Decimal("1.0")},
    {"key": "neg", "v": Decimal("-2.5")},
    {"key": "huge", "v": 9007199254740993},
    {"key": "str", "v": "9"},
    {"key": "empty", "v": ""},
    {"key": "word", "v": "banana"},
    {"key": "upper", "v": "Banana"},
    {"key": "pct", "v": "100%_\\x"},
    {"key": "bmp", "v": "\ufffd"},
    {"key": "astral", "v": "🙂"},
    {"key": "true", "v": True},
    {"key": "false", "v": False},
    {"key": "null", "v": None},
    {"key": "none"},
    {"key": "list", "v": ["ban", "b", "100%_\\x", 9]},
    {"key": "empty-list", "v": []},
    {"key": "list-of-list", "v": [["b"]]},
    {"key": "obj", "v": {"a": 1, "b": [1, {"c": None}]}},
    {"key": "empty-obj", "v": {}},
]
ALL = {item["key"] for item in ITEMS}
TEXTS = {"str", "empty", "word", "upper", "pct", "bmp", "astral"}

# query, the keys that match
MATCHES: list[tuple[Any, set[str]]] = [
    # equality
    ({"v": 9}, {"int"}),
    ({"v?eq": 9}, {"int"}),
    ({"v": "9"}, {"str"}),
    ({"v": 1}, {"one", "one-point-nought"}),
    ({"v": Decimal("1.0")}, {"one", "one-point-nought"}),
    ({"v": Decimal("1.00e0")}, {"one", "one-point-nought"}),
    ({"v": 9007199254740993}, {"huge"}),
    ({"v": 9007199254740992}, set()),
    ({"v": True}, {"true"}),
    ({"v": False}, {"false"}),
    ({"v": 0}, set()),
    ({"v": None}, {"null"}),
    ({"v": ""}, {"empty"}),
    ({"v": "banana"}, {"word"}),
    ({"v": []}, {"empty-list"}),
    ({"v": {}}, {"empty-obj"}),
    ({"v": ["ban", "b", "100%_\\x", 9]}, {"list"}),
    ({"v": ["b", "ban", "100%_\\x", 9]}, set()),
    ({"v": ["ban"]}, set()),
    ({"v": {"b": [1, {"c": None}], "a": Decimal("1.0")}}, {"obj"}),
    ({"v": {"a": 1}}, set()),
    ({"v": "b"}, set()),
    ({"v.a": 1}, {"obj"}),
    ({"v.b": [1, {"c": None}]}, {"obj"}),
    ({"v.a.b": 1}, set()),
    ({"v.0": "ban"}, set()),
    ({"v.none": None}, set()),
    # inequality, which matches a missing attribute as well
    ({"v?ne": 9}, ALL - {"int"}),
    ({"v?!=": 9}, ALL - {"int"}),
    ({"v?ne": 1}, ALL - {"one", "one-point-nought"}),
    ({"v?ne": None}, ALL - {"null"}),
    ({"v?ne": {}}, ALL - {"empty-obj"}),
    ({"v?!=": "banana"}, ALL - {"word"}),
    ({"v.a?ne": 1}, ALL - {"obj"}),
    ({"nowhere?ne": 1}, ALL),
    # order, which never crosses types
    ({"v?gt": 5}, {"int", "huge"}),
    ({"v?>": 9}, {"huge"}),
    ({"v?gte": 9}, {"int", "huge"}),
    ({"v?>=": Decimal("9.0")}, {"int", "huge"}),
    ({"v?lt": 1}, {"neg"}),
    ({"v?<": Decimal("1.00000000000000000000000000000000001")}, {"neg", "one", "one-point-nought"}),
    ({"v?lte": 1}, {"neg", "one", "one-point-nought"}),
    ({"v?<=": Decimal("-2.5")}, {"neg"}),
    ({"v?gt": 9007199254740992}, {"huge"}),
    ({"v?lt": 9007199254740993}, {"int", "one", "one-point-nought", "neg"}),
    ({"v?gt": ""}, TEXTS - {"empty"}),
    ({"v?gte": ""}, TEXTS),
    ({"v?lt": ""}, set()),
    ({"v?lt": "Banana"}, {"str", "empty", "pct"}),
    ({"v?>": "Banana"}, {"word", "bmp", "astral"}),
    ({"v?gt": "\ufffd"}, {"astral"}),
    ({"v?lt": "🙂"}, TEXTS - {"astral"}),
    ({"v.a?gte": 1}, {"obj"}),
    ({"nowhere?lt": 1}, set()),
    ({"nowhere?gte": ""}, set()),
    # ranges include both ends
    ({"v?r": [1, 9]}, {"one", "one-point-nought", "int"}),
    ({"v?r": [1, 1]}, {"one", "one-point-nought"}),
    ({"v?r": [9, 1]}, set()),
    ({"v?r": [Decimal("-1e100"), Decimal("1e100")]}, {"neg", "one", "one-point-nought", "int", "huge"}),
    ({"v?r": ["9", "Banana"]}, {"str", "upper"}),
    ({"v?r": ["a", "c"]}, {"word"}),
    ({"nowhere?r": [0, 9]}, set()),
    # prefixes
    ({"v?pfx": "ban"}, {"word"}),
    ({"v?pfx": "banana"}, {"word"}),
    ({"v?pfx": "bananas"}, set()),
    ({"v?pfx": ""}, TEXTS),
    ({"v?pfx": "100%"}, {"pct"}),
    ({"v?pfx": "%"}, set()),
    ({"v?pfx": "1__"}, set()),
    ({"v?pfx": "100%_\\"}, {"pct"}),
    ({"v?pfx": "\\"}, set()),
    ({"v?pfx": "🙂"}, {"astral"}),
    # contains: a substring of a string, a member of a list of strings
    ({"v?contains": "nan"}, {"word", "upper"}),
    ({"v?contains": "b"}, {"word", "list"}),
    ({"v?contains": "ban"}, {"word", "list"}),
    ({"v?contains": "an"}, {"word", "upper"}),
    ({"v?contains": ""}, TEXTS),
    ({"v?contains": "9"}, {"str"}),
    ({"v?contains": "a"}, {"word", "upper"}),
    ({"v?contains": "%"}, {"pct"}),
    ({"v?contains": "_"}, {"pct"}),
    ({"v?contains": "\\"}, {"pct"}),
    ({"v?contains": "100%_\\x"}, {"pct", "list"}),
    ({"v?contains": ".*"}, set()),
    ({"nowhere?contains": ""}, set()),
    ({"v?not_contains": "b"}, ALL - {"word", "list"}),
    ({"v?!contains": "b"}, ALL - {"word", "list"}),
    ({"v?not_contains": ""}, ALL - TEXTS),
    ({"nowhere?not_contains": "b"}, ALL),
    # on the key
    ({"key": "one"}, {"one"}),
    ({"key?eq": "one"}, {"one"}),
    ({"key": "On"}, set()),
    ({"key?pfx": "one"}, {"one", "one-point-nought"}),
    ({"key?pfx": ""}, ALL),
    ({"key?pfx": "%"}, set()),
    ({"key?pfx": "o_"}, set()),
    ({"key?gt": "true"}, {"upper", "word"}),
    ({"key?>": "true"}, {"upper", "word"}),
    ({"key?gte": "true"}, {"true", "upper", "word"}),
    ({"key?>=": "true"}, {"true", "upper", "word"}),
    ({"key?lt": "bmp"}, {"astral"}),
    ({"key?<": "bmp"}, {"astral"}),
    ({"key?lte": "bmp"}, {"astral", "bmp"}),
    ({"key?<=": "bmp"}, {"astral", "bmp"}),
    ({"key?r": ["astral", "empty"]}, {"astral", "bmp", "empty"}),
    ({"key?r": ["b", "a"]}, set()),
    # and, or
    ({"v?gt": 1, "v?lt": 100}, {"int"}),
    ({"v?pfx": "b", "v?contains": "nan", "v?ne": "x"}, {"word"}),
    ({"v": 9, "v?ne": 9}, set()),
    ([{"v": 9}, {"v": "9"}], {"int", "str"}),
    ([{"v": 9}, {"v": 9}], {"int"}),
    ([{"v": 9}, {"v?gt": 1000}], {"int", "huge"}),
    ([{"v": 9}, {}], ALL),
    ([{"v": 9, "v.a": 1}, {"v": {}}], {"empty-obj"}),
    ({"v": {"a": 1, "b": [1, {"c": None}]}, "v.a": 1}, {"obj"}),
    ({"v": {"a": 1}, "v.a": 1}, set()),
    ({"key?pfx": "one", "v": 1}, {"one", "one-point-nought"}),
    ({"key": "one", "v": 9}, set()),
    ([{"key?pfx": "e", "v": ""}, {"key?pfx": "e", "v": {}}], {"empty", "empty-obj"}),
    ([{"key?pfx": "e"}, {"key?pfx": "e", "v": {}}], {"empty", "empty-list", "empty-obj"}),
    # everything
    ([], ALL),
    ([{}], ALL),
    ({}, ALL),
    (None, ALL),
]


@pytest.fixture(scope="module")
def mixed(server: Any, django_db_blocker: Any) -> BaseClient:
    """A Base with ITEMS, which these tests only read."""
    with django_db_blocker.unblock():
        client = make_client(server)
    assert client.put(*ITEMS).status_code == 207
    return client


@pytest.mark.parametrize("query, matching", MATCHES, ids=[repr(query)[:60] for query, _ in MATCHES])
def test_query_matches(mixed: BaseClient, query: Any, matching: set[str]) -> None:
    response = mixed.query(query)

    assert response.status_code == 200, response.text
    by_key = sorted((item for item in ITEMS if item["key"] in matching), key=lambda item: item["key"].encode())
    assert exact_json(response) == {"paging": {"size": len(by_key)}, "items": by_key}


@pytest.mark.parametrize("query, matching", MATCHES, ids=[repr(query)[:60] for query, _ in MATCHES])
def test_query_finds_the_same_page_by_page_backwards(mixed: BaseClient, query: Any, matching: set[str]) -> None:
    found: list[str] = []
    options: dict[str, Any] = {"limit": 5, "sort": "desc"}
    while True:
        answer = exact_json(mixed.query(query, **options))
        found += [item["key"] for item in answer["items"]]
        if "last" not in answer["paging"]:
            break
        assert answer["paging"]["last"] == found[-1]
        options["last"] = found[-1]

    assert found == sorted(matching, reverse=True)


NAMES = ["a'b", 'a"b', "a__gt", "{a,b}", "a b') OR 1=1--", "$1", "%s", "a\\b", "🙂", "a?b", "key ", " key", "KEY", "\n"]
# Of a path of JSON, which orders and prefixes become, these are signs, or what its quotation marks would end at.
NAMES += ["*", "**", "@", "$", "[0]", "strict", '" > "', "\\u0061", "\\", "\x01", "\x7f", "\u2028"]


@pytest.mark.parametrize("name", NAMES)
def test_query_takes_any_attribute_name_literally(client: BaseClient, name: str) -> None:
    client.put({"key": "yes", name: "x", "o": {name: 1}}, {"key": "no", "o": {}}, {"key": "other", name: "y"})

    assert [item["key"] for item in exact_json(client.query({f"{name}?eq": "x"}))["items"]] == ["yes"]
    assert [item["key"] for item in exact_json(client.query({f"{name}?pfx": "y"}))["items"]] == ["other"]
    assert [item["key"] for item in exact_json(client.query({f"o.{name}?gte": 1}))["items"]] == ["yes"]


@pytest.mark.parametrize("text", [*NAMES, '"', "' || '", '" || "a" == "a', "é", "\ufeff"])
def test_query_takes_any_text_literally(client: BaseClient, text: str) -> None:
    client.put({"key": "yes", "t": text}, {"key": "longer", "t": f"{text}a"}, {"key": "no", "t": ""}, {"key": "none"})

    def found(**query: object) -> list[str]:
        return [
            item["key"] for item in exact_json(client.query({f"t?{name}": of for name, of in query.items()}))["items"]
        ]

    assert found(r=[text, text]) == ["yes"]
    assert found(pfx=text) == ["longer", "yes"]
    assert found(gt=text) == ["longer"]
    assert found(lt=text) == ["no"]


def test_attribute_and_what_is_inside_it_are_both_asked_for(client: BaseClient) -> None:
    client.put({"key": "both", "a": {"x": 1, "b": 2}}, {"key": "one", "a": {"x": 1}})

    def found(query: object) -> list[str]:
        return [item["key"] for item in client.send("POST", "/query", {"query": query}).json()["items"]]

    assert found({"a": {"x": 1}, "a.b": 2}) == []
    assert found({"a.b": 2, "a": {"x": 1}}) == []
    assert found({"a": {"x": 1, "b": 2}, "a.b": 2}) == ["both"]
    assert found({"a.b": 2, "a.x": 1}) == ["both"]
    assert found({"a": {"x": 1}}) == ["one"]
