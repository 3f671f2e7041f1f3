"""Requests to Micros on the real server: what reaches an app, what comes back, and who is let in."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from storage import limits
from storage.micros import api_keys, domains, micros
from storage.micros.hosts import the_host
from storage.models import Membership, Micro, Session
from tests.people import Cast, make_session
from tests.running_micros import MicroClient, run_micro, told
from tests.serving import Server
from tests.waiting import PROMISED_SECONDS, eventually

PAGE = {"Accept": "text/html,*/*"}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"])
def test_a_request_arrives_as_it_was_sent(app: MicroClient, method: str) -> None:
    seen = told(app.ask("/v1/a%2Fb%20c?q=%C3%A9&q=+", method, body=b"hello", headers={"X-API-Key": "the app's own"}))
    assert (seen["method"], seen["target"], seen["bytes"]) == (method, "/v1/a%2Fb%20c?q=%C3%A9&q=+", 5)
    headers = dict(seen["headers"])
    assert headers["host"] == app.host
    assert headers["x-api-key"] == "the app's own"
    assert not [name for name in headers if "homeport" in name]


def test_head_has_no_body(app: MicroClient) -> None:
    answer = app.ask("/", "HEAD")
    assert (answer.status, answer.data) == (200, b"")


def test_a_chunked_body_is_whole(app: MicroClient) -> None:
    seen = told(app.ask("/", "POST", body=iter([b"abc", b"defg"])))
    assert seen["bytes"] == 7


def test_a_body_has_a_limit(app: MicroClient) -> None:
    most = limits.MICRO_BODY_MAX_BYTES
    assert told(app.ask("/", "POST", body=b"x" * most))["bytes"] == most
    assert app.ask("/", "POST", body=b"x" * (most + 1)).status == 413


def test_an_answer_arrives_while_it_is_made(app: MicroClient) -> None:
    answer = app.ask("/slowly", preload_content=False)
    came = [time.monotonic() for _ in answer.stream()]
    assert len(came) == 3
    assert came[2] - came[0] > 1
    answer.release_conn()


@pytest.mark.slow
def test_an_answer_that_never_ends_is_broken_off(app: MicroClient) -> None:
    answer = app.ask("/for-ever", preload_content=False)
    with pytest.raises(urllib3.exceptions.HTTPError):
        for _ in answer.stream():
            pass


def test_an_app_that_does_not_answer_is_told_of_and_replaced(app: MicroClient) -> None:
    assert app.ask().status == 200
    before = started_at(app)
    answer = app.ask("/never")
    assert answer.status == 504
    assert told(answer)["errors"][0] == "The app took too long"
    eventually(lambda: started_at(app) not in (None, before))
    assert app.ask().status == 200


def started_at(app: MicroClient) -> datetime | None:
    return the_host().statuses([app.micro.id])[app.micro.id].started_at


def test_cookies_of_other_hosts_are_not_set(app: MicroClient) -> None:
    assert app.ask("/cookies").headers.getlist("Set-Cookie") == ["own=1"]


def test_an_error_of_the_app_is_the_apps(app: MicroClient) -> None:
    answer = app.ask("/breaks")
    assert answer.status == 500
    assert b"Traceback" not in answer.data


def test_websockets_are_refused_in_words(app: MicroClient) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x"}
    answer = app.ask("/", headers=headers)
    assert answer.status == 501
    assert told(answer)["errors"][0] == "Micros take no websockets"


@pytest.mark.parametrize(
    "path", ["/__homeport/run", "/__homeport/cron", "/__space/v0/actions", "/x/..//__homeport/run"]
)
def test_what_is_ours_is_not_reached_from_outside(app: MicroClient, path: str) -> None:
    assert app.ask(path, "POST", body=b"{}").status == 404


def test_a_name_that_is_nobodys(server: Server, app: MicroClient) -> None:
    for headers in (PAGE, {}):
        answer = app.ask(headers={"Host": "nobody-at-all.localhost"} | headers)
        assert (answer.status, b"No app has this address" in answer.data) == (404, True)


def test_a_domain_of_ones_own(app: MicroClient, module_cast: Cast) -> None:
    about = {"collection_id": module_cast.collection.id, "micro_id": app.micro.id}
    domains.add_domain(**about, name="shop.example.org")
    headers = {"Host": "Shop.Example.org:8443"}
    eventually(lambda: app.ask(headers=headers).status == 200)
    assert told(app.ask(headers=headers))["method"] == "GET"
    domains.remove_domain(**about, name="shop.example.org")
    eventually(lambda: app.ask(headers=headers).status == 400)


def test_nothing_deployed_yet(server: Server, module_cast: Cast) -> None:
    micro = micros.create_micro(collection_id=module_cast.collection.id, name="empty")
    micro = micros.change_micro(collection_id=module_cast.collection.id, micro_id=micro.id, has_sign_in=False)
    answer = MicroClient(server.url, micro).ask()
    assert (answer.status, told(answer)["errors"][0]) == (503, "Nothing is deployed here yet")
    assert answer.headers["Retry-After"]


def test_an_app_that_does_not_start_says_why(server: Server, module_cast: Cast) -> None:
    broken = run_micro(server.url, module_cast.collection.id, {"main.py": "import nothing_of_this_name"}, name="broken")
    answer = broken.ask()
    assert answer.status == 502
    assert "nothing_of_this_name" in " ".join(told(answer)["errors"])
    assert b"<h1>" in broken.ask(headers=PAGE).data


@pytest.mark.slow
def test_a_hanging_app_holds_up_its_own_callers_alone(server: Server, app: MicroClient, module_cast: Cast) -> None:
    hanging = run_micro(server.url, module_cast.collection.id, {"main.py": _HANGS}, name="hanging")
    with ThreadPoolExecutor(100) as pool:
        asked = [pool.submit(hanging.ask) for _ in range(100)]
        eventually(lambda: any(each.done() and each.result().status == 503 for each in asked))
        began = time.monotonic()
        assert app.ask().status == 200
        assert urllib3.request("GET", f"{server.url}/sign-in/").status == 200
        assert time.monotonic() - began < PROMISED_SECONDS
    statuses = {each.result().status for each in asked}
    assert statuses == {503, 504}
    refused = next(each.result() for each in asked if each.result().status == 503)
    assert told(refused)["errors"][0] == "The app is busy"
    assert refused.headers["Retry-After"]


_HANGS = """
import time

def app(environ, start_response):
    time.sleep(600)
"""


# Who is let in.


def test_a_stranger_is_asked_to_sign_in(closed: MicroClient) -> None:
    answer = closed.ask("/a?b=c", headers=PAGE)
    where = urlsplit(answer.headers["Location"])
    assert (answer.status, where.path) == (302, "/enter/")
    assert parse_qs(where.query)["to"] == [closed.host]
    for method, headers in (("GET", {}), ("POST", PAGE)):
        refused = closed.ask(method=method, headers=headers)
        assert refused.status == 401
    assert told(closed.ask())["errors"] == ["Unauthorized"]


def enter(closed: MicroClient, session: str, path: str = "/a?b=c") -> tuple[str, str]:
    """As a browser does: the state's cookie, and the address that the console sends it on to."""
    asked = closed.ask(path, headers=PAGE)
    state = asked.headers["Set-Cookie"].partition(";")[0]
    where = urlsplit(asked.headers["Location"])
    console = urllib3.request(
        "GET", f"{closed.url}{where.path}?{where.query}", headers={"Cookie": f"sessionid={session}"}, redirect=False
    )
    found = re.fullmatch(r"0; url=http://[^/]+(/.*)", console.headers.get("Refresh", ""))
    return state, found[1] if found else str(console.status)


def test_a_person_of_the_collection_is_let_in_and_out_again(closed: MicroClient, module_cast: Cast) -> None:
    session = make_session(module_cast.reader)
    state, way_in = enter(closed, session)
    answer = closed.ask(way_in, headers={"Cookie": state})
    assert (answer.status, answer.headers["Location"]) == (302, "/a?b=c")
    cookie = answer.headers.getlist("Set-Cookie")[0]
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie.lower()
    visitor = {"Cookie": f"x=1; {cookie.partition(';')[0]}"}
    assert dict(told(closed.ask(headers=visitor))["headers"])["cookie"] == "x=1"
    Session.objects.filter(session_key=session).delete()
    eventually(lambda: closed.ask(headers=visitor).status == 401)


def test_a_ticket_is_good_once_and_in_one_browser(closed: MicroClient, app: MicroClient, module_cast: Cast) -> None:
    state, way_in = enter(closed, make_session(module_cast.member))
    assert closed.ask(way_in).status == 400
    assert closed.ask(way_in, headers={"Cookie": "homeport_state=another"}).status == 400
    assert app.ask(way_in, headers={"Cookie": state}).status == 400
    assert closed.ask(way_in, headers={"Cookie": state}).status == 302
    assert closed.ask(way_in, headers={"Cookie": state}).status == 400


def test_an_outsider_gets_no_ticket(closed: MicroClient, module_cast: Cast) -> None:
    assert enter(closed, make_session(module_cast.outsider))[1] == "404"


def test_a_role_that_ends_ends_the_visit(closed: MicroClient, module_cast: Cast) -> None:
    session = make_session(module_cast.outsider)
    Membership.objects.create(collection=module_cast.collection, person=module_cast.outsider, role="reader")
    state, way_in = enter(closed, session)
    cookie = closed.ask(way_in, headers={"Cookie": state}).headers.getlist("Set-Cookie")[0].partition(";")[0]
    assert closed.ask(headers={"Cookie": cookie}).status == 200
    Membership.objects.filter(person=module_cast.outsider).delete()
    eventually(lambda: closed.ask(headers={"Cookie": cookie}).status == 401)


def test_a_visitor_of_one_micro_is_none_of_another(server: Server, closed: MicroClient, module_cast: Cast) -> None:
    other = run_micro(server.url, module_cast.collection.id, {"main.py": "app = 1"}, name="other", has_sign_in=True)
    state, way_in = enter(closed, make_session(module_cast.owner))
    cookie = closed.ask(way_in, headers={"Cookie": state}).headers.getlist("Set-Cookie")[0].partition(";")[0]
    assert other.ask(headers={"Cookie": cookie}).status == 401


def test_the_consoles_session_does_not_reach_an_app(closed: MicroClient, app: MicroClient, module_cast: Cast) -> None:
    session = make_session(module_cast.owner)
    headers = {"Cookie": f"sessionid={session}; own=1"}
    assert dict(told(app.ask(headers=headers))["headers"])["cookie"] == "own=1"
    assert closed.ask(headers=headers).status == 401
    own = {"Cookie": "sessionid=abcdefghijklmnopqrstuvwxyz012345"}
    assert dict(told(app.ask(headers=own))["headers"])["cookie"] == own["Cookie"]


def test_an_api_key_lets_a_caller_in_and_stays_behind(closed: MicroClient, app: MicroClient, module_cast: Cast) -> None:
    about: dict[str, Any] = {"collection_id": module_cast.collection.id, "micro_id": closed.micro.id}
    key = api_keys.create_key(**about, name="for a test").text
    seen = told(closed.ask(headers={"X-API-Key": key}))
    assert "x-api-key" not in dict(seen["headers"])
    assert closed.ask(headers={"X-API-Key": key[:-1] + ("a" if key[-1] != "a" else "b")}).status == 401
    api_keys.revoke_key(**about, name="for a test")
    assert closed.ask(headers={"X-API-Key": key}).status == 401


def test_an_app_learns_the_id_of_a_request_and_cannot_tell_another(app: MicroClient) -> None:
    answer = app.ask("/own-id", headers={"X-Request-ID": "the-clients"})
    (told_to_client,) = answer.headers.getlist("X-Request-ID")
    assert answer.data.decode() == told_to_client
    assert told_to_client not in ("the-apps", "the-clients")


def test_whatever_becomes_of_a_request_to_a_micro_it_has_an_id(app: MicroClient, closed: MicroClient) -> None:
    answers = [
        app.ask(),
        app.ask("/", "HEAD"),
        app.ask("/slowly"),
        app.ask("/__homeport/nothing"),
        app.ask(headers={"Upgrade": "websocket"}),
        app.ask("/", "POST", body=b"x" * (limits.MICRO_BODY_MAX_BYTES + 1)),
        closed.ask(),
        closed.ask(headers=PAGE),
        MicroClient(app.url, Micro(subdomain="nobodys")).ask(),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200, 404, 501, 413, 401, 302, 404]
    ids = [answer.headers.getlist("X-Request-ID") for answer in answers]
    assert all(len(each) == 1 for each in ids)
    assert len({each for (each,) in ids}) == len(answers)


def test_a_member_is_shown_the_way_to_the_log(server: Server, module_cast: Cast) -> None:
    broken = run_micro(
        server.url, module_cast.collection.id, {"main.py": "1/0"}, name="closed and broken", has_sign_in=True
    )
    state, way_in = enter(broken, make_session(module_cast.member))
    cookie = broken.ask(way_in, headers={"Cookie": state}).headers.getlist("Set-Cookie")[0].partition(";")[0]
    page = broken.ask(headers=PAGE | {"Cookie": cookie})
    assert page.status == 502
    assert f"/collections/{module_cast.collection.id}/micros/{broken.micro.id}/logs/".encode() in page.data
