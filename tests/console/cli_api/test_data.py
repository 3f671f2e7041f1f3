"""A collection's data for the command: who may what, and what is answered beyond the public API."""

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.test.client import ClientHandler

from storage.access_tokens import tokens
from storage.audit import log as audit
from storage.audit.log import Conditions, Verb
from storage.base import edits, items
from storage.collections import keys
from storage.drive import drives
from storage.events import queries as event_queries
from storage.models import Base
from storage.postgres.caller import Access
from tests.people import Cast
from tests.storage.rows import fill_drive
from tests.visor import make_event

Terminal = Callable[[str], Client]
KINDS = ("server_owner", "owner", "member", "reader", "outsider")
JSON = "application/json"


@pytest.fixture
def terminal(people: Cast, handler: ClientHandler) -> Terminal:
    """What one kind of person asks with: a token, and no cookie."""

    def open_terminal(kind: str) -> Client:
        token = tokens.create_token(person=people[kind], name="Made by a test").text
        client = Client(headers={"Authorization": f"Bearer {token}"})
        client.handler = handler
        return client

    return open_terminal


@pytest.fixture
def place(people: Cast) -> str:
    """Below which the collection is, with a Base `things` of two items and a Drive `files` of one file."""
    who = Access(people.collection.id)
    items.put_items(access=who, base="things", items=[{"key": "a", "n": 1}, {"key": "b", "n": 2}])
    drives.ensure_drive(collection_id=people.collection.id, name="files")
    fill_drive(people.collection.id, "files", ["a.txt", "in/b.txt"])
    return f"/cli/collections/{people.collection.id}"


# What is asked, and who may. Everybody else who sees the collection gets 403, an outsider 404.
READER, MEMBER, OWNER = KINDS[:4], KINDS[:3], KINDS[:2]
ASKED: list[tuple[str, str, Any, tuple[str, ...], int]] = [
    ("get", "/bases", None, READER, 200),
    ("post", "/bases/things/query", {"q": ""}, READER, 200),
    ("post", "/bases/things/exports", {"q": "", "format": "csv"}, READER, 200),
    ("post", "/bases/things/saves", {"save": str(uuid4()), "changes": []}, MEMBER, 200),
    ("get", "/drives", None, READER, 200),
    ("post", "/drives", {"name": "new"}, MEMBER, 201),
    ("get", "/drives/files/files", None, READER, 200),
    ("post", "/drives/files/uploads", {"name": "x", "size": 1, "fingerprint": "f"}, MEMBER, 201),
    ("put", f"/drives/files/uploads/{'0' * 32}/parts/1", {}, MEMBER, 404),
    ("post", f"/drives/files/uploads/{'0' * 32}/end", {}, MEMBER, 404),
    ("get", "/keys", None, MEMBER, 200),
    ("post", "/keys", {"name": "app"}, OWNER, 201),
    ("post", "/keys/1/revoke", {}, OWNER, 404),
    ("get", "/events", None, READER, 200),
]


def ask(client: Client, method: str, path: str, value: Any = None) -> Any:
    if value is None:
        return getattr(client, method)(path)
    return getattr(client, method)(path, json.dumps(value), content_type=JSON)


@pytest.mark.parametrize(("method", "path", "value", "allowed", "status"), ASKED)
def test_roles_decide(
    terminal: Terminal, place: str, method: str, path: str, value: Any, allowed: tuple[str, ...], status: int
) -> None:
    found = {kind: ask(terminal(kind), method, place + path, value) for kind in KINDS}
    expected = {kind: status if kind in allowed else 404 if kind == "outsider" else 403 for kind in KINDS}
    assert {kind: response.status_code for kind, response in found.items()} == expected
    assert all("errors" in response.json() for response in found.values() if response.status_code >= 400)


def test_nobody_is_let_in_without_a_token(people: Cast, place: str, browser: Any) -> None:
    """Nor with the cookie of somebody who is signed in."""
    for client in (browser(None), browser(people.owner)):
        for method, path, value, *_ in ASKED:
            assert ask(client, method, place + path, value).status_code == 401
        for method in ("get", "put", "delete"):
            assert ask(client, method, f"/cli/v1/{people.collection.id}/things/items/a").status_code == 401


def test_public_api_answers_as_the_person(terminal: Terminal, people: Cast, place: str) -> None:
    path = f"/cli/v1/{people.collection.id}/things/items"
    reader, member = terminal("reader"), terminal("member")
    assert reader.get(f"{path}/a").json() == {"key": "a", "n": 1}
    assert ask(reader, "put", path, {"items": [{"key": "c"}]}).status_code == 403
    assert reader.delete(f"{path}/a").status_code == 403
    assert ask(member, "put", path, {"items": [{"key": "ü/\n☂ %", "n": 3}]}).status_code == 207
    answer = reader.get(f"{path}/%C3%BC%2F%0A%E2%98%82%20%25")
    assert answer.json() == {"key": "ü/\n☂ %", "n": 3}
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]
    assert ask(member, "get", f"{path}/nobody").status_code == 404
    assert terminal("outsider").get(f"{path}/a").status_code == 404


def test_conditional_requests_work_through_it(terminal: Terminal, people: Cast, place: str) -> None:
    path = f"/cli/v1/{people.collection.id}/things/items/a"
    reader = terminal("reader")
    etag = reader.get(path)["ETag"]
    assert reader.get(path, headers={"If-None-Match": etag}).status_code == 304


def test_another_collections_path_is_not_reached(terminal: Terminal, people: Cast, place: str) -> None:
    """Whatever stands in it: the collection that the gate looked at is the one that answers."""
    member = terminal("member")
    for path in (f"{people.collection.id}%2F..%2Fother/things/items/a", f"{people.collection.id}%00/things/items/a"):
        assert member.get(f"/cli/v1/{path}").status_code in (400, 404)


def test_deletions_are_counted_in_one_entry(terminal: Terminal, people: Cast, place: str) -> None:
    path = f"/cli/v1/{people.collection.id}"
    member = terminal("member")
    for key in "ab":
        assert member.delete(f"{path}/things/items/{key}").status_code == 200
    assert ask(member, "delete", f"{path}/files/files", {"names": ["a.txt", "in/b.txt", "missing/"]}).status_code == 200
    found = {
        entry.verb: (entry.about, entry.amount, entry.name)
        for entry in audit.list_entries(Conditions(people.collection.id))
        if entry.verb != Verb.COLLECTION_CREATED
    }
    name = people.member.get_username()
    assert found == {Verb.ITEMS_DELETED: ("things", 2, name), Verb.FILES_DELETED: ("files", 2, name)}


def test_query_takes_the_bars_language_and_tells_revisions(terminal: Terminal, people: Cast, place: str) -> None:
    answer = ask(terminal("reader"), "post", f"{place}/bases/things/query", {"q": "{n?gt: 1}"}).json()
    state = edits.get_state(access=Access(people.collection.id), base="things", key="b")
    assert answer == {"paging": {"size": 1}, "revisions": [str(state.revision)], "items": [{"key": "b", "n": 2}]}


@pytest.mark.parametrize(
    ("asked", "errors"),
    [
        ({"q": "{n?gtt: 1}"}, ["Bad query", 'Unknown operator `?gtt` on "n". Did you mean `?gt`? (line 1, column 2)']),
        ({"q": 1}, ["`q` is not a text"]),
        ({"q": "", "limit": 0}, ["Bad limit", "`limit` is not a whole number from 1 on"]),
        ({"q": "", "last": 1}, ["A key is not a string"]),
    ],
)
def test_bad_query_is_told_with_its_place(terminal: Terminal, place: str, asked: Any, errors: list[str]) -> None:
    answer = ask(terminal("reader"), "post", f"{place}/bases/things/query", asked)
    assert (answer.status_code, answer.json()) == (400, {"errors": errors})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/bases/nope/query", {"q": ""}),
        ("/bases/nope/exports", {"q": "", "format": "csv"}),
        ("/drives/nope/files", None),
    ],
)
def test_what_is_not_there_is_404(terminal: Terminal, place: str, path: str, value: Any) -> None:
    assert ask(terminal("owner"), "get" if value is None else "post", place + path, value).status_code == 404


def test_files_are_listed_with_their_hashes(terminal: Terminal, place: str) -> None:
    reader = terminal("reader")
    found = reader.get(f"{place}/drives/files/files").json()
    assert [file["name"] for file in found["files"]] == ["a.txt", "in/b.txt"]
    assert found["last"] is None
    assert [file["name"] for file in reader.get(f"{place}/drives/files/files?prefix=in/").json()["files"]] == [
        "in/b.txt"
    ]
    assert [file["name"] for file in reader.get(f"{place}/drives/files/files?last=a.txt").json()["files"]] == [
        "in/b.txt"
    ]
    assert reader.get(f"{place}/drives/files/files?prefix=%01").status_code == 400


def test_upload_is_found_again_with_the_parts_that_are_there(terminal: Terminal, place: str) -> None:
    member = terminal("member")
    asked = {"name": "big", "size": 7, "fingerprint": "f", "content_type": "text/plain"}
    begun = ask(member, "post", f"{place}/drives/files/uploads", asked).json()
    again = ask(member, "post", f"{place}/drives/files/uploads", asked).json()
    assert begun["id"] == again["id"]
    assert begun["parts"] == []
    assert begun["part_size"] == 10_485_760
    other = ask(terminal("owner"), "post", f"{place}/drives/files/uploads", asked).json()
    assert other["id"] != begun["id"]


def test_key_is_shown_once_and_revoked(terminal: Terminal, people: Cast, place: str) -> None:
    owner = terminal("owner")
    asked = {"name": "app", "read_only": True, "bases": ["things"], "days": 3, "requests_per_second": 5}
    made = ask(owner, "post", f"{place}/keys", asked).json()
    assert keys.read_key(made["key"]).collection_id == people.collection.id
    kept = keys.find_key(collection_id=people.collection.id, key_id=made["id"])
    assert (kept.can_write, kept.base_names, kept.drive_names, kept.made_by) == (False, ["things"], [], people.owner)
    (listed,) = terminal("member").get(f"{place}/keys").json()["keys"]
    assert listed["key"] == f"{made['key'][:15]}...{made['key'][-4:]}"
    revoked = ask(owner, "post", f"{place}/keys/{made['id']}/revoke", {}).json()
    assert revoked["revoked_at"] is not None
    verbs = [entry.verb for entry in audit.list_entries(Conditions(people.collection.id))]
    assert verbs[:2] == [Verb.KEY_REVOKED, Verb.KEY_CREATED]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"name": ""},
        {"name": "a", "days": 0},
        {"name": "a", "days": "3"},
        {"name": "a", "bases": ["/"]},
        {"name": 1},
    ],
)
def test_key_that_makes_no_sense_is_refused(terminal: Terminal, place: str, asked: Any) -> None:
    assert ask(terminal("owner"), "post", f"{place}/keys", asked).status_code == 400


def test_only_owners_of_the_server_make_collections(terminal: Terminal, people: Cast) -> None:
    for kind in KINDS[1:]:
        assert ask(terminal(kind), "post", "/cli/collections", {"name": "Letters"}).status_code == 404
    made = ask(terminal("server_owner"), "post", "/cli/collections", {"name": "Letters"})
    assert made.status_code == 201
    assert made.json()["name"] == "Letters"


def test_events_are_filtered_and_paged(terminal: Terminal, people: Cast, place: str) -> None:
    for status, method in ((200, "GET"), (404, "GET"), (500, "PUT")):
        event = make_event(people.collection.id, status=status, method=method)
        event_queries.keep_event(event)
    reader = terminal("reader")

    def statuses(query: str) -> list[int]:
        return [event["status"] for event in reader.get(f"{place}/events?{query}").json()["events"]]

    assert sorted(statuses("")) == [200, 404, 500]
    assert statuses("status=404") == [404]
    assert sorted(statuses("status=errors")) == [404, 500]
    assert statuses("method=put") == [500]
    page = reader.get(f"{place}/events?limit=2").json()
    assert len(page["events"]) == 2
    rest = reader.get(f"{place}/events?limit=2&before={page['older']}").json()
    assert (len(rest["events"]), rest["older"]) == (1, None)
    newest = page["events"][0]["id"]
    assert len(statuses(f"after={newest}")) == 3  # of the half minute before it too
    assert all(event["key"] is None for event in page["events"])
    # Of an id that names a time before or after all there are.
    for first, last in (("0" * 32, "f" * 32), ("0" * 31 + "1", "fffffffffffe7fffbfffffffffffffff")):
        assert (len(statuses(f"after={first}")), statuses(f"before={first}")) == (3, [])
        assert (statuses(f"after={last}"), len(statuses(f"before={last}"))) == ([], 3)


def test_slow_request_that_began_long_ago_is_told_when_it_is_stored(
    terminal: Terminal, people: Cast, place: str
) -> None:
    now = time.time_ns()
    for minutes, seconds in ((0, 0), (20, 1), (20, 1190), (90, 5000)):
        event = make_event(
            people.collection.id,
            at_ns=now - minutes * 60_000_000_000,
            duration_us=seconds * 1_000_000,
            path=f"{minutes}/{seconds}",
        )
        event_queries.keep_event(event)
    newest, *_ = terminal("reader").get(f"{place}/events").json()["events"]
    found = terminal("reader").get(f"{place}/events?after={newest['id']}").json()["events"]
    assert [event["path"] for event in found] == ["0/0", "20/1190"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("status=7xx", 400),
        ("status=99", 400),
        ("after=x", 400),
        ("key=nope", 404),
        ("micro=nope", 404),
        ("micro=api", 200),
    ],
)
def test_filter_that_makes_no_sense_is_refused(terminal: Terminal, place: str, query: str, status: int) -> None:
    assert terminal("owner").get(f"{place}/events?{query}").status_code == status


def test_saves_are_the_tables_own(terminal: Terminal, people: Cast, place: str) -> None:
    state = edits.get_state(access=Access(people.collection.id), base="things", key="a")
    changes = [
        {"id": "0", "kind": "edit", "key": "a", "revision": str(state.revision), "set": {"n": "2.50"}, "unset": []},
        {"id": "1", "kind": "edit", "key": "b", "revision": "0", "set": {"n": "3"}, "unset": []},
    ]
    answer = ask(terminal("member"), "post", f"{place}/bases/things/saves", {"save": str(uuid4()), "changes": changes})
    assert [result["outcome"] for result in answer.json()["results"]] == ["saved", "clash"]
    assert Base.objects.get(collection=people.collection).name == "things"
