"""Requests sent by hand: real ones, by the person's own right, to this collection alone; and tries that change nothing."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from storage import request_ids
from storage.base import items
from storage.collections import collections, keys
from storage.drive import files
from storage.errors import FileNotFound, ItemNotFound
from storage.events import queries as event_queries
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.statements import Statement
from tests.console.conftest import Browser
from tests.console.visor.test_request_drafts import WAYS_OUT
from tests.matching import search
from tests.people import Cast
from tests.visor import body, make_event


@pytest.fixture
def url(people: Cast) -> str:
    return f"/collections/{people.collection.id}/visor/"


@pytest.fixture
def access(people: Cast) -> Access:
    return Access(people.collection.id)


def send(client: Any, url: str, method: str, target: str, text: str = "", **more: str) -> Any:
    form = {"method": method, "target": target, "body": text, "kind": "application/json", "headers": ""} | more
    return client.post(f"{url}client/", form)


def sent(people: Cast, answer: Any) -> Any:
    """The event that a sent form led to."""
    assert answer.status_code == 302, re.findall(r'role="alert">.*?</div>', answer.content.decode(), re.S)
    event_id = search(r"[0-9a-f]{32}", answer["Location"]).group()
    return event_queries.find_event(collection_id=people.collection.id, event_id=event_id)


def test_client_sends_a_real_request(people: Cast, browser: Browser, url: str, access: Access) -> None:
    answer = send(browser(people.member), url, "PUT", "notes/items", '{"items": [{"key": "a", "n": 1.50}]}')

    event = sent(people, answer)

    assert event.line.status == 207
    assert (event.line.origin, event.content.sent_by, event.line.key_id) == ("client", people.member.username, None)
    assert items.get_item(access=access, base="notes", key="a").json == '{"key":"a","n": 1.50}'
    page = browser(people.member).get(answer["Location"]).content.decode()
    assert "processed" in page
    assert "1.50" in page


def test_client_sends_text_and_files(people: Cast, browser: Browser, url: str, access: Access) -> None:
    answer = send(browser(people.member), url, "POST", "pics/files?name=a.txt", "not\njson", kind="text/plain")

    assert sent(people, answer).line.status == 201
    stored = files.get_file(access=access, drive="pics", name="a.txt")
    assert (stored.content_type, stored.size_bytes) == ("text/plain", 8)
    event = sent(people, send(browser(people.reader), url, "GET", "pics/files/download?name=a.txt"))
    assert event.content.response.text == "not\njson"
    again = sent(people, browser(people.member).post(f"{url}{sent(people, answer).line.id}/redo/"))
    assert (again.line.status, dict(again.request_headers)["Content-Type"]) == (201, "text/plain")


def test_role_decides(people: Cast, browser: Browser, url: str, access: Access) -> None:
    client = browser(people.reader)

    for method, target, text in (
        ("PUT", "notes/items", '{"items": [{"key": "a"}]}'),
        ("POST", "notes/items", '{"item": {"key": "a"}}'),
        ("DELETE", "notes/items/a", ""),
        ("PATCH", "notes/items/a", '{"set": {"b": 1}}'),
        ("POST", "pics/files?name=a", "{}"),
        ("POST", "pics/uploads?name=a", ""),
        ("DELETE", "pics/files", '{"names": ["a"]}'),
    ):
        assert sent(people, send(client, url, method, target, text)).line.status == 403, target
    assert sent(people, send(client, url, "POST", "notes/query", "{}")).line.status == 200
    with pytest.raises(ItemNotFound):
        items.get_item(access=access, base="notes", key="a")
    assert send(browser(people.outsider), url, "GET", "notes/items/a").status_code == 404


@pytest.mark.parametrize("target", [target for target in WAYS_OUT if "\x00" not in target])
def test_ways_out_are_refused_and_nothing_is_sent(people: Cast, browser: Browser, url: str, target: str) -> None:
    answer = send(browser(people.owner), url, "GET", target)

    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert event_queries.list_events(collection_id=people.collection.id).lines == []


@pytest.mark.parametrize("path", [target for target in WAYS_OUT if target and "\x00" not in target])
def test_recorded_ways_out_are_not_sent_again(people: Cast, browser: Browser, url: str, path: str) -> None:
    """An event may say anything: what its path leads to is asked again when it is sent."""
    event = make_event(people.collection.id, path=path)
    event_queries.keep_event(event)
    other = collections.create_collection("Made by a test")
    items.put_items(access=Access(other.id), base="notes", items=[{"key": "items"}])

    answer = browser(people.owner).post(f"{url}{event.line.id}/redo/")

    assert answer["Location"] == f"{url}{event.line.id}/" or sent(people, answer).line.path == path
    for line in event_queries.list_events(collection_id=people.collection.id).lines:
        assert line.id == event.line.id or line.status == 404


@pytest.mark.parametrize(
    "header", ["Host: a", "Cookie: a=b", "X-API-Key: x", "Authorization: x", "X-Forwarded-For: 1.2.3.4"]
)
def test_headers_of_others_are_refused(people: Cast, browser: Browser, url: str, header: str) -> None:
    answer = send(browser(people.owner), url, "GET", "notes/items/a", headers=header)

    assert answer.status_code == 422
    assert "is set by the server" in answer.content.decode()


def test_key_of_another_collection_in_a_header_opens_nothing(people: Cast, browser: Browser, url: str) -> None:
    other = keys.create_key(collection_id=collections.create_collection("Made by a test").id, name="x")
    event = make_event(
        people.collection.id, request_headers=(("X-API-Key", other.text), ("Cookie", "sessionid=x"), ("X-Ok", "y"))
    )
    event_queries.keep_event(event)

    again = sent(people, browser(people.owner).post(f"{url}{event.line.id}/redo/"))

    assert again.request_headers == (("X-Ok", "y"),)


def test_redo_links_to_the_original_and_shows_the_difference(
    people: Cast, browser: Browser, url: str, access: Access
) -> None:
    items.put_items(access=access, base="notes", items=[{"key": "a", "n": 1}])
    client = browser(people.reader)
    first = sent(people, send(client, url, "GET", "notes/items/a"))
    items.put_items(access=access, base="notes", items=[{"key": "a", "n": 2}])

    answer = client.post(f"{url}{first.line.id}/redo/")
    again = sent(people, answer)

    assert (again.line.origin, again.line.replay_of) == ("replay", first.line.id)
    assert answer["Location"].endswith("?tab=difference")
    page = client.get(answer["Location"]).content.decode()
    assert re.search(r"diff-old[^<]*<[^<]*</span>[^<]*&quot;n&quot;: 1", page, re.S)
    assert re.search(r"diff-new[^<]*<[^<]*</span>[^<]*&quot;n&quot;: 2", page, re.S)
    assert f"{url}{again.line.id}/?tab=difference" in client.get(f"{url}{first.line.id}/").content.decode()


def test_same_answer_is_told_so(people: Cast, browser: Browser, url: str) -> None:
    """However the server calls the two requests."""
    client = browser(people.reader)
    token = request_ids.request_id.set("one")
    first = sent(people, send(client, url, "GET", "notes/items/none"))
    request_ids.request_id.set("two")
    answer = client.post(f"{url}{first.line.id}/redo/")
    request_ids.request_id.reset(token)

    assert ("X-Request-ID", "one") in first.content.response_headers
    assert ("X-Request-ID", "two") in sent(people, answer).content.response_headers
    assert "They are the same" in client.get(answer["Location"]).content.decode()


def test_edit_fills_the_form_and_keeps_the_link(people: Cast, browser: Browser, url: str) -> None:
    event = make_event(
        people.collection.id,
        method="PUT",
        path="notes/items",
        request=body('{"items":[{"key":"a"}]}'),
        request_headers=(("X-API-Key", "[redacted]"), ("X-Hint", "h"), ("Host", "x")),
    )
    event_queries.keep_event(event)
    client = browser(people.member)
    text = client.get(f"{url}client/?from={event.line.id}").content.decode()

    assert 'value="notes/items"' in text
    assert "{&quot;items&quot;:[{&quot;key&quot;:&quot;a&quot;}]}" in text
    assert "X-Hint: h" in text
    assert "[redacted]" not in search(r"<form class=\"card client-form.*?</form>", text, re.S).group()
    again = sent(people, send(client, url, "PUT", "notes/items", '{"items":[{"key":"b"}]}', replay_of=event.line.id))
    assert again.line.replay_of == event.line.id


def test_what_was_not_kept_whole_is_not_sent_again(people: Cast, browser: Browser, url: str) -> None:
    for more, reason in (
        ({"request": body(None, "image/png", digest="SHA-256 x")}, "is not text"),
        ({"request": body("x", is_cut=True)}, "was cut at 64 KB"),
        ({"request": body("[redacted]"), "is_redacted": True}, "masked"),
        ({"request_headers": (("X-Token", "[redacted]"),), "is_redacted": True}, "masked"),
    ):
        event = make_event(people.collection.id, method="POST", path="pics/files", query="name=a", **more)
        event_queries.keep_event(event)
        answer = browser(people.owner).post(f"{url}{event.line.id}/redo/", follow=True)
        assert reason in answer.content.decode()
        with pytest.raises(FileNotFound):
            files.get_file(access=Access(people.collection.id), drive="pics", name="a")


def test_redirects_are_not_followed_and_pages_not_reached(people: Cast, browser: Browser, url: str) -> None:
    for target in ("static/css/main.css", "notes", "sign-in", "collections"):
        event = sent(people, send(browser(people.owner), url, "GET", target))
        assert (event.line.status, event.content.response.text) == (404, '{"errors":["Not found"]}')


DRY = [
    (
        "PUT",
        "notes/items",
        '{"items": [{"key": "a", "n": 2}, {"key": "new"}]}',
        207,
        ["would change", "would be created"],
    ),
    ("POST", "notes/items", '{"item": {"key": "new"}}', 201, ["would be created"]),
    ("POST", "notes/items", '{"item": {"n": 1}}', 201, ["would be created"]),
    ("POST", "notes/items", '{"item": {"key": "a"}}', 409, []),
    ("PATCH", "notes/items/a", '{"increment": {"n": 5}}', 200, ["would change"]),
    ("DELETE", "notes/items/a", "", 200, ["would be deleted"]),
    ("DELETE", "notes/items/none", "", 200, []),
    ("PUT", "fresh/items", '{"items": [{"key": "a"}]}', 207, ["would be created"]),
    ("PUT", "notes/items", '{"items": []}', 400, []),
    ("DELETE", "pics/files", '{"names": ["a.txt", "b.txt"]}', 200, ["would be deleted"]),
]


@pytest.mark.parametrize("method, target, text, status, states", DRY)
def test_dry_run_shows_what_would_change_and_changes_nothing(
    people: Cast,
    browser: Browser,
    url: str,
    access: Access,
    method: str,
    target: str,
    text: str,
    status: int,
    states: list[str],
) -> None:
    items.put_items(access=access, base="notes", items=[{"key": "a", "n": 1}])
    sent(people, send(browser(people.member), url, "POST", "pics/files?name=a.txt", "x", kind="text/plain"))
    before = _everything(people.collection.id)

    answer = send(browser(people.member), url, method, target, text, **{"try": "1"})

    page = answer.content.decode()
    assert answer.status_code == 200
    assert f">{status}</span>" in page
    assert re.findall(r'<span class="chip">(would [a-z ]+)</span>', page) == states
    assert "Nothing was changed" in page
    assert _everything(people.collection.id) == before


@pytest.mark.parametrize(
    "method, target, said",
    [
        ("POST", "pics/files?name=a.txt", "It would replace the file of 1 bytes, text/plain"),
        ("POST", "pics/files?name=new.txt", "It would create a new file"),
        ("POST", "pics/uploads?name=a.txt", "An upload in parts has no dry run"),
        ("GET", "notes/items/a", "only reads"),
        ("POST", "notes/query", "only reads"),
    ],
)
def test_dry_run_says_what_it_cannot_try(
    people: Cast, browser: Browser, url: str, method: str, target: str, said: str
) -> None:
    sent(people, send(browser(people.member), url, "POST", "pics/files?name=a.txt", "x", kind="text/plain"))
    before = _everything(people.collection.id)

    assert said in send(browser(people.member), url, method, target, "{}", **{"try": "1"}).content.decode()
    assert _everything(people.collection.id) == before


def test_readers_dry_run_is_refused_like_the_write(people: Cast, browser: Browser, url: str) -> None:
    page = send(browser(people.reader), url, "PUT", "notes/items", '{"items": [{"key": "a"}]}', **{"try": "1"})

    assert "It would be refused" in page.content.decode()


def test_wrong_json_is_told_before_it_is_sent(people: Cast, browser: Browser, url: str) -> None:
    answer = send(browser(people.member), url, "PUT", "notes/items", "{'items': []}")

    assert answer.status_code == 422
    assert "The body is not JSON" in answer.content.decode()


def test_odd_keys_go_through(people: Cast, browser: Browser, url: str, access: Access) -> None:
    key = "%@#//#!#)#$_ ü\n"
    items.put_items(access=access, base="notes", items=[{"key": key}])

    event = sent(people, send(browser(people.reader), url, "GET", f"notes/items/{quote(key, safe='')}"))

    assert event.line.status == 200
    again = sent(people, browser(people.reader).post(f"{url}{event.line.id}/redo/"))
    assert again.line.status == 200


def _everything(collection_id: str) -> list[Any]:
    items_there = """
        SELECT b.name, i.key, i.value::text, i.revision FROM storage_base b
        LEFT JOIN storage_item i ON i.base_id = b.id WHERE b.collection_id = $1 ORDER BY 1, 2
    """
    files_there = """
        SELECT d.name, f.name, f.etag FROM storage_drive d
        LEFT JOIN storage_file f ON f.drive_id = d.id WHERE d.collection_id = $1 ORDER BY 1, 2
    """
    return [run(Statement(text, [collection_id], tuple)) for text in (items_there, files_there)]
