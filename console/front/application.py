"""Answers a request to a Micro: who asks, is there room, then on to the app and back.

Django has to be set up before this is imported.
"""

import time
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode

from django.contrib.auth.models import User
from django.urls import reverse

from console import host_names, streams
from console.cookies import PREFIX
from console.error_status import status_of
from console.front import headers, hosts, paths, refusals, visitors
from console.front.counting import counts
from console.front.refusals import Refusal
from console.front.relay import relay
from console.recording.micro_recorder import EVENT_ID
from console.recording.request_log import note
from console.server.answers import Answer
from storage import limits
from storage.errors import EngineUnreachable, StorageError
from storage.events import ids as event_ids
from storage.micros import api_keys
from storage.micros.host import Fault, FaultKind
from storage.micros.hosts import the_places
from storage.models import Micro

_UNAUTHORIZED = Refusal(HTTPStatus.UNAUTHORIZED, "Sign in to see this", message="Unauthorized")
_GONE = Refusal(HTTPStatus.BAD_REQUEST, "This link was used already, or is too old", "Open the app's address again.")


def find_micro(environ: dict[str, Any]) -> Micro | None:
    """The Micro that a request is for; None for one that is not for any. Raises EngineUnreachable."""
    return hosts.found.find(environ.get("HTTP_HOST", ""))


def answer(environ: dict[str, Any], micro: Micro) -> Answer:
    """The app's answer, or ours in its place. Raises BodyAwaited."""
    person: User | None = None
    try:
        if environ["PATH_INFO"] == paths.ENTER:
            return _let_in(environ, micro)
        person = environ.get(visitors.BY_HAND) or visitors.visitors.find(
            _cookie(environ, visitors.VISITOR_COOKIE), micro
        )
        has_our_key = api_keys.check_key(environ.get(headers.API_KEY, ""), micro_id=micro.id)
        if micro.has_sign_in and person is None and not has_our_key:
            return _ask_to_sign_in(environ)
        _check(environ, micro)
        body = streams.read_raw(environ, most_bytes=limits.MICRO_BODY_MAX_BYTES)
        event_id = environ.setdefault(EVENT_ID, event_ids.new_event_id(time.time_ns()))
        sent = headers.for_app(
            environ,
            event_id=event_id,
            body_bytes=len(body) if environ.get("CONTENT_LENGTH") else None,
            takes_key=has_our_key,
        )
        # No connection to the database is held by now: the app may need one.
        socket = the_places().socket(micro.id)
        answered = relay(environ, micro, socket, sent, body)
    except Refusal as refusal:
        note("WARNING", "front", ". ".join(filter(None, (refusal.title, refusal.text))))
        answered = refusals.answer(refusal, environ, micro=micro, sees_log=person is not None)
    except EngineUnreachable as error:
        note("ERROR", "front", error.messages[0])
        answered = refusals.answer(refusals.busy(error.messages[0]), environ)
    except StorageError as error:
        note("WARNING", "front", error.messages[0])
        status = HTTPStatus(status_of(error))
        answered = refusals.answer(Refusal(status, status.phrase, error.messages[0]), environ)
    counts.add(micro.id, int(answered[0][:3]))
    return answered


def _check(environ: dict[str, Any], micro: Micro) -> None:
    """Raises Refusal for what no app gets to see."""
    if paths.is_reserved(environ["PATH_INFO"]):
        raise Refusal(HTTPStatus.NOT_FOUND, "There is nothing here")
    if micro.deployment_id is None:
        raise refusals.of_fault(Fault(FaultKind.UNDEPLOYED, "It will answer once its code is deployed"))
    if "websocket" in environ.get("HTTP_UPGRADE", "").lower():
        text = "A Micro answers requests one by one; server-sent events are such an answer."
        raise Refusal(HTTPStatus.NOT_IMPLEMENTED, "Micros take no websockets", text)


def _ask_to_sign_in(environ: dict[str, Any]) -> Answer:
    """A browser that opens a page is sent to the console, all else is refused."""
    is_page = environ["REQUEST_METHOD"] == "GET" and "text/html" in environ.get("HTTP_ACCEPT", "")
    if not is_page:
        note("WARNING", "front", "Nobody was signed in, and no API key of this Micro was sent")
        return refusals.answer(_UNAUTHORIZED, environ)
    state = visitors.new_state()
    host = environ.get("HTTP_HOST", "")
    asked = urlencode({"to": host, "path": environ["RAW_URI"], "state": state})
    where = f"{environ['wsgi.url_scheme']}://{host_names.console_host(host)}{reverse('enter-micro')}?{asked}"
    return _redirect(where, _set_cookie(environ, visitors.STATE_COOKIE, state, seconds=600))


def _let_in(environ: dict[str, Any], micro: Micro) -> Answer:
    asked = parse_qs(environ["QUERY_STRING"])
    ticket, path = asked.get("ticket", [""])[0], asked.get("path", [""])[0]
    cookie = visitors.read_ticket(ticket, micro=micro, state=_cookie(environ, visitors.STATE_COOKIE))
    if cookie is None:
        return refusals.answer(_GONE, environ)
    return _redirect(
        paths.local_path(path),
        _set_cookie(environ, visitors.VISITOR_COOKIE, cookie),
        _set_cookie(environ, visitors.STATE_COOKIE, "", seconds=0),
    )


def _redirect(where: str, *cookies: str) -> Answer:
    headers = [("Location", where), ("Content-Length", "0"), ("Cache-Control", "private, no-store")]
    return "302 Found", [*headers, *(("Set-Cookie", cookie) for cookie in cookies)], [b""]


def _cookie(environ: dict[str, Any], name: str) -> str:
    try:
        jar = SimpleCookie(environ.get("HTTP_COOKIE", ""))
    except CookieError:
        return ""
    found = jar.get(_cookie_name(environ, name))
    return found.value if found else ""


def _set_cookie(environ: dict[str, Any], name: str, value: str, *, seconds: int | None = None) -> str:
    parts = [f"{_cookie_name(environ, name)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    if seconds is not None:
        parts.append(f"Max-Age={seconds}")
    if environ["wsgi.url_scheme"] == "https":
        parts.append("Secure")
    return "; ".join(parts)


def _cookie_name(environ: dict[str, Any], name: str) -> str:
    """As the console's: of https apart from those of http (`console/cookies.py`)."""
    return PREFIX + name if environ["wsgi.url_scheme"] == "https" else name
