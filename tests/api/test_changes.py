"""GET /changes over HTTP: pages, streams, and everything that ends one."""

import threading
from typing import Any

import pytest
from django.db import connection

from console.api.endpoint import ALLOWED_HEADERS
from console.live import places
from storage import limits
from storage.collections import keys, stores
from storage.history.authors import author_id
from storage.models import DataKey
from storage.postgres.caller import Access
from tests.api.in_process import ask
from tests.api.streams import stream
from tests.factories import BaseClient, make_client
from tests.people import make_member
from tests.waiting import MOMENT_SECONDS, eventually


def page(client: BaseClient, query: str = "") -> dict[str, Any]:
    """As soon as it goes to the last change: a job that writes at this moment holds it up."""

    def ask_for_it() -> dict[str, Any]:
        response = client.send("GET", f"/changes{query}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found if found["more"] or int(found["cursor"].split(".")[1]) >= last else {}

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(v.id), 0) FROM storage_itemversion v JOIN storage_base b ON b.id = v.base_id"
            " WHERE b.collection_id = %s",
            [client.collection_id],
        )
        [last] = cursor.fetchone()
    return eventually(ask_for_it)


def test_a_page_holds_changes_and_where_to_go_on(client: BaseClient) -> None:
    client.put({"key": "a/ü", "n": 1}, {"key": "b"})
    client.delete("b")
    revision = client.put({"key": "a/ü", "n": 2}).headers["Item-Revisions"]
    found = page(client)
    first, *_, last = found["changes"]

    assert found.keys() == {"changes", "cursor", "more"}
    assert [(each["key"], each["value"]) for each in found["changes"]] == [
        ("a/ü", {"key": "a/ü", "n": 1}),
        ("b", {"key": "b"}),
        ("b", None),
        ("a/ü", {"key": "a/ü", "n": 2}),
    ]
    assert first.keys() == {"key", "revision", "at", "by", "value"}
    assert (last["revision"], last["by"]) == (
        int(revision),
        author_id(client.collection_id, by_key=client.key_id, by_person=None),
    )
    assert first["at"] < last["at"]
    assert page(client, f"?since={found['cursor']}")["changes"] == []
    assert page(client, "?since=now")["changes"] == []
    assert page(client, "?limit=1")["more"] is True
    assert len(page(client, "?limit=1")["changes"]) == 1
    assert len(page(client, "?limit=100000000000000000000&since=")["changes"]) == 4
    assert [each["value"] for each in page(client, '?query={"n":2}')["changes"]] == [{"key": "a/ü", "n": 2}]


@pytest.mark.parametrize(
    "query, messages",
    [
        ("since=x", ["Bad since", "`since` is no cursor of this feed"]),
        ("since=1", ["Bad since", "`since` is no cursor of this feed"]),
        ("limit=0", ["Bad limit", "`limit` is not a whole number from 1 on"]),
        ("limit=-1", ["Bad limit", "`limit` is not a whole number from 1 on"]),
        ("query=%7B", None),
        ('query={"n?":1}', ["Bad query", "query[0], `n?`: the operator behind `?` is missing"]),
        ("query=1", ["Bad query", "A query is a list of objects"]),
        ("since=now&since=now", ["Bad query string", "`since` is there twice"]),
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/event-stream"])
def test_nonsense_is_refused(client: BaseClient, query: str, messages: list[str] | None, accept: str) -> None:
    client.put({"key": "a"})
    response = client.send("GET", f"/changes?{query}", headers={"Accept": accept})

    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/json")
    assert messages is None or response.json()["errors"] == messages


def test_what_it_can_not_go_on_from_is_gone(client: BaseClient) -> None:
    client.put({"key": "a"})
    base_id, _, _ = page(client)["cursor"].partition(".")
    another = f"{int(base_id) + 1}.1"
    for since, why in [(f"{base_id}.900000000000000000", "backup"), (another, "emptied, deleted or renamed")]:
        for accept in ("*/*", "text/event-stream"):
            response = client.send("GET", f"/changes?since={since}", headers={"Accept": accept})
            said = response.json()

            assert (response.status_code, said["errors"][0]) == (410, "Changes gone")
            assert why in said["errors"][1]
            assert page(client, f"?since={said['cursor']}")["changes"] == []


def test_a_base_that_is_not_there_has_no_changes_yet(client: BaseClient) -> None:
    cursor = page(client)["cursor"]
    client.put({"key": "a"})

    assert [each["key"] for each in page(client, f"?since={cursor}")["changes"]] == ["a"]


def test_rights_methods_and_browsers(client: BaseClient, server: Any) -> None:
    client.put({"key": "a"})
    other = make_client(server, collection_id=client.collection_id, base_names=["other"])
    reader = make_client(server, collection_id=client.collection_id, can_write=False)
    asked = {"Accept": "text/event-stream"}

    assert reader.send("GET", "/changes").status_code == 200
    for headers in ({}, asked):
        assert (
            other.send("GET", "/changes", headers=headers).json() == {"errors": ["Forbidden"]} or other.name == "other"
        )
        refused = client.send("GET", "/changes", headers=headers | {"X-API-Key": f"{client.collection_id}_{'x' * 32}"})
        assert (refused.status_code, refused.json()) == (401, {"errors": ["Unauthorized"]})
    wrong = client.send("POST", "/changes", {})
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    preflight = client.send("OPTIONS", "/changes")
    assert preflight.headers["Access-Control-Allow-Headers"] == ALLOWED_HEADERS
    head = client.send("HEAD", "/changes", headers=asked)
    assert (head.status_code, head.headers["Content-Type"], head.content) == (200, "application/json", b"")


def test_a_stream_tells_what_was_and_what_comes(client: BaseClient) -> None:
    client.put({"key": "a", "n": 1})
    with stream(client) as following:
        headers = following.response.headers
        assert headers["Content-Type"] == "text/event-stream"
        assert (headers["X-Accel-Buffering"], headers["Access-Control-Allow-Origin"]) == ("no", "*")
        assert "Content-Encoding" not in headers
        first = following.next()
        client.put({"key": "b", "text": "ü\n\r\u2028"})
        client.delete("a")
        rest = following.take(2)
    assert (first.name, first.data["value"]) == ("message", {"key": "a", "n": 1})
    assert [(each["key"], each["value"]) for each in rest] == [("b", {"key": "b", "text": "ü\n\r\u2028"}), ("a", None)]
    assert [first.data, *rest] == page(client)["changes"]
    with stream(client, last_id=first.id, since="now") as again:
        assert again.take(2) == rest


def test_a_stream_from_now_on_knows_its_place_at_once(client: BaseClient) -> None:
    with stream(client, since="now", query='{"n?gt":1}') as following:
        client.put({"key": "a", "n": 1})
        client.put({"key": "a", "n": 2})
        client.put({"key": "a", "n": 1})
        assert [each["value"] for each in following.take(2)] == [{"key": "a", "n": 2}, None]


def test_one_who_reads_slowly_misses_nothing(client: BaseClient) -> None:
    text = "x" * 200_000
    client.put({"key": "k0"})
    with stream(client, receives=65_536) as slow, stream(client) as quick:
        assert slow.take(1) == quick.take(1) == page(client)["changes"]
        for n in range(1, 40):
            client.put({"key": f"k{n % 7}", "n": n, "text": text})
        assert [each["value"]["n"] for each in quick.take(39)] == list(range(1, 40))
        found = slow.take(39)

    assert [each["value"]["n"] for each in found] == list(range(1, 40))


@pytest.mark.parametrize("way", ["revoked", "expired", "limited"])
def test_a_stream_ends_with_the_right_to_it(client: BaseClient, server: Any, way: str) -> None:
    reader = make_client(server, collection_id=client.collection_id, can_write=False)
    client.put({"key": "a"})
    with stream(reader) as following, stream(client) as other:
        following.take(1)
        other.take(1)
        if way == "revoked":
            keys.revoke_key(collection_id=client.collection_id, key_id=reader.key_id)
        elif way == "expired":
            DataKey.objects.filter(pk=reader.key_id).update(expires_at="2000-01-01T00:00Z")
        else:
            DataKey.objects.filter(pk=reader.key_id).update(base_names=["other"])
        end = following.next()
        with pytest.raises(StopIteration):
            following.next()
        client.put({"key": "b"})
        assert [each["key"] for each in other.take(1)] == ["b"]

    status, message = (403, "Forbidden") if way == "limited" else (401, "Unauthorized")
    assert (end.name, end.data) == ("end", {"status": status, "errors": [message]})


def test_a_stream_of_a_base_that_is_emptied_ends_with_where_to_go_on(client: BaseClient) -> None:
    person = make_member(client.collection_id, name="ada")
    client.put({"key": "a"})
    with stream(client) as following:
        following.take(1)
        stores.empty_store(access=Access(client.collection_id, person_id=person.pk), kind="base", name=client.name)
        client.put({"key": "b"})
        end = following.next()

    assert (end.name, end.data["status"], end.data["errors"][0]) == ("end", 410, "Changes gone")
    client.put({"key": "c"})
    with stream(client, since=end.data["cursor"]) as again:
        assert [each["key"] for each in again.take(1)][-1] in ("b", "c")


def test_a_request_of_a_stream_counts_once_and_its_bytes_as_they_go(client: BaseClient, server: Any) -> None:
    reader = make_client(server, collection_id=client.collection_id, requests_per_second=1, bytes_per_day=50_000)
    client.put({"key": "a"})
    with stream(reader) as following:
        following.take(1)
        for n in range(60):
            client.put({"key": "a", "n": n, "text": "x" * 2_000})
        while (event := following.next()).name == "message":
            pass

    assert event.data["status"] == 429
    assert event.data["errors"][0] == "This data key has used up its bytes for today"


def test_there_are_only_so_many(client: BaseClient, monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_member(client.collection_id, name="ada")
    client.put({"key": "a"})
    monkeypatch.setattr(limits, "STREAMS_OF_ONE", 1)
    monkeypatch.setattr(limits, "STREAMS_MAX", 2)
    seats = [places.Place("ada"), places.Place("bob")]
    try:
        for who, error in (("ada", "TooManyStreams"), ("cleo", "StreamsBusy")):
            with pytest.raises(Exception, match="streams") as caught:
                places.Place(who)
            assert type(caught.value).__name__ == error
            assert caught.value.headers == {"Retry-After": "10"}  # type: ignore[attr-defined]
    finally:
        for seat in seats:
            seat.give_back()
            seat.give_back()
    assert places.taken() == 0
    places.Place("lost on its way")
    assert places.taken() == 0

    # What a person sends by hand is no stream.
    def told() -> list[str]:
        answer = ask("GET", client.collection_id, f"{client.name}/changes", person, HTTP_ACCEPT="text/event-stream")
        return [each["key"] for each in answer.json["changes"]]

    eventually(lambda: told() == ["a"])


def test_a_stream_goes_on_while_many_others_write(client: BaseClient, server: Any) -> None:
    """Busy Bases beside it, and writers of the same keys: what is told is what was written, in its order."""
    other = make_client(server, "other", collection_id=client.collection_id)

    def write(number: int) -> None:
        for n in range(15):
            (other if number % 2 else client).put({"key": f"k{n % 3}", "by": number, "n": n})

    with stream(client, since="now") as following:
        threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(MOMENT_SECONDS)
        found = following.take(45)

    for number in (0, 2, 4):
        assert [each["value"]["n"] for each in found if each["value"]["by"] == number] == list(range(15))
    for key in ("k0", "k1", "k2"):
        assert [each["value"] for each in found if each["key"] == key][-1] == client.stored(key)
