"""Writes that hold only for one state of an item (contract: Base, If-Match)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from tests.api.test_concurrency import at_once
from tests.factories import BaseClient, exact_json, make_client

REFUSED = {"errors": ["The item has another revision"]}

WRITES: dict[str, tuple[str, str, Any, int, Any]] = {
    "put": ("PUT", "/items", {"items": [{"key": "a", "n": 2}]}, 207, {"key": "a", "n": 2}),
    "patch": ("PATCH", "/items/a", {"increment": {"n": 1}}, 200, {"key": "a", "n": 2}),
    "delete": ("DELETE", "/items/a", None, 200, None),
}


def write(client: BaseClient, kind: str, if_match: str | None) -> httpx.Response:
    method, path, body, _, _ = WRITES[kind]
    headers = {} if if_match is None else {"If-Match": if_match}
    return client.send(method, path, *([] if body is None else [body]), headers=headers)


@pytest.fixture
def tag(client: BaseClient) -> str:
    """The tag of the item `a` as it stands; `b` is beside it."""
    client.put({"key": "b"})
    return client.put({"key": "a", "n": 1}).headers["ETag"]


HOLDS = ["{tag}", "*", '"1", {tag}, "x"', '{tag},"1"', "{tag} , "]
FAILS = [
    '"1"',
    "W/{tag}",
    '"1", "2"',
    "",
    "nonsense",
    "{bare}",
    '"x{bare}"',
    '"{bare}0000000000000000000"',
    '"-1"',
    '"*"',
]


@pytest.mark.parametrize("kind", WRITES)
def test_a_write_is_made_while_the_item_is_as_expected(client: BaseClient, kind: str, tag: str) -> None:
    _, _, _, status, stored = WRITES[kind]
    for form in HOLDS:
        current = client.put({"key": "a", "n": 1}).headers["ETag"]

        response = write(client, kind, form.format(tag=current))

        assert response.status_code == status, form
        assert client.stored("a") == stored
        assert response.headers.get("ETag") == client.get("a").headers.get("ETag") != current


@pytest.mark.parametrize("kind", WRITES)
def test_a_write_is_refused_where_the_item_is_another(client: BaseClient, kind: str, tag: str) -> None:
    for form in [*FAILS, client.get("b").headers["ETag"]]:
        response = write(client, kind, form.format(tag=tag, bare=tag.strip('"')))

        assert (response.status_code, exact_json(response)) == (412, REFUSED), form
        assert "ETag" not in response.headers
    assert client.get("a").headers["ETag"] == tag


@pytest.mark.parametrize("kind", WRITES)
@pytest.mark.parametrize("absence", ["missing", "expired", "no Base"])
def test_what_is_not_there_has_no_revision(client: BaseClient, kind: str, absence: str) -> None:
    if absence == "expired":
        client.put({"key": "a", "__expires": 1})
    elif absence == "missing":
        client.put({"key": "b"})

    for if_match in ("*", '"1"'):
        response = write(client, kind, if_match)
        # Where it would fail anyhow, a condition is not looked at (RFC 9110, 13.2.1).
        expected = (404, {"errors": ["Key not found"]}) if kind == "patch" else (412, REFUSED)
        assert (response.status_code, exact_json(response)) == expected
    assert client.stored("a") is None


def test_an_item_without_a_key_is_nowhere_yet(client: BaseClient) -> None:
    assert client.send("PUT", "/items", {"items": [{"n": 1}]}, headers={"If-Match": "*"}).status_code == 412
    assert client.all_keys() == []


def test_a_condition_goes_with_one_item(client: BaseClient, tag: str) -> None:
    body = {"items": [{"key": "a"}, {"key": "c"}]}

    response = client.send("PUT", "/items", body, headers={"If-Match": tag})

    assert response.status_code == 400
    assert exact_json(response)["errors"] == ["Bad items", "If-Match goes with one item, this put has 2"]
    assert client.all_keys() == ["a", "b"]


def test_a_bad_patch_of_another_state_is_told_of_the_state(client: BaseClient, tag: str) -> None:
    response = client.send("PATCH", "/items/a", {"append": {"n": [1]}}, headers={"If-Match": '"1"'})

    assert response.status_code == 412


def test_every_write_tells_its_revisions(client: BaseClient) -> None:
    put = client.put({"key": "c"}, {"key": "a"}, {"key": "x", "": 1}, {"key": "b"})
    revisions = [client.get(key).headers["ETag"].strip('"') for key in "cab"]
    assert put.headers["Item-Revisions"] == ", ".join(revisions)
    assert "ETag" not in put.headers
    assert len(set(revisions)) == 3

    writes: list[Callable[[], httpx.Response]] = [
        lambda: client.put({"key": "a", "n": 1}),
        lambda: client.update("a", {"increment": {"n": 1}}),
        lambda: client.insert({"key": "d"}),
        lambda: client.insert({}),
    ]
    for made in writes:
        response = made()
        found = exact_json(response)
        key = found["key"] if "key" in found else found["processed"]["items"][0]["key"]
        assert response.headers["ETag"] == client.get(key).headers["ETag"]
        assert response.headers["Item-Revisions"] == response.headers["ETag"].strip('"')
    for response in (client.put({"key": "a", "": 1}), client.insert({"key": "a"}), client.delete("a")):
        assert not {"ETag", "Item-Revisions"} & set(response.headers)


def test_a_key_that_may_only_read_learns_nothing_of_revisions(client: BaseClient, tag: str) -> None:
    reader = make_client(client.server, collection_id=client.collection_id, can_write=False)
    for kind in WRITES:
        for if_match in (tag, '"1"', "*"):
            assert write(reader, kind, if_match).status_code == 403


@pytest.mark.parametrize("kind", WRITES)
def test_of_many_writes_from_one_state_one_is_made(client: BaseClient, kind: str, tag: str) -> None:
    responses = at_once([partial(write, client, kind, tag)] * 12)

    statuses = [response.status_code for response in responses]
    made = WRITES[kind][3]
    assert statuses.count(made) == 1
    # Once it is gone, there is nothing to update.
    assert set(statuses) <= {made, 412}
    assert client.stored("a") == WRITES[kind][4]


def test_counting_by_hand_loses_nothing(client: BaseClient) -> None:
    client.put({"key": "a", "n": 0})

    def count() -> None:
        for _ in range(5):
            while True:
                found = client.get("a")
                item = {"key": "a", "n": exact_json(found)["n"] + 1}
                tag = found.headers["ETag"]
                if client.send("PUT", "/items", {"items": [item]}, headers={"If-Match": tag}).status_code == 207:
                    break

    at_once([count] * 4)
    assert client.stored("a") == {"key": "a", "n": 20}
