"""The Visor's pages: the list and its filters, one request, pins, the switch."""

import re
from typing import Any

import pytest

from storage.events import queries as event_queries
from storage.events import recording
from storage.events.ids import new_event_id
from storage.models import EventMinute
from tests.console.conftest import Browser
from tests.matching import search
from tests.people import Cast, make_cast
from tests.visor import body, make_event


def keep(cast: Cast, **more: Any) -> str:
    event = make_event(cast.collection.id, **more)
    event_queries.keep_event(event)
    return event.line.id


def shown(text: str) -> list[str]:
    """The paths in the list."""
    return re.findall(r'hx-push-url="true" title="([^"]*)"', text)


@pytest.fixture
def url(people: Cast) -> str:
    return f"/collections/{people.collection.id}/visor/"


def test_empty_page_explains_and_owners_switch_it_on(people: Cast, browser: Browser, url: str) -> None:
    assert "Record requests" in browser(people.owner).get(url).content.decode()
    text = browser(people.reader).get(url).content.decode()
    assert "Record requests" not in text
    assert "An owner of the collection can switch it on" in text

    assert browser(people.member).post(f"{url}switch/", {"on": "1"}).status_code == 403
    assert browser(people.owner).post(f"{url}switch/", {"on": "1"})["Location"] == url
    assert recording.find_recording(people.collection.id) is not None
    assert "Waiting for the first request" in browser(people.owner).get(url).content.decode()
    settings = f"/collections/{people.collection.id}/settings/"
    assert "Stop recording" in browser(people.owner).get(settings).content.decode()
    assert browser(people.owner).post(f"{url}switch/", {"from": "settings"})["Location"] == settings
    assert recording.find_recording(people.collection.id) is None


@pytest.mark.parametrize(
    "query, expected",
    [
        ("", ["b/items?a=1", "a/items"]),
        ("path=B/IT", ["b/items?a=1"]),
        ("status=4xx", ["b/items?a=1"]),
        ("status=errors", ["b/items?a=1"]),
        ("status=nonsense&key=x&slower=-1&since=never&origin=%01&method=%27", ["b/items?a=1", "a/items"]),
        ("method=put", ["b/items?a=1"]),
        ("text=needle", ["a/items"]),
        ("slower=5", ["b/items?a=1"]),
        ("since=2100-01-01T00:00", []),
        ("until=2100-01-01T00:00", ["b/items?a=1", "a/items"]),
        ("since=9999-12-31T23:59", []),
        ("origin=by+hand", []),
        ("pinned=1", []),
        ("before=ffffffffffffffffffffffffffffffff", ["b/items?a=1", "a/items"]),
        ("before=nonsense&span=nonsense", ["b/items?a=1", "a/items"]),
    ],
)
def test_filters_stand_in_the_address(
    people: Cast, browser: Browser, url: str, query: str, expected: list[str]
) -> None:
    keep(people, path="a/items", response=body("a needle"))
    keep(people, path="b/items", query="a=1", status=404, method="PUT", duration_us=9000)

    answer = browser(people.reader).get(f"{url}?{query}")

    assert answer.status_code == 200
    assert shown(answer.content.decode()) == expected


def test_chart_and_counts_follow_the_filter(people: Cast, browser: Browser, url: str) -> None:
    for status in (200, 200, 404, 500):
        keep(people, path=f"a%20b/{status}", status=status)
    keep(people, path="other", response=body("a needle"))
    reader = browser(people.reader)

    def counted(query: str) -> tuple[int, int, int]:
        chart = reader.get(url + query).context["chart"]
        return chart.requests, chart.errors, chart.most

    assert counted("") == (5, 2, 5)
    assert counted("?status=errors&span=24h") == (2, 2, 2)
    assert counted("?path=A+B/2&span=14d") == (2, 0, 2)
    assert counted("?path=a%2520b") == (4, 2, 4)
    assert counted("?text=needle") == (1, 0, 1)
    assert counted("?until=2001-01-01T00:00") == (0, 0, 0)
    assert counted("?pinned=1") == (0, 0, 0)
    text = reader.get(f"{url}?path=a+b").content.decode()
    assert "a b/404" in text
    assert "at most 4 within 1 minute" in text


def test_archive_holds_what_the_filter_shows(people: Cast, browser: Browser, url: str) -> None:
    keep(people, path="a/items", method="PUT", request=body('{"items": []}'), request_headers=(("X-A", "b"),))
    keep(people, path="b%20c", query="q=1&r=%26", status=404, response=body("cut", is_cut=True), duration_us=2500)
    keep(people, path="bytes", response=body(None, "image/png", digest="SHA-256 abc"))
    reader = browser(people.reader)

    answer = reader.get(f"{url}har/")
    log = answer.json()["log"]

    assert search(r'filename="requests-[0-9-]+\.har"', answer["Content-Disposition"])
    assert (log["version"], log["creator"]["name"]) == ("1.2", "Homeport")
    first, second, third = log["entries"]
    at = f"http://testserver/v1/{people.collection.id}/"
    assert [each["request"]["url"] for each in log["entries"]] == [at + "a/items", at + "b%20c?q=1&r=%26", at + "bytes"]
    assert first["request"]["postData"] == {"mimeType": "application/json", "text": '{"items": []}'}
    assert first["request"]["headers"] == [{"name": "X-A", "value": "b"}]
    assert second["request"]["queryString"] == [{"name": "q", "value": "1"}, {"name": "r", "value": "&"}]
    assert (second["response"]["status"], second["response"]["statusText"]) == (404, "Not Found")
    assert second["response"]["content"]["comment"] == "only the first of it was recorded"
    assert (second["time"], second["timings"]["wait"]) == (2.5, 2.5)
    assert third["response"]["content"]["comment"] == "not recorded: SHA-256 abc"
    only = reader.get(f"{url}har/?status=4xx").json()["log"]["entries"]
    assert [each["request"]["url"] for each in only] == [at + "b%20c?q=1&r=%26"]


@pytest.mark.parametrize(
    "method, path, asks",
    [
        ("PUT", "notes/items", True),
        ("DELETE", "notes/items/a", True),
        ("POST", "notes/items", True),
        ("GET", "notes/items/a", False),
        ("POST", "notes/query", False),
        ("HEAD", "notes/items/a", False),
    ],
)
def test_sending_a_write_again_is_asked_about(
    people: Cast, browser: Browser, url: str, method: str, path: str, asks: bool
) -> None:
    event_id = keep(people, method=method, path=path)
    client = browser(people.member)
    panel = client.get(f"{url}{event_id}/").content.decode()
    assert (f'hx-get="{url}{event_id}/redo/"' in panel) is asks
    assert ('data-key="R"' in panel) is asks
    question = client.get(f"{url}{event_id}/redo/")
    assert "changes data again" in question.content.decode()
    assert len(event_queries.list_events(collection_id=people.collection.id).lines) == 1


def test_page_that_is_up_to_date_is_answered_204(people: Cast, browser: Browser, url: str) -> None:
    keep(people)
    client = browser(people.reader)
    fingerprint = search(r'data-fingerprint="(\w+)"', client.get(url).content.decode()).group(1)

    assert client.get(f"{url}?seen={fingerprint}").status_code == 204
    keep(people, path="new/items")
    answer = client.get(f"{url}?seen={fingerprint}").content.decode()
    assert "new/items" in answer
    assert "<html" not in answer


@pytest.mark.parametrize(
    "tab, text",
    [
        ("", "the answer"),
        ("response", "the answer"),
        ("request", "the payload"),
        ("log", "something happened"),
        ("code", "$DETA_PROJECT_KEY"),
        ("difference", "the answer"),
        ("nonsense", "the answer"),
    ],
)
def test_each_tab_has_an_address(people: Cast, browser: Browser, url: str, tab: str, text: str) -> None:
    event_id = keep(
        people,
        request=body('"the payload"'),
        response=body('"the answer"'),
        log=(("WARNING", "storage", "something happened"),),
    )
    client = browser(people.reader)
    for headers in ({}, {"HX-Request": "true", "HX-Target": "panel"}):
        answer = client.get(f"{url}{event_id}/?tab={tab}", headers=headers).content.decode()
        assert text in answer
        assert ("<html" in answer) is (headers == {})
    others = {"the answer", "the payload", "something happened"} - {text}
    assert tab == "code" or not any(other in answer for other in others)


def test_other_collections_events_are_not_there(people: Cast, browser: Browser, url: str) -> None:
    event_id = keep(people)
    other = make_cast()
    theirs = f"/collections/{other.collection.id}/visor/{event_id}/"
    client = browser(other.owner)
    assert client.get(theirs).status_code == 404
    assert client.post(f"{theirs}pin/", {"on": "1"}).status_code == 404
    assert client.post(f"{theirs}redo/").status_code == 404
    assert client.get(f"/collections/{other.collection.id}/visor/client/?from={event_id}").status_code == 404
    assert browser(people.reader).get(f"{url}{new_event_id(1)}/").status_code == 404


def test_pin_and_unpin(people: Cast, browser: Browser, url: str) -> None:
    event_id = keep(people)
    client = browser(people.member)

    assert client.post(f"{url}{event_id}/pin/", {"on": "1"})["Location"] == f"{url}{event_id}/"
    assert "Unpin" in client.get(f"{url}{event_id}/").content.decode()
    assert len(shown(client.get(f"{url}?pinned=1").content.decode())) == 1
    answer = client.post(f"{url}{event_id}/pin/", headers={"HX-Request": "true", "HX-Target": "panel"}).content.decode()
    assert "Unpin" not in answer
    assert browser(people.reader).post(f"{url}{event_id}/pin/", {"on": "1"}).status_code == 403


def test_lost_requests_are_told(people: Cast, browser: Browser, url: str) -> None:
    keep(people)
    EventMinute.objects.filter(collection_id=people.collection.id).update(lost=1234)

    assert (
        "1,234 requests of the last 24 hours could not be recorded" in browser(people.reader).get(url).content.decode()
    )


def test_links_lead_to_what_a_write_touched(people: Cast, browser: Browser, url: str) -> None:
    base = f"/collections/{people.collection.id}/base/notes/?key="
    drive = f"/collections/{people.collection.id}/drive/pics/?file="
    for more, expected in (
        (
            {
                "method": "PUT",
                "path": "notes/items",
                "response": body('{"processed":{"items":[{"key":"a/b"},{"key":"c"}]}}'),
            },
            [base + "a%2Fb", base + "c"],
        ),
        ({"method": "PATCH", "path": "notes/items/x%20y"}, [base + "x%20y"]),
        ({"method": "POST", "path": "notes/items", "status": 201, "response": body('{"key":"n"}')}, [base + "n"]),
        ({"method": "POST", "path": "pics/files", "query": "name=2024/a.png", "status": 201}, [drive + "2024%2Fa.png"]),
        ({"method": "DELETE", "path": "pics/files", "response": body('{"deleted":["a"]}')}, [drive + "a"]),
        ({"method": "GET", "path": "notes/items/x"}, []),
        ({"method": "PUT", "path": "notes/items", "status": 400}, []),
        ({"method": "POST", "path": "notes/query"}, []),
    ):
        text = browser(people.reader).get(f"{url}{keep(people, **more)}/").content.decode()
        assert re.findall(r'href="([^"]*\?(?:key|file)=[^"]*)"', text) == expected


HOSTILE = '<img src=x onerror="alert(1)">\x1b[31mred\r\nSet-Cookie: a=b\u202egnp.exe'


def test_hostile_content_shows_as_text(people: Cast, browser: Browser, url: str) -> None:
    event_id = keep(
        people,
        method="<b>PUT",
        path="<script>alert(1)</script>",
        query="'\"><svg onload=alert(1)>",
        request=body(HOSTILE, "<i>"),
        response=body(HOSTILE, "</pre><script>"),
        request_headers=(("X-<b>", HOSTILE),),
        response_headers=(("X-<b>", HOSTILE),),
        log=(("WARNING", "<b>", HOSTILE.replace("\r\n", "\\r\\n")),),
        origin="client",
        sent_by="<b>Ada",
    )
    client = browser(people.owner)
    pages = [f"{url}{event_id}/?tab={tab}" for tab in ("response", "request", "log", "code")]
    for page in [url, *pages, f"{url}client/?from={event_id}", f"{url}client/?sent={event_id}"]:
        text = client.get(page).content.decode()
        for markup in ("<img src=x", "<script>alert", "<svg onload", "<b>", "<i>"):
            assert markup not in text, page
        assert "\x1b" not in text.replace(_form(text), "")
        assert "\u202e" not in text.replace(_form(text), "")


def _form(text: str) -> str:
    """A form holds what will be sent, as it is."""
    return found.group() if (found := re.search(r"<form class=\"card client-form.*?</form>", text, re.S)) else ""


def test_palette_finds_the_visor_and_the_client(people: Cast, browser: Browser) -> None:
    client = browser(people.reader)

    assert f"/collections/{people.collection.id}/visor/" in client.get("/jump/?q=visor").content.decode()
    assert f"/collections/{people.collection.id}/visor/client/" in client.get("/jump/?q=http").content.decode()
