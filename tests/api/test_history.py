"""GET /history, and `as_of` in POST /query (contract: Base, History)."""

import time
from typing import Any
from urllib.parse import quote

import pytest

from storage.base import items
from storage.collections import stores
from storage.history.authors import author_id, find_author
from storage.postgres.caller import Access
from tests.factories import BaseClient, exact_json, item_of_size, make_client


def history(client: BaseClient, key: str, **options: Any) -> Any:
    more = "".join(f"&{name}={value}" for name, value in options.items())
    response = client.send("GET", f"/history?key={quote(key, safe='')}{more}")
    assert response.status_code == 200, response.text
    return exact_json(response)


def test_the_versions_of_an_item_newest_first(client: BaseClient) -> None:
    began = time.time()
    key = "a/b +ü?&\n"
    written = [client.put({"key": key, "n": 1}), client.update(key, {"set": {"n": 2.50}}), client.delete(key)]
    items.put_items(access=Access(client.collection_id), base=client.name, items=[{"key": key}])
    answer = history(client, key)
    assert list(answer) == ["paging", "versions"]
    assert answer["paging"] == {"size": 4}
    assert all(list(version) == ["revision", "at", "by", "before", "after"] for version in answer["versions"])
    states = [None, {"key": key, "n": 1}, {"key": key, "n": 2.5}, None, {"key": key}]
    assert [version["after"] for version in answer["versions"]] == states[:0:-1]
    assert [version["before"] for version in answer["versions"]] == states[-2::-1]
    by = author_id(client.collection_id, by_key=client.key_id, by_person=None)
    assert by is not None
    assert [version["by"] for version in answer["versions"]] == [None, by, by, by]
    assert str(client.key_id) != by
    assert find_author(client.collection_id, by, key_ids=[client.key_id], person_ids=[1]) == (client.key_id, None)
    assert find_author(client.collection_id, by, key_ids=[client.key_id + 1], person_ids=[client.key_id]) == (
        None,
        None,
    )
    assert [f'"{version["revision"]}"' for version in answer["versions"][2:]] == [
        response.headers["ETag"] for response in written[1::-1]
    ]
    times = [float(version["at"]) for version in answer["versions"]]
    assert times == sorted(times, reverse=True)
    assert began - 60 < times[-1] < time.time() + 60

    pages, last = [], dict[str, Any]()
    while True:
        page = history(client, key, limit=1, **last)
        pages += page["versions"]
        if "last" not in page["paging"]:
            break
        last = {"last": page["paging"]["last"]}
    assert pages == answer["versions"]


def test_an_answer_of_versions_has_about_a_megabyte(client: BaseClient) -> None:
    for _ in range(4):
        client.put(item_of_size(400_000))
    sizes: list[int] = []
    last: dict[str, Any] | None = {}
    while last is not None:
        page = history(client, "big", **last)
        sizes.append(page["paging"]["size"])
        last = {"last": page["paging"]["last"]} if "last" in page["paging"] else None
    assert sizes[:2] == [2, 2]
    assert sum(sizes) == 4


def test_what_never_was_has_no_versions(client: BaseClient) -> None:
    assert history(client, "a") == {"paging": {"size": 0}, "versions": []}
    client.put({"key": "a"})
    assert history(client, "b") == {"paging": {"size": 0}, "versions": []}


BAD_REQUESTS = {
    "no key": ("", "A key is not a string"),
    "empty key": ("key=", "A key is empty or longer than 1024 bytes"),
    "NUL": ("key=%00", "A key holds the character \\u0000"),
    "no text": ("key=%FF", "Bad query string"),
    "two keys": ("key=a&key=b", "Bad query string"),
    "limit of none": ("key=a&limit=0", "Bad limit"),
    "limit below": ("key=a&limit=-1", "Bad limit"),
    "limit of words": ("key=a&limit=ten", "Bad limit"),
    "place of words": ("key=a&last=a", "Bad last"),
    "place too far": ("key=a&last=9999999999999999999", "Bad last"),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_what_cannot_be_asked_is_said(client: BaseClient, name: str) -> None:
    query, message = BAD_REQUESTS[name]
    response = client.send("GET", f"/history?{query}")
    assert (response.status_code, exact_json(response)["errors"][0]) == (400, message)


def test_keys_without_the_right_are_refused_both(client: BaseClient) -> None:
    client.put({"key": "a"})
    elsewhere = make_client(client.server, collection_id=client.collection_id, base_names=["other"])
    stranger = make_client(client.server)
    reader = make_client(client.server, collection_id=client.collection_id, can_write=False)
    for other, status in ((elsewhere, 403), (stranger, 401), (reader, 200)):
        headers = {"X-API-Key": other.key_text}
        assert client.send("GET", "/history?key=a", headers=headers).status_code == status
        assert client.send("POST", "/query", {"as_of": time.time() - 0.001}, headers=headers).status_code in (
            status,
            410,
        )
    assert client.send("POST", "/history?key=a", {}).status_code == 405


def test_items_as_they_were(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1}, {"key": "b", "n": 1})
    then = history(client, "b")["versions"][0]["at"]
    client.put({"key": "a", "n": 2}, {"key": "c", "n": 1})
    client.delete("b")
    assert exact_json(client.query({"n": 1}, as_of=then)) == {
        "paging": {"size": 2},
        "items": [{"key": "a", "n": 1}, {"key": "b", "n": 1}],
    }
    page = exact_json(client.query({"n": 1}, as_of=then, limit=1, sort="desc"))
    assert page == {"paging": {"size": 1, "last": "b"}, "items": [{"key": "b", "n": 1}]}
    page = exact_json(client.query({"n": 1}, as_of=then, limit=1, sort="desc", last="b"))
    assert page == {"paging": {"size": 1}, "items": [{"key": "a", "n": 1}]}
    assert exact_json(client.query([], as_of=None))["paging"] == {"size": 2}
    stores.delete_store(access=Access(client.collection_id), kind="base", name=client.name, typed_name=client.name)
    assert exact_json(client.query([])) == {"paging": {"size": 0}, "items": []}
    assert exact_json(client.query([], as_of=then))["paging"] == {"size": 2}


@pytest.mark.parametrize("as_of", ["now", True, [], {}, 1e15, -1e15, 4102444800])
def test_a_moment_that_cannot_be_is_said(client: BaseClient, as_of: Any) -> None:
    client.put({"key": "a"})
    response = client.query([], as_of=as_of)
    assert (response.status_code, exact_json(response)["errors"][0]) == (400, "Bad moment")


@pytest.mark.parametrize("as_of", [0, -1.5, 86400.25])
def test_a_moment_before_the_history_began_is_gone(client: BaseClient, as_of: float) -> None:
    response = client.query([], as_of=as_of)
    assert response.status_code == 410
    first, second = exact_json(response)["errors"]
    assert first == "Not kept"
    assert second.startswith("What items were is kept from 20")
