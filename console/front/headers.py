"""What of a request's headers an app gets to see, and what of an app's answer the client does."""

from collections.abc import Iterable
from typing import Any

from console.front.visitors import STATE_COOKIE, VISITOR_COOKIE, person_of_session
from storage import request_ids
from storage.micro_host import REQUEST_ID_HEADER

API_KEY = "HTTP_X_API_KEY"
# The server tells it in every answer, and an app its own in another header.
_REQUEST_ID = "x-request-id"

# Of one connection, not of the request or the answer (RFC 9110, section 7.6.1).
_OF_CONNECTION = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
# Written by us for the app, or the same in other words.
_OURS = {
    REQUEST_ID_HEADER,
    _REQUEST_ID,
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "forwarded",
    "content-length",
    "expect",
}
_OUR_COOKIES = {f"{prefix}{name}" for prefix in ("", "__Host-") for name in (VISITOR_COOKIE, STATE_COOKIE)}
_SESSION_COOKIES = {"sessionid", "__Host-sessionid", "__Secure-sessionid"}
_SESSION_CHARACTERS = 32


def for_app(
    environ: dict[str, Any], *, event_id: str, body_bytes: int | None, takes_key: bool
) -> list[tuple[str, str]]:
    """The headers of a request as the app gets them. `takes_key` says that its X-API-Key was ours, `event_id` which
    request the app prints for.

    Raises EngineUnreachable.
    """
    dropped = {*_OF_CONNECTION, *_OURS, *_named(environ.get("HTTP_CONNECTION", ""))}
    if takes_key:
        dropped.add("x-api-key")
    headers = [
        (name, value)
        for variable, value in environ.items()
        if (name := _header_name(variable)) and name not in dropped and name != "cookie"
    ]
    if cookies := _cookies(environ.get("HTTP_COOKIE", "")):
        headers.append(("cookie", cookies))
    if body_bytes is not None:
        headers.append(("content-length", str(body_bytes)))
    return [
        *headers,
        ("x-forwarded-for", environ["REMOTE_ADDR"]),
        ("x-forwarded-proto", environ["wsgi.url_scheme"]),
        ("x-forwarded-host", environ.get("HTTP_HOST", "")),
        (REQUEST_ID_HEADER, event_id),
        (_REQUEST_ID, request_ids.request_id.get()),
        # A connection is for one request: one that was kept could be closed by an app that goes to sleep.
        ("connection", "close"),
    ]


def for_client(headers: Iterable[tuple[str, str]], *, host: str) -> list[tuple[str, str]]:
    """The headers of an app's answer as the client gets them. `host` is the Micro's, normalised."""
    headers = list(headers)
    dropped = {*_OF_CONNECTION, _REQUEST_ID}
    for name, value in headers:
        if name.lower() == "connection":
            dropped |= _named(value)
    kept = [(name, value) for name, value in headers if name.lower() not in dropped]
    return [(name, value) for name, value in kept if name.lower() != "set-cookie" or _may_set(value, host)]


def _header_name(variable: str) -> str:
    if variable.startswith("HTTP_"):
        return variable[5:].lower().replace("_", "-")
    return "content-type" if variable == "CONTENT_TYPE" else ""


def _named(connection: str) -> set[str]:
    return {name.strip().lower() for name in connection.split(",")}


def _cookies(header: str) -> str:
    """Without ours: the visitor's, and a session of the console's, which no browser sends here by itself."""
    pairs = [pair.strip() for pair in header.split(";")]
    return "; ".join(pair for pair in pairs if pair and not _is_ours(*pair.partition("=")[::2]))


def _is_ours(name: str, value: str) -> bool:
    name = name.strip()
    if name in _OUR_COOKIES:
        return True
    value = value.strip().strip('"')
    return name in _SESSION_COOKIES and len(value) == _SESSION_CHARACTERS and person_of_session(value) is not None


def _may_set(cookie: str, host: str) -> bool:
    """An app sets cookies of its own host alone, and not ours."""
    first, *attributes = cookie.split(";")
    if first.partition("=")[0].strip() in _OUR_COOKIES:
        return False
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        if name.strip().lower() == "domain" and value.strip().strip('"').lower().lstrip(".") not in ("", host):
            return False
    return True
