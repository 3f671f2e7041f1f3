"""PUT /items (contract: Base)."""

import re
from typing import Any

import pytest

from tests.factories import BaseClient, exact_dump, exact_json, item_of_size, nested_item

STORED = [
    ("one item", [{"key": "a", "n": 1}]),
    ("a key and nothing else", [{"key": "a"}]),
    (
        "every type of value",
        [{"key": "a", "t": True, "f": False, "z": None, "s": "x", "l": [1, [], {}], "o": {"p": {}}}],
    ),
    ("request order, not key order", [{"key": "c"}, {"key": "a"}, {"key": "b"}]),
    ("25 items", [{"key": f"k{n:02}", "n": n} for n in range(25)]),
    ("a key of 1,024 bytes", [{"key": "k" * 1024}]),
    ("a key of 1,024 bytes in 512 characters", [{"key": "é" * 512}]),
    ("an item of 409,600 bytes", [item_of_size(409_600)]),
    ("an item of 409,599 bytes", [item_of_size(409_599)]),
    ("attribute names of other systems", [{"key": "a", "$ref": 1, "a.b": 2, "a?gt": 3, " ": 4, "a'b": 5, 'a"b': 6}]),
    ("text outside the basic plane", [{"key": "🙂", "é": "\U0001d4b3", "controls": "\x01\x1f\x7f\n"}]),
]


@pytest.mark.parametrize("items", [items for _, items in STORED], ids=[name for name, _ in STORED])
def test_put_stores_and_answers_items_in_request_order(client: BaseClient, items: list[dict[str, Any]]) -> None:
    response = client.put(*items)

    assert response.status_code == 207
    assert exact_json(response) == {"processed": {"items": items}}
    assert [client.stored(item["key"]) for item in items] == items


REFUSED = [
    ("no items", {"items": []}),
    ("26 items", {"items": [{"key": f"k{n}"} for n in range(26)]}),
    ("items missing", {}),
    ("items null", {"items": None}),
    ("items an object", {"items": {"key": "a"}}),
    ("items a string", {"items": "a"}),
    ("an item that is a list", {"items": [{"key": "good"}, []]}),
    ("an item that is null", {"items": [{"key": "good"}, None]}),
    ("an item that is a string", {"items": [{"key": "good"}, "x"]}),
    ("an item that is a number", {"items": [{"key": "good"}, 1]}),
    ("a key that is a number", {"items": [{"key": "good"}, {"key": 1}]}),
    ("a key that is a boolean", {"items": [{"key": "good"}, {"key": True}]}),
    ("a key that is a list", {"items": [{"key": "good"}, {"key": ["a"]}]}),
    ("a key that is an object", {"items": [{"key": "good"}, {"key": {}}]}),
    ("an empty key", {"items": [{"key": "good"}, {"key": ""}]}),
    ("a key of 1,025 bytes", {"items": [{"key": "good"}, {"key": "k" * 1025}]}),
    ("a key of 1,026 bytes in 513 characters", {"items": [{"key": "good"}, {"key": "é" * 513}]}),
    ("a key with NUL", {"items": [{"key": "good"}, {"key": "a\x00b"}]}),
    ("two items with one key", {"items": [{"key": "good", "n": 1}, {"key": "good", "n": 2}]}),
    ("an item of 409,601 bytes", {"items": [{"key": "good"}, item_of_size(409_601)]}),
    ("an item of 409,601 bytes in fewer characters", {"items": [{"key": "good"}, {"key": "u", "t": "é" * 204_792}]}),
    ("__expires a string", {"items": [{"key": "good"}, {"key": "e", "__expires": "1"}]}),
    ("__expires null", {"items": [{"key": "good"}, {"key": "e", "__expires": None}]}),
    ("__expires a boolean", {"items": [{"key": "good"}, {"key": "e", "__expires": True}]}),
    ("a text with NUL", {"items": [{"key": "good"}, {"key": "e", "t": "a\x00b"}]}),
    ("an attribute name with NUL", {"items": [{"key": "good"}, {"key": "e", "t\x00": 1}]}),
]


@pytest.mark.parametrize("body", [body for _, body in REFUSED], ids=[name for name, _ in REFUSED])
def test_put_refuses_the_whole_request_and_stores_nothing(client: BaseClient, body: dict[str, Any]) -> None:
    response = client.send("PUT", "/items", body)

    assert response.status_code == 400
    answer = exact_json(response)
    assert list(answer) == ["errors"]
    assert all(isinstance(message, str) and message for message in answer["errors"])
    assert client.all_keys() == []


def test_put_replaces_the_whole_item(client: BaseClient) -> None:
    client.put({"key": "a", "old": 1, "both": 1})

    assert client.put({"key": "a", "both": 2}).status_code == 207
    assert client.stored("a") == {"key": "a", "both": 2}
    assert client.all_keys() == ["a"]


def test_put_generates_missing_keys_in_order_of_time(client: BaseClient) -> None:
    first = exact_json(client.put(*({"n": n} for n in range(25))))["processed"]["items"]
    then = exact_json(client.put({"n": 25}))["processed"]["items"]

    keys = [item["key"] for item in first]
    assert all(re.fullmatch("[a-z0-9]{12}", key) for key in keys)
    assert keys == sorted(set(keys))
    assert keys[-1][:6] <= then[0]["key"][:6]  # in one second either may be the first
    assert [item["n"] for item in first + then] == list(range(26))
    assert client.all_keys() == sorted([*keys, then[0]["key"]])


def test_put_takes_null_for_no_key(client: BaseClient) -> None:
    items = [
        {"key": None, "n": 0},
        {"key": "a", "n": 1},
        {"key": None, "n": 2},
        {"key": None, "": 3},
        {"key": None, "": 4},
    ]

    answer = exact_json(client.put(*items))

    stored = answer["processed"]["items"]
    assert answer["failed"]["items"] == items[3:]
    assert [item["n"] for item in stored] == [0, 1, 2]
    assert all(re.fullmatch("[a-z0-9]{12}", stored[place]["key"]) for place in (0, 2))
    assert [client.stored(item["key"]) for item in stored] == stored


def test_put_reports_items_with_an_empty_attribute_name_as_failed(client: BaseClient) -> None:
    items = [{"key": "a", "": 1}, {"key": "b"}, {"key": "c", "deep": [{"": {}}]}, {"key": "d"}]

    response = client.put(*items)

    assert response.status_code == 207
    assert exact_json(response) == {
        "processed": {"items": [{"key": "b"}, {"key": "d"}]},
        "failed": {"items": [{"key": "a", "": 1}, {"key": "c", "deep": [{"": {}}]}]},
    }
    assert client.all_keys() == ["b", "d"]


def test_put_where_every_item_fails_stores_nothing(client: BaseClient) -> None:
    response = client.put({"key": "a", "": 1})

    assert response.status_code == 207
    assert exact_json(response) == {"processed": {"items": []}, "failed": {"items": [{"key": "a", "": 1}]}}
    assert client.all_keys() == []


FAILED_AND_BROKEN = [
    ("the key of another item", {"key": "good", "": 1}),
    ("a key that is no string", {"key": 1, "": 1}),
    ("an item over 400 KB", item_of_size(409_600) | {"": 1}),
]


@pytest.mark.parametrize("item", [item for _, item in FAILED_AND_BROKEN], ids=[name for name, _ in FAILED_AND_BROKEN])
def test_put_refuses_all_when_a_failed_item_breaks_a_rule_for_requests_too(
    client: BaseClient, item: dict[str, Any]
) -> None:
    assert client.put({"key": "good"}, item).status_code == 400
    assert client.all_keys() == []


@pytest.mark.parametrize(("size_bytes", "status"), [(16_777_215, 207), (16_777_216, 207), (16_777_217, 400)])
def test_put_takes_a_body_of_16_mb_and_not_a_byte_more(client: BaseClient, size_bytes: int, status: int) -> None:
    body = exact_dump({"items": [{"key": "a"}]})

    response = client.send("PUT", "/items", content=body + b" " * (size_bytes - len(body)))

    assert response.status_code == status
    assert client.all_keys() == (["a"] if status == 207 else [])
    if status == 400:
        assert list(exact_json(response)) == ["errors"]


def test_put_takes_25_items_of_400_kb_at_once(client: BaseClient) -> None:
    items = [item_of_size(409_600, f"k{n:02}") for n in range(25)]

    assert client.put(*items).status_code == 207
    assert client.stored("k24") == items[24]


@pytest.mark.parametrize(("levels", "status"), [(99, 207), (100, 207), (101, 400), (100_000, 400)])
def test_put_takes_100_levels_of_nesting(client: BaseClient, levels: int, status: int) -> None:
    response = client.send("PUT", "/items", content=b'{"items":[' + nested_item(levels) + b"]}")

    assert response.status_code == status
    assert client.all_keys() == (["deep"] if status == 207 else [])


def test_put_keeps_the_last_of_two_attributes_with_one_name(client: BaseClient) -> None:
    response = client.send("PUT", "/items", content=b'{"items":[{"key":"x","a":1,"a":{"b":1,"b":2},"key":"y"}]}')

    assert exact_json(response) == {"processed": {"items": [{"key": "y", "a": {"b": 2}}]}}
    assert client.all_keys() == ["y"]
