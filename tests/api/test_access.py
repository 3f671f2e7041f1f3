"""Data keys: who is refused, and with what (contract: Everywhere, "Data key")."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from storage.collections import keys
from storage.models import DataKey
from tests.factories import BaseClient, RawConnection, exact_json, make_client, raw_head, shared_http

# Wrong keys are counted by address, so they come from one that no other test calls from.
WRONG_KEYS_FROM = "127.0.0.8"

UNAUTHORIZED = {"errors": ["Unauthorized"]}
FORBIDDEN = {"errors": ["Forbidden"]}

# method, path, body
WRITES: list[tuple[str, str, Any]] = [
    ("PUT", "/items", {"items": [{"key": "a", "n": 2}]}),
    ("POST", "/items", {"item": {"key": "new"}}),
    ("PATCH", "/items/a", {"set": {"n": 2}}),
    ("DELETE", "/items/a", None),
]
READS: list[tuple[str, str, Any]] = [("GET", "/items/a", None), ("POST", "/query", {})]


def answers(client: BaseClient, requests: list[tuple[str, str, Any]], **options: Any) -> list[tuple[int, Any]]:
    found = []
    for method, path, body in requests:
        response = client.send(method, path, *([] if body is None else [body]), **options)
        found.append((response.status_code, exact_json(response)))
    return found


@pytest.fixture
def stored(client: BaseClient) -> BaseClient:
    """A client whose Base has the item `a`."""
    client.put({"key": "a", "n": 1})
    return client


def _wrong_keys(client: BaseClient) -> dict[str, str]:
    good = client.key_text
    collection_id, _, secret = good.partition("_")
    return {
        "empty": "",
        "a collection id alone": collection_id,
        "no secret": f"{collection_id}_",
        "no collection id": f"_{secret}",
        "another secret": f"{collection_id}_{'A' * 32}",
        "a secret in another case": f"{collection_id}_{secret.swapcase()}",
        "a character missing": good[:-1],
        "a character more": good + "A",
        "two underscores": f"{collection_id}__{secret}",
        "an underscore in the secret": f"{good[:-1]}_",
        "the key twice": f"{good}, {good}",
        "a collection id in capitals": f"{collection_id.upper()}_{secret}",
        "a character that is no letter": f"{good[:-1]}'",
        "SQL": f"{collection_id}_' OR '1'='1",
        "another collection's key": make_client(client.server).key_text,
    }


def test_a_wrong_key_is_always_told_the_same(stored: BaseClient) -> None:
    for name, key in _wrong_keys(stored).items():
        response = shared_http(WRONG_KEYS_FROM).get(
            f"{stored.server.url}{stored.path}/items/a", headers={"X-API-Key": key}
        )
        assert (response.status_code, exact_json(response)) == (401, UNAUTHORIZED), name

    assert stored.stored("a") == {"key": "a", "n": 1}


def test_every_request_without_a_key_is_401_and_changes_nothing(stored: BaseClient) -> None:
    http = shared_http(WRONG_KEYS_FROM)

    for method, path, body in WRITES + READS:
        response = http.request(method, stored.server.url + stored.path + path, json=body)
        assert (response.status_code, exact_json(response)) == (401, UNAUTHORIZED), (method, path)

    assert stored.stored("a") == {"key": "a", "n": 1}
    assert stored.all_keys() == ["a"]


def test_a_key_of_one_collection_is_401_in_another(stored: BaseClient) -> None:
    stranger = make_client(stored.server)
    trespasser = BaseClient(
        stored.server, stored.collection_id, stored.name, stranger.key_id, stranger.key_text, WRONG_KEYS_FROM
    )

    assert answers(trespasser, WRITES + READS) == [(401, UNAUTHORIZED)] * 6
    assert stored.all_keys() == ["a"]
    assert stored.stored("a") == {"key": "a", "n": 1}


def test_other_ways_to_identify_oneself_are_401(stored: BaseClient) -> None:
    url = f"{stored.server.url}{stored.path}/items/a"
    for headers in (
        {"Authorization": f"Bearer {stored.key_text}"},
        {"Authorization": stored.key_text},
        {"Cookie": "sessionid=" + "a" * 32},
        {"Cookie": f"X-API-Key={stored.key_text}"},
    ):
        response = shared_http(WRONG_KEYS_FROM).get(url, headers=headers)
        assert (response.status_code, exact_json(response)) == (401, UNAUTHORIZED), headers
        assert "Set-Cookie" not in response.headers
    response = shared_http(WRONG_KEYS_FROM).get(url, params={"X-API-Key": stored.key_text})
    assert response.status_code == 401


def test_two_key_headers_are_401(stored: BaseClient) -> None:
    stranger = make_client(stored.server)
    for other in (stored.key_text, stranger.key_text):
        with RawConnection(stored.server, WRONG_KEYS_FROM) as connection:
            connection.send(raw_head(stored, "DELETE", "/items/a", f"X-API-Key: {other}"))
            answer = connection.answer()
        assert answer is not None
        assert (answer.status, answer.json) == (401, UNAUTHORIZED)

    assert stored.all_keys() == ["a"]


@pytest.mark.parametrize("header", ["x-api-key", "X-Api-Key", "X-API-KEY"])
def test_the_case_of_the_header_name_does_not_matter(stored: BaseClient, header: str) -> None:
    with RawConnection(stored.server) as connection:
        connection.send(
            f"GET {stored.path}/items/a HTTP/1.1\r\nHost: x\r\n{header}: {stored.key_text}\r\n\r\n".encode()
        )
        answer = connection.answer()

    assert answer is not None
    assert answer.status == 200


def test_an_expired_key_is_401(client: BaseClient) -> None:
    expiring = make_client(
        client.server,
        collection_id=client.collection_id,
        expires_at=timezone.now() + timedelta(hours=1),
        source_address=WRONG_KEYS_FROM,
    )
    assert expiring.put({"key": "a", "n": 1}).status_code == 207

    DataKey.objects.filter(id=expiring.key_id).update(expires_at=timezone.now())

    assert answers(expiring, WRITES + READS) == [(401, UNAUTHORIZED)] * 6
    assert client.stored("a") == {"key": "a", "n": 1}


def test_a_key_with_its_end_ahead_is_good(client: BaseClient) -> None:
    lasting = make_client(
        client.server, collection_id=client.collection_id, expires_at=timezone.now() + timedelta(hours=1)
    )

    assert lasting.put({"key": "a"}).status_code == 207


def test_a_revoked_key_is_401_and_the_others_are_not(stored: BaseClient) -> None:
    other = make_client(stored.server, collection_id=stored.collection_id, source_address=WRONG_KEYS_FROM)
    assert other.all_keys() == ["a"]

    keys.revoke_key(collection_id=stored.collection_id, key_id=other.key_id)

    assert answers(other, WRITES + READS) == [(401, UNAUTHORIZED)] * 6
    assert stored.all_keys() == ["a"]


def test_a_read_only_key_reads_and_is_403_for_every_write(stored: BaseClient) -> None:
    reader = make_client(stored.server, collection_id=stored.collection_id, can_write=False)

    assert answers(reader, WRITES) == [(403, FORBIDDEN)] * 4
    assert [status for status, _ in answers(reader, READS)] == [200, 200]
    assert stored.stored("a") == {"key": "a", "n": 1}
    assert stored.all_keys() == ["a"]


def test_a_read_only_key_is_403_for_writes_to_a_base_that_does_not_exist(client: BaseClient) -> None:
    reader = make_client(client.server, collection_id=client.collection_id, can_write=False)

    assert answers(reader, WRITES) == [(403, FORBIDDEN)] * 4


@pytest.mark.parametrize("base_names", [["other"], [], ["Things", "thing", "things2"]])
def test_a_key_limited_to_other_bases_is_403(stored: BaseClient, base_names: list[str]) -> None:
    limited = make_client(stored.server, collection_id=stored.collection_id, base_names=base_names)

    assert answers(limited, WRITES + READS) == [(403, FORBIDDEN)] * 6
    assert stored.stored("a") == {"key": "a", "n": 1}
    assert stored.all_keys() == ["a"]


def test_a_key_limited_to_this_base_does_all_there(stored: BaseClient) -> None:
    limited = make_client(stored.server, collection_id=stored.collection_id, base_names=["other", "things"])

    assert [status for status, _ in answers(limited, READS + WRITES)] == [200, 200, 207, 201, 200, 200]


def test_a_key_limited_to_no_drive_reaches_every_base(stored: BaseClient) -> None:
    limited = make_client(stored.server, collection_id=stored.collection_id, drive_names=[])

    assert limited.all_keys() == ["a"]


def test_what_is_wrong_with_a_request_is_not_told_to_those_who_may_not_make_it(stored: BaseClient) -> None:
    reader = make_client(stored.server, collection_id=stored.collection_id, can_write=False)
    bad: list[tuple[str, str, Any]] = [("PUT", "/items", {}), ("POST", "/items", {}), ("PATCH", "/items/a", {})]

    assert answers(reader, bad) == [(403, FORBIDDEN)] * 3
    keys.revoke_key(collection_id=stored.collection_id, key_id=reader.key_id)
    revoked = BaseClient(
        stored.server, stored.collection_id, stored.name, reader.key_id, reader.key_text, WRONG_KEYS_FROM
    )
    assert answers(revoked, bad) == [(401, UNAUTHORIZED)] * 3


def test_a_collection_that_does_not_exist_is_401(client: BaseClient) -> None:
    nobody = BaseClient(client.server, "a" * 10, "things", 0, f"{'a' * 10}_{'A' * 32}", WRONG_KEYS_FROM)

    assert answers(nobody, READS) == [(401, UNAUTHORIZED)] * 2
