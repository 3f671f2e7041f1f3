"""POST /items (contract: Base)."""

import re
from typing import Any

import pytest

from tests.factories import BaseClient, exact_json, item_of_size, nested_item

STORED = [
    ("an item", {"key": "a", "n": 1, "o": {"p": [None]}}),
    ("a key and nothing else", {"key": "a"}),
    ("a key of 1,024 bytes", {"key": "k" * 1024}),
    ("an item of 409,600 bytes", item_of_size(409_600)),
]


@pytest.mark.parametrize("item", [item for _, item in STORED], ids=[name for name, _ in STORED])
def test_insert_answers_201_and_the_item(client: BaseClient, item: dict[str, Any]) -> None:
    response = client.insert(item)

    assert response.status_code == 201
    assert exact_json(response) == item
    assert client.stored(item["key"]) == item


@pytest.mark.parametrize("given", [{"n": 1}, {"n": 1, "key": None}], ids=["no key", "null"])
def test_insert_generates_a_missing_key(client: BaseClient, given: dict[str, Any]) -> None:
    response = client.insert(given)

    item = exact_json(response)
    assert response.status_code == 201
    assert re.fullmatch("[a-z0-9]{12}", item["key"])
    assert item == {"key": item["key"], "n": 1} == client.stored(item["key"])


def test_insert_of_a_taken_key_is_409_and_changes_nothing(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1})

    response = client.insert({"key": "a", "n": 2})

    assert response.status_code == 409
    assert exact_json(response) == {"errors": ["Key already exists"]}
    assert client.stored("a") == {"key": "a", "n": 1}


def test_insert_takes_the_key_of_an_expired_item(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1, "__expires": 1})

    response = client.insert({"key": "a", "n": 2})

    assert response.status_code == 201
    assert client.stored("a") == {"key": "a", "n": 2}


REFUSED = [
    ("item missing", {}),
    ("item null", {"item": None}),
    ("item a list", {"item": [{"key": "a"}]}),
    ("item a string", {"item": "a"}),
    ("items instead of item", {"items": [{"key": "a"}]}),
    ("a key that is a number", {"item": {"key": 1}}),
    ("a key that is a boolean", {"item": {"key": False}}),
    ("an empty key", {"item": {"key": ""}}),
    ("a key of 1,025 bytes", {"item": {"key": "k" * 1025}}),
    ("a key with NUL", {"item": {"key": "\x00"}}),
    ("an item of 409,601 bytes", {"item": item_of_size(409_601)}),
    ("an empty attribute name", {"item": {"key": "a", "": 1}}),
    ("an empty attribute name further down", {"item": {"key": "a", "b": {"c": [{"": 1}]}}}),
    ("__expires a string", {"item": {"key": "a", "__expires": "1700000000"}}),
    ("__expires null", {"item": {"key": "a", "__expires": None}}),
    ("a text with NUL", {"item": {"key": "a", "t": "\x00"}}),
]


@pytest.mark.parametrize("body", [body for _, body in REFUSED], ids=[name for name, _ in REFUSED])
def test_insert_refuses_and_stores_nothing(client: BaseClient, body: dict[str, Any]) -> None:
    response = client.send("POST", "/items", body)

    assert response.status_code == 400
    assert list(exact_json(response)) == ["errors"]
    assert client.all_keys() == []


@pytest.mark.parametrize(("levels", "status"), [(100, 201), (101, 400), (100_000, 400)])
def test_insert_takes_100_levels_of_nesting(client: BaseClient, levels: int, status: int) -> None:
    response = client.send("POST", "/items", content=b'{"item":' + nested_item(levels) + b"}")

    assert response.status_code == status
