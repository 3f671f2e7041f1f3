"""Requests to Micros in the Visor, on the real server and in the real sandbox: recorded, shown with their logs, sent again."""

import gzip
import json
import os
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from console.visor import micro_replay
from console.visor.code_snippets import make_snippets
from storage.events import queries as event_queries
from storage.events.blocks import Event
from storage.events.queries import Conditions
from storage.micro_logs import logs
from storage.micros import api_keys, micros, variables
from storage.models import Collection
from tests.console.conftest import Browser
from tests.console.visor.test_code_snippets import program
from tests.matching import search
from tests.people import Cast, make_cast
from tests.running_micros import MicroClient, run_micro
from tests.serving import Server
from tests.visor import body, make_event
from tests.waiting import MOMENT_SECONDS, SWITCH_SECONDS, eventually

APP = (Path(__file__).parent / "noisy_app.py").read_text()
TOKEN = "wholly-unlikely-token"
PEM = "-----BEGIN KEY-----\nabcdefghijkl\n-----END KEY-----"


@pytest.fixture(scope="module")
def cast(server: Server) -> Cast:
    return make_cast("With recorded Micros")


@pytest.fixture(scope="module")
def app(server: Server, cast: Cast) -> MicroClient:
    """One that is open to everybody."""
    made = run_micro(server.url, cast.collection.id, {"main.py": APP}, name="noisy")
    about: dict[str, Any] = {"collection_id": cast.collection.id, "micro_id": made.micro.id}
    variables.set_variables(**about, values={"TOKEN": TOKEN, "PEM": PEM})
    recorded = micros.change_micro(**about, is_recorded=True)
    time.sleep(SWITCH_SECONDS)
    return MicroClient(server.url, recorded)


@pytest.fixture(scope="module")
def closed(server: Server, cast: Cast, app: MicroClient) -> MicroClient:
    """One that asks for sign-in."""
    made = run_micro(server.url, cast.collection.id, {"main.py": APP}, name="closed", has_sign_in=True)
    recorded = micros.change_micro(collection_id=cast.collection.id, micro_id=made.micro.id, is_recorded=True)
    time.sleep(SWITCH_SECONDS)
    return MicroClient(server.url, recorded)


@pytest.fixture(scope="module")
def key(closed: MicroClient) -> str:
    """An API key of that one."""
    return api_keys.create_key(collection_id=closed.micro.collection_id, micro_id=closed.micro.id, name="caller").text


def newest(client: MicroClient, path: str) -> Event:
    """The newest event of this path, once it is stored."""
    collection_id = client.micro.collection_id

    def find() -> str:
        conditions = Conditions(micro_id=client.micro.id)
        lines = event_queries.list_events(collection_id=collection_id, conditions=conditions).lines
        return next((line.id for line in lines if line.path == path), "")

    return event_queries.find_event(collection_id=collection_id, event_id=eventually(find, what=path))


def printed(event: Event) -> list[str]:
    """What the app printed for it, once the log has it."""
    return [text for _, _, text in eventually(lambda: logs.list_printed(event))]


def url_of(cast: Cast) -> str:
    return f"/collections/{cast.collection.id}/visor/"


def sent(cast: Cast, answer: Any) -> Event:
    """The event that something sent by hand led to."""
    assert answer.status_code == 302, re.findall(r'role="alert">.*?</div>', answer.content.decode(), re.S)
    event_id = search(r"[0-9a-f]{32}", answer["Location"].rpartition("visor/")[2]).group()
    return event_queries.find_event(collection_id=cast.collection.id, event_id=event_id)


def send(client: Any, cast: Cast, micro: MicroClient, target: str, method: str = "GET", **more: str) -> Any:
    form = {"to": micro.micro.id, "method": method, "target": target, "body": "", "kind": "application/json"} | more
    return client.post(f"{url_of(cast)}client/", form)


def test_a_request_is_recorded_with_what_was_printed_for_it(app: MicroClient) -> None:
    app.ask("/orders/a%2Fb?q=%C3%A9", "POST", body=b'{"n": 1}', headers={"Content-Type": "application/json"})

    event = newest(app, "/orders/a%2Fb")
    line = event.line
    assert (line.method, line.query, line.status, line.micro_id) == ("POST", "q=%C3%A9", 201, app.micro.id)
    assert (line.micro_name, line.micro_subdomain) == ("noisy", app.micro.subdomain)
    assert event.content.request.text == '{"n": 1}'
    assert json.loads(event.content.response.text or "")["target"] == "/orders/a%2Fb?q=%C3%A9"
    assert dict(event.request_headers)["Host"] == app.host
    assert printed(event) == ["asked for /orders/a/b"]


def test_a_traceback_stands_with_its_request(app: MicroClient, cast: Cast, browser: Browser) -> None:
    app.ask("/other")
    app.ask("/breaks")

    event = newest(app, "/breaks")
    assert event.line.status == 500
    eventually(lambda: "ValueError: the app broke" in printed(event))
    text = browser(cast.reader).get(f"{url_of(cast)}{event.line.id}/?tab=log").content.decode()
    for shown in ("asked for /breaks", "about to break", "Traceback", "ValueError: the app broke", "Live log"):
        assert shown in text
    assert "asked for /other" not in text


def test_no_secret_is_kept(app: MicroClient) -> None:
    key = api_keys.create_key(collection_id=app.micro.collection_id, micro_id=app.micro.id, name="ours").text
    secrets = {
        "X-API-Key": key,
        "Authorization": "Bearer very-secret-bearer",
        "Cookie": "homeport_visitor=somebodys-visit; theirs=their-own-cookie",
    }
    answer = app.ask("/secrets", headers=secrets)
    told = json.loads(answer.data)
    assert told["token"] == TOKEN

    event = newest(app, "/secrets")
    kept = repr((event.line, event.content, event.request_headers))
    for secret in (
        TOKEN,
        told["key"],
        "abcdefghijkl",
        "very-secret-bearer",
        "somebodys-visit",
        "their-own-cookie",
        key,
    ):
        assert secret not in kept
    assert "their-session-id" not in kept
    assert event.content.is_redacted


def test_a_request_without_secrets_is_sent_again_whatever_was_masked_in_its_answer(
    app: MicroClient, cast: Cast, browser: Browser
) -> None:
    app.ask("/secrets")
    first = newest(app, "/secrets")

    event = sent(cast, browser(cast.member).post(f"{url_of(cast)}{first.line.id}/redo/"))

    assert (event.line.origin, TOKEN in repr(event.content)) == ("replay", False)


def test_a_stream_is_kept_as_it_passed_and_bytes_are_described(app: MicroClient) -> None:
    assert app.ask("/stream").data == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    app.ask("/binary")

    body = newest(app, "/stream").content.response
    assert (body.text, body.is_cut) == ("data: 0\n\ndata: 1\n\ndata: 2\n\n", False)
    body = newest(app, "/binary").content.response
    assert (body.text, body.size_bytes, body.content_type) == (None, 1024, "image/png")
    assert body.digest.startswith("SHA-256 ")


def test_compressed_bodies_are_shown_as_what_they_were(app: MicroClient, cast: Cast, browser: Browser) -> None:
    body = gzip.compress(f"hello from {TOKEN}".encode())
    app.ask("/compressed", "POST", body=body, headers={"Content-Encoding": "gzip"})

    event = newest(app, "/compressed")
    content = event.content
    assert (content.request.text, content.request.decoded_from) == ("hello from [redacted]", "gzip")
    assert content.request.size_bytes == len(body)
    assert json.loads(content.response.text or "")["key"] == "[redacted]"
    assert content.is_redacted
    page = browser(cast.member).get(f"{url_of(cast)}{event.line.id}/").content.decode()
    assert "bytes of gzip" in page

    app.ask("/compressed", "POST", body=gzip.compress(b"hello"), headers={"Content-Encoding": "gzip", "X-Odd": "2"})
    eventually(lambda: newest(app, "/compressed").content.request.text == "hello")
    event = newest(app, "/compressed")
    again = sent(cast, browser(cast.member).post(f"{url_of(cast)}{event.line.id}/redo/"))
    assert json.loads(again.content.response.text or "")["got"] == "as it is: hello"


def test_long_bodies_are_cut(app: MicroClient) -> None:
    app.ask("/long", "POST", body=b"x" * 100_000)

    body = newest(app, "/long").content.request
    assert (body.size_bytes, body.is_cut) == (100_000, True)
    assert len(body.text or "") < 70_000


def test_who_is_not_let_in_is_told_of_but_not_where_one_signs_in(closed: MicroClient) -> None:
    assert closed.ask("/page", headers={"Accept": "text/html"}).status == 302
    assert closed.ask("/__homeport/enter?ticket=x").status == 400
    assert closed.ask("/hook", "POST", body=b"from a stranger").status == 401

    event = newest(closed, "/hook")
    assert (event.line.status, event.content.request.text, event.line.bytes_in) == (401, None, 15)
    ((level, _, message),) = event.content.log
    assert (level, message) == ("WARNING", "Nobody was signed in, and no API key of this Micro was sent")
    conditions = Conditions(micro_id=closed.micro.id)
    lines = event_queries.list_events(collection_id=closed.micro.collection_id, conditions=conditions).lines
    assert {line.path for line in lines} & {"/page", "/__homeport/enter"} == set()


def test_a_refusal_says_why(server: Server, cast: Cast) -> None:
    about: dict[str, Any] = {"collection_id": cast.collection.id}
    micro = micros.create_micro(**about, name="without code")
    micros.change_micro(**about, micro_id=micro.id, has_sign_in=False, is_recorded=True)
    client = MicroClient(server.url, micro)
    eventually(lambda: client.ask("/").status == 503)

    event = newest(client, "/")
    assert event.line.status == 503
    assert [message for _, _, message in event.content.log] == [
        "Nothing is deployed here yet. It will answer once its code is deployed."
    ]


def test_what_is_not_recorded_leaves_nothing(server: Server, cast: Cast) -> None:
    client = run_micro(server.url, cast.collection.id, {"main.py": APP}, name="quiet")
    assert client.ask("/hello").status == 200
    time.sleep(SWITCH_SECONDS)
    conditions = Conditions(micro_id=client.micro.id)
    assert event_queries.list_events(collection_id=cast.collection.id, conditions=conditions).lines == []


def test_redo_goes_through_sign_in_as_the_person(closed: MicroClient, key: str, cast: Cast, browser: Browser) -> None:
    closed.ask("/again?x=1", "POST", body=b"hello", headers={"X-API-Key": key, "X-Odd": "it's"})
    first = newest(closed, "/again")
    client = browser(cast.reader)

    answer = client.post(f"{url_of(cast)}{first.line.id}/redo/")

    event = sent(cast, answer)
    assert (event.line.origin, event.line.replay_of, event.line.micro_id) == ("replay", first.line.id, closed.micro.id)
    assert event.content.sent_by == cast.reader.username
    told = json.loads(event.content.response.text or "")
    assert told == json.loads(first.content.response.text or "") | {"host": f"{closed.micro.subdomain}.localhost"}
    assert (told["method"], told["target"], told["body"], told["odd"]) == ("POST", "/again?x=1", "hello", "it's")
    assert printed(event) == ["asked for /again"]
    assert "difference" in answer["Location"]
    assert client.get(answer["Location"]).status_code == 200


def test_the_client_sends_to_a_micro(app: MicroClient, cast: Cast, browser: Browser) -> None:
    client = browser(cast.member)
    page = client.get(f"{url_of(cast)}client/?to={app.micro.id}").content.decode()
    assert f"//{app.micro.subdomain}.localhost" in page

    event = sent(cast, send(client, cast, app, "/by/hand?a=b c".replace(" ", "%20"), "POST", body='{"a": 1}'))

    told = json.loads(event.content.response.text or "")
    assert (told["target"], told["body"]) == ("/by/hand?a=b%20c", '{"a": 1}')
    assert (event.line.origin, event.line.micro_id) == ("client", app.micro.id)
    whole = f"http://{app.micro.subdomain}.localhost:8080/by/hand"
    assert json.loads(sent(cast, send(client, cast, app, whole)).content.response.text or "")["target"] == "/by/hand?"
    tried = send(client, cast, app, "/by/hand", "POST", **{"try": "1"}).content.decode()
    assert "no dry run" in tried


@pytest.mark.parametrize(
    "target",
    [
        *("http://127.0.0.1/", "https://example.org/x", "example.org", "@example.org/", "notes/items/a", "", "\\x"),
        *(
            "/a b",
            "/a%zz",
            "/__homeport/enter?ticket=x",
            "/x/..//__homeport/run",
            "/%5f_homeport/run",
            "/__space/v0/actions",
        ),
        "http://noisy.localhost.example.org/",
    ],
)
def test_nothing_else_is_reached(app: MicroClient, cast: Cast, browser: Browser, target: str) -> None:
    answer = send(browser(cast.owner), cast, app, target)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


@pytest.mark.parametrize(
    "header", ["Host: other.localhost", "Cookie: a=b", "X-Forwarded-For: 1.2.3.4", "Connection: x"]
)
def test_headers_of_others_are_refused(app: MicroClient, cast: Cast, browser: Browser, header: str) -> None:
    assert send(browser(cast.owner), cast, app, "/", headers=header).status_code == 422


def test_an_apps_own_authorization_may_be_sent(app: MicroClient, cast: Cast, browser: Browser) -> None:
    event = sent(cast, send(browser(cast.member), cast, app, "/own", headers="Authorization: Bearer x"))
    assert (event.line.status, dict(event.request_headers)["Authorization"]) == (200, "[redacted]")


def test_other_collections_micros_are_not_reached(app: MicroClient, cast: Cast, browser: Browser) -> None:
    answer = send(browser(cast.outsider), cast, app, "/")
    assert answer.status_code == 404
    other = make_cast("Another")
    form = {"to": app.micro.id, "method": "GET", "target": "/", "kind": "application/json"}
    assert browser(other.owner).post(f"{url_of(other)}client/", form).status_code == 422


def test_few_wait_at_once(app: MicroClient, cast: Cast, browser: Browser) -> None:
    with ExitStack() as taken:
        for _ in range(micro_replay.AT_ONCE):
            taken.enter_context(micro_replay._turns)
        answer = send(browser(cast.member), cast, app, "/")
        assert answer.status_code == 422
        assert "Too many requests sent by hand" in answer.content.decode()
    assert sent(cast, send(browser(cast.member), cast, app, "/")).line.status == 200


@pytest.mark.slow
def test_of_an_answer_without_end_the_beginning_is_shown(app: MicroClient, cast: Cast, browser: Browser) -> None:
    event = sent(cast, send(browser(cast.member), cast, app, "/for-ever"))
    assert (event.line.status, set(event.content.response.text or "")) == (200, {"."})


@pytest.mark.parametrize("language", ["curl", "python", "javascript"])
def test_snippets_run_when_pasted(server: Server, closed: MicroClient, key: str, language: str) -> None:
    path = f"/{language}/%C3%BC"
    closed.ask(f"{path}?a=b", "POST", body=b"it's $HOME", headers={"X-API-Key": key, "X-Odd": "`id`"})
    event = newest(closed, path)

    snippets = make_snippets(event, origin=server.url, micro=closed.micro)

    assert snippets is not None
    assert key not in repr(snippets)
    ran = subprocess.run(
        [*program(language), getattr(snippets, language)],
        env={"PATH": os.environ["PATH"], "MICRO_API_KEY": key},
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
    )
    assert ran.returncode == 0, (getattr(snippets, language), ran.stderr)
    again = eventually(lambda: found if (found := newest(closed, path)).line.id != event.line.id else None)
    assert again is not None
    assert (again.line.method, again.line.target, again.line.status) == ("POST", f"{path}?a=b", 201)
    assert (again.content.request.text, dict(again.request_headers)["X-Odd"]) == ("it's $HOME", "`id`")
    assert dict(again.request_headers)["Host"] == closed.host


def test_a_pinned_request_keeps_its_log(app: MicroClient, cast: Cast, browser: Browser) -> None:
    app.ask("/pinned")
    event = newest(app, "/pinned")
    printed(event)
    client = browser(cast.member)
    client.post(f"{url_of(cast)}{event.line.id}/pin/", {"on": "1"})

    kept = event_queries.find_event(collection_id=cast.collection.id, event_id=event.line.id)

    assert [text for _, _, text in kept.content.printed] == ["asked for /pinned"]


@pytest.fixture
def listed(people: Cast) -> Collection:
    """A collection with a request to its API, and two Micros with one each, of which the second is deleted."""
    about: dict[str, Any] = {"collection_id": people.collection.id}
    shop, gone = (micros.create_micro(**about, name=name) for name in ("shop", "gone"))
    event_queries.keep_event(make_event(people.collection.id, path="notes/items"))
    event_queries.keep_event(make_event(people.collection.id, path="/buy", micro_id=shop.id, response=body('"yes"')))
    event_queries.keep_event(make_event(people.collection.id, path="/lost", micro_id=gone.id))
    micros.delete_micro(**about, micro_id=gone.id, typed_name="gone")
    return people.collection


def shown(text: str) -> list[str]:
    return re.findall(r'hx-push-url="true" title="([^"]*)"', text)


def test_filters_by_micro_stand_in_the_address(people: Cast, browser: Browser, listed: Collection) -> None:
    client, url = browser(people.reader), url_of(people)
    shop = micros.find_micro_by_name(collection_id=listed.id, name="shop")
    lines = event_queries.list_events(collection_id=listed.id).lines
    gone = next(line.micro_id for line in lines if line.path == "/lost")

    def paths(query: str) -> list[str]:
        return shown(client.get(f"{url}?{query}").content.decode())

    assert paths("") == ["/lost", "/buy", "notes/items"]
    assert paths("micro=api") == ["notes/items"]
    assert paths(f"micro={shop.id}") == ["/buy"]
    assert paths(f"micro={gone}") == ["/lost"]
    assert paths(f"micro={shop.id}&text=yes&path=BUY") == ["/buy"]
    assert paths(f"micro={shop.id}&path=notes") == []
    assert paths("micro=%01nonsense") == ["/lost", "/buy", "notes/items"]
    text = client.get(url).content.decode()
    assert text.count('visor-micro"') == 2
    assert "deleted Micro" in text
    assert f"{shop.subdomain}.localhost" in text


def test_a_request_to_a_deleted_micro_is_shown_and_not_sent(people: Cast, browser: Browser, listed: Collection) -> None:
    event_id = next(
        line.id for line in event_queries.list_events(collection_id=listed.id).lines if line.path == "/lost"
    )
    client, url = browser(people.owner), url_of(people)

    for tab in ("response", "request", "log", "code"):
        assert client.get(f"{url}{event_id}/?tab={tab}").status_code == 200
    answer = client.post(f"{url}{event_id}/redo/", follow=True).content.decode()

    assert "The Micro that it went to was deleted" in answer


def test_each_micro_has_a_switch(people: Cast, browser: Browser, listed: Collection) -> None:
    shop = micros.find_micro_by_name(collection_id=listed.id, name="shop")
    url = url_of(people)
    form = {"micro": shop.id, "on": "1"}

    assert browser(people.member).post(f"{url}switch/", form).status_code == 403
    answer = browser(people.owner).post(f"{url}switch/", form)
    assert answer["Location"] == f"{url}?micro={shop.id}"
    assert micros.find_micro(collection_id=listed.id, micro_id=shop.id).is_recorded
    text = browser(people.owner).get(answer["Location"]).content.decode()
    assert "Stop recording" in text
    browser(people.owner).post(f"{url}switch/", {"micro": shop.id})
    assert not micros.find_micro(collection_id=listed.id, micro_id=shop.id).is_recorded
    assert browser(people.owner).post(f"{url}switch/", {"micro": "nonsense"}).status_code == 404


def test_addresses_have_the_consoles_port(server: Server, app: MicroClient, cast: Cast, browser: Browser) -> None:
    app.ask("/address")
    event = newest(app, "/address")
    text = (
        browser(cast.reader)
        .get(f"{url_of(cast)}{event.line.id}/?tab=code", HTTP_HOST="localhost:8123")
        .content.decode()
    )
    assert f"http://{app.micro.subdomain}.localhost:8123/address" in text
    assert urlsplit(server.url).port != 8123
