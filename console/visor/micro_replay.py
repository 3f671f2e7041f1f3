"""Sending a request to a Micro for a person: through the front of this process, from its first line to its last.

It goes to the socket of that Micro alone, under its own host name, so no other server can be reached. Sign-in is passed as the
person whom the page's gate found, under a name that no header can have.
"""

import io
import sys
import threading
import time
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection

from console import host_names
from console.front import recorded
from console.front.visitors import BY_HAND
from console.recording.recorder import SENT_BY_HAND, ByHand
from console.server.answers import Answer
from console.visor.request_drafts import Draft
from storage.errors import InvalidInput
from storage.models import Micro

# Each of them holds up a thread of the pages' for as long as the app takes.
AT_ONCE = 4
_turns = threading.BoundedSemaphore(AT_ONCE)


class Visitor(NamedTuple):
    """Who sends it, and the console's origin as they reach it."""

    person: User
    console: str


class _Bounded:
    """An answer that is read for as long as a request may take: a stream may have no end."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._ends_at = time.monotonic() + settings.MICRO_REQUEST_SECONDS

    def __iter__(self) -> Any:
        for chunk in self._answer:
            yield chunk
            if time.monotonic() > self._ends_at:
                return

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            _turns.release()


def ask(draft: Draft, micro: Micro, *, by_hand: ByHand, visitor: Visitor) -> Answer:
    """The app's answer, which has to be closed. Raises InvalidInput when too many wait for one already."""
    if not _turns.acquire(blocking=False):
        raise InvalidInput("Too many requests sent by hand wait for an answer: try again in a moment")
    try:
        if not connection.in_atomic_block:
            # The app may need one.
            connection.close()
        status, headers, body = recorded.answer(_environ(draft, micro, by_hand, visitor), micro)
    except BaseException:
        _turns.release()
        raise
    return status, headers, _Bounded(body)


def _environ(draft: Draft, micro: Micro, by_hand: ByHand, visitor: Visitor) -> dict[str, Any]:
    origin = urlsplit(host_names.micro_origin(micro.subdomain, console=visitor.console))
    target = f"{draft.path}?{draft.query}" if draft.query else draft.path
    environ: dict[str, Any] = {
        "REQUEST_METHOD": draft.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(draft.path).decode("latin-1"),
        "RAW_URI": target,
        "QUERY_STRING": draft.query,
        "SERVER_NAME": str(origin.hostname),
        "SERVER_PORT": str(origin.port or (443 if origin.scheme == "https" else 80)),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": origin.netloc,
        "CONTENT_LENGTH": str(len(draft.body)) if draft.body else "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": origin.scheme,
        "wsgi.input": io.BytesIO(draft.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        BY_HAND: visitor.person,
        SENT_BY_HAND: by_hand,
    }
    for name, value in draft.headers:
        place = name.upper().replace("-", "_")
        environ["CONTENT_TYPE" if place == "CONTENT_TYPE" else f"HTTP_{place}"] = value.encode().decode("latin-1")
    return environ
