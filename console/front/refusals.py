"""What a caller gets instead of an app's answer: a page, or JSON for a program, with the reason.

Whoever has a role in the Micro's collection is told where its log is as well.
"""

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse

from console import host_names
from console.not_kept import PRIVATE
from console.server.answers import Answer
from storage import limits, request_ids
from storage.micros.host import Fault, FaultKind
from storage.models import Micro

_TITLES = {
    FaultKind.OFF: "Micros do not run on this server",
    FaultKind.UNDEPLOYED: "Nothing is deployed here yet",
    FaultKind.CRASHED: "The app did not answer",
    FaultKind.SLOW_START: "The app did not start in time",
    FaultKind.NO_SERVER: "This app answers no requests",
    FaultKind.MEMORY: "The app used too much memory",
    FaultKind.SLOW: "The app took too long",
}
_STATUSES = {
    FaultKind.OFF: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultKind.UNDEPLOYED: HTTPStatus.SERVICE_UNAVAILABLE,
    FaultKind.NO_SERVER: HTTPStatus.NOT_FOUND,
}
_POLICY = "default-src 'none'; style-src {origin}; img-src {origin}; base-uri 'none'; frame-ancestors 'none'"


@dataclass(eq=False)
class Refusal(Exception):
    """`title` says what happened, `text` why or what to do. `message` is the one of JSON."""

    status: HTTPStatus
    title: str
    text: str = ""
    message: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=())


NO_APP = Refusal(HTTPStatus.NOT_FOUND, "No app has this address")


def of_fault(fault: Fault) -> Refusal:
    """The refusal for a fault of the app or of what runs it."""
    status = _STATUSES.get(fault.kind, HTTPStatus.BAD_GATEWAY)
    headers = (("Retry-After", str(limits.RETRY_AFTER_SECONDS)),) if status is HTTPStatus.SERVICE_UNAVAILABLE else ()
    return Refusal(status, _TITLES[fault.kind], f"{fault.message.rstrip('.')}.", headers=headers)


def busy(text: str) -> Refusal:
    """Too much is on its way."""
    retry = (("Retry-After", str(limits.RETRY_AFTER_SECONDS)),)
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "The app is busy", text, headers=retry)


def answer(refusal: Refusal, environ: dict[str, Any], *, micro: Micro | None = None, sees_log: bool = False) -> Answer:
    """A page for who asks for one, else JSON."""
    if "text/html" in environ.get("HTTP_ACCEPT", ""):
        body, content_type, more = _page(refusal, environ, micro if sees_log else None)
    else:
        texts = [refusal.message or refusal.title, refusal.text]
        body = json.dumps({"errors": [text for text in texts if text]}).encode()
        content_type, more = "application/json", []
    headers = [
        ("Content-Type", content_type),
        ("Content-Length", str(len(body))),
        ("Cache-Control", PRIVATE),
        ("X-Content-Type-Options", "nosniff"),
        *more,
        *refusal.headers,
    ]
    return f"{refusal.status.value} {refusal.status.phrase}", headers, [body]


def _page(refusal: Refusal, environ: dict[str, Any], micro: Micro | None) -> tuple[bytes, str, list[tuple[str, str]]]:
    """Its style comes from the console, whose pages are the only ones that have one."""
    origin = f"{environ['wsgi.url_scheme']}://{host_names.console_host(environ.get('HTTP_HOST', ''))}"
    log = origin + reverse("micro-logs", args=[micro.collection_id, micro.id]) if micro else ""
    is_fault = refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    request_id = request_ids.request_id.get() if is_fault else ""
    about = {"refusal": refusal, "origin": origin, "log": log, "request_id": request_id}
    text = render_to_string("front/refusal.html", about)
    return text.encode(), "text/html; charset=utf-8", [("Content-Security-Policy", _POLICY.format(origin=origin))]
