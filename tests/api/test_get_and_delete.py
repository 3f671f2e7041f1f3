"""GET and DELETE /items/{key}, and what a key in the path may look like (contract: Base)."""

import pytest

from tests.factories import BaseClient, RawConnection, exact_json, make_client, raw_head


def test_get_answers_the_item(client: BaseClient) -> None:
    item = {"key": "a", "n": 1, "o": {"p": [None, "é"]}}
    client.put(item)

    response = client.get("a")

    assert response.status_code == 200
    assert exact_json(response) == item


def test_get_of_an_unknown_key_is_404_with_the_key_alone(client: BaseClient) -> None:
    client.put({"key": "a"})

    response = client.get("A")

    assert response.status_code == 404
    assert exact_json(response) == {"key": "A"}


def test_get_from_a_base_that_does_not_exist_is_404_with_the_key(client: BaseClient) -> None:
    response = client.get("a")

    assert (response.status_code, exact_json(response)) == (404, {"key": "a"})


def test_get_sees_only_its_own_base(client: BaseClient) -> None:
    other = make_client(client.server, "other", collection_id=client.collection_id)
    client.put({"key": "a", "n": 1})
    other.put({"key": "a", "n": 2})

    assert client.stored("a") == {"key": "a", "n": 1}
    assert other.stored("a") == {"key": "a", "n": 2}
    other.delete("a")
    assert client.all_keys() == ["a"]
    assert other.all_keys() == []


def test_head_answers_as_get_without_a_body(client: BaseClient) -> None:
    client.put({"key": "a"})

    response = client.send("HEAD", "/items/a")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["ETag"] == client.get("a").headers["ETag"]
    assert client.send("HEAD", "/items/b").status_code == 404


def test_get_with_the_known_revision_is_304_without_a_body(client: BaseClient) -> None:
    client.put({"key": "a"})
    etag = client.get("a").headers["ETag"]

    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = client.get("a", headers={"If-None-Match": known})
        assert (response.status_code, response.content) == (304, b""), known
        assert response.headers["ETag"] == etag


@pytest.mark.parametrize("known", ['"other"', "other", "", '""', '"', "W/"])
def test_get_with_another_revision_answers_the_item(client: BaseClient, known: str) -> None:
    client.put({"key": "a"})

    assert client.get("a", headers={"If-None-Match": known}).status_code == 200


def test_get_of_an_unknown_key_is_404_whatever_revision_is_known(client: BaseClient) -> None:
    assert client.get("a", headers={"If-None-Match": "*"}).status_code == 404


def test_etag_differs_after_every_change(client: BaseClient) -> None:
    changes = [
        lambda: client.put({"key": "a", "n": 1}),
        lambda: client.put({"key": "a", "n": 1}),
        lambda: client.update("a", {"increment": {"n": 1}}),
        lambda: client.update("a", {"increment": {"n": -1}}),
        lambda: client.delete("a"),
    ]
    seen = []
    for change in [*changes, lambda: client.insert({"key": "a", "n": 1})]:
        assert change().status_code in (200, 201, 207)
        if "ETag" in (response := client.get("a")).headers:
            seen.append(response.headers["ETag"])
            assert client.get("a").headers["ETag"] == response.headers["ETag"]

    assert len(seen) == len(set(seen)) == 5


def test_delete_always_answers_200_and_the_key(client: BaseClient) -> None:
    without_base = client.delete("a")
    client.put({"key": "a"}, {"key": "b"})
    first, second = client.delete("a"), client.delete("a")

    for response in (without_base, first, second):
        assert (response.status_code, exact_json(response)) == (200, {"key": "a"})
    assert client.stored("a") is None
    assert client.all_keys() == ["b"]


ODD_KEYS = [
    "%@#//#!#)#$_",
    "a/b",
    "/",
    "//",
    "a//b/",
    "/items",
    "items/x",
    "query",
    "a b",
    " a ",
    "a+b",
    "a%20b",
    "%",
    "%2F",
    "a?b=c&d#e",
    "a;b,c:d@e$f&g=h",
    "line\nbreak",
    "\r\n",
    "\t",
    "\x01\x7f",
    "é",
    "e\u0301",
    "日本語",
    "🙂",
    "\u202eabc",
    "\ufeff",
    "\uffff",
    "a\\b",
    "\"quoted'",
    "<img onerror=x>",
    "null",
    "k" * 1024,
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_character_of_a_key_survives_put_get_update_query_and_delete(client: BaseClient, key: str) -> None:
    item = {"key": key, "n": 1}

    assert exact_json(client.put(item)) == {"processed": {"items": [item]}}
    assert exact_json(client.get(key)) == item
    assert exact_json(client.update(key, {"increment": {"n": 1}})) == {"key": key, "increment": {"n": 1}}
    assert exact_json(client.query({"key": key}))["items"] == [{"key": key, "n": 2}]
    assert exact_json(client.delete(key)) == {"key": key}
    assert exact_json(client.get(key)) == {"key": key}


RAW_KEYS = [
    ("dots alone", "..", ".."),
    ("dot segments", "a/../../b", "a/../../b"),
    ("encoded dots", "%2e%2E", ".."),
    ("a plus sign as it is", "a+b", "a+b"),
    ("what a Go client leaves alone", "$&+=:@", "$&+=:@"),
    ("an encoded slash", "a%2Fb", "a/b"),
    ("encoded twice, decoded once", "%2525", "%25"),
    ("lower-case hexadecimal", "%c3%a9", "é"),
]


@pytest.mark.parametrize("path, key", [case[1:] for case in RAW_KEYS], ids=[case[0] for case in RAW_KEYS])
def test_a_key_in_the_path_is_decoded_once_and_not_normalised(client: BaseClient, path: str, key: str) -> None:
    client.put({"key": key})

    with RawConnection(client.server) as connection:
        connection.send(raw_head(client, "GET", f"/items/{path}"))
        answer = connection.answer()

    assert answer is not None
    assert (answer.status, answer.json) == (200, {"key": key})


BAD_PATHS = [
    ("a byte that is not UTF-8", "%FF"),
    ("a cut sequence", "a%C3"),
    ("an overlong slash", "%C0%AF"),
    ("a lone surrogate", "%ED%A0%80"),
    ("NUL", "a%00b"),
    ("1,025 bytes", "k" * 1025),
    ("1,026 bytes in 513 characters", "%C3%A9" * 513),
]


@pytest.mark.parametrize("path", [path for _, path in BAD_PATHS], ids=[name for name, _ in BAD_PATHS])
@pytest.mark.parametrize("method", ["GET", "DELETE", "PATCH"])
def test_a_path_that_is_no_key_is_400(client: BaseClient, method: str, path: str) -> None:
    response = client.send(method, f"/items/{path}", content=b'{"set": {"a": 1}}' if method == "PATCH" else None)

    assert response.status_code == 400
    assert list(exact_json(response)) == ["errors"]
