"""The changes of a Base as they come: what is asked, and what is told, without a connection.

The server sends events (https://html.spec.whatwg.org/multipage/server-sent-events.html), each with a cursor. After a connection
broke, the feed goes on behind the last one.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional
from urllib.parse import urlencode

from deta.errors import InvalidType, ResponseError
from deta.items import Query
from deta.wire import Reply, Request, dump, error_of

_TYPE = "text/event-stream"
# The server says something every 15 seconds.
_SILENCE_SECONDS = 60.0
_PAUSE_SECONDS = 2.0
# Who follows wants to go on after a restart of the server, however long that takes.
_EVER = 1_000_000


class Feed:
    """Where one who follows has come to. `read` takes what is received, `request` asks for what comes behind it."""

    def __init__(self, what: str, since: Optional[str], query: Query) -> None:
        if since is not None and not isinstance(since, str):
            raise InvalidType('`since` is the cursor of a change, "now", or None')
        if isinstance(query, (str, bytes)) or not isinstance(query, (Mapping, Sequence, type(None))):
            raise InvalidType("A query is a dict or a list of dicts")
        self._since = since
        self._query = None if query is None else dump(query).decode()
        self._what = f"{what}: changes"
        self._is_under_way = False
        self._rest = b""
        self._event: dict[str, str] = {}
        self._reply: Optional[Reply] = None

    def request(self) -> Request:
        """What to ask for now."""
        asked = {"since": self._since, "query": self._query}
        path = "/changes?" + urlencode({name: value for name, value in asked.items() if value})
        headers = {"Accept": _TYPE, "Cache-Control": "no-store"}
        retries = _EVER if self._is_under_way else None
        return Request("GET", path, self._what, headers=headers, read_seconds=_SILENCE_SECONDS, retries=retries)

    def begin(self, reply: Reply) -> None:
        """The server answered. Raises a ResponseError unless it is with a stream."""
        if reply.status != 200:
            raise error_of(reply)
        if not reply.headers.get("content-type", "").startswith(_TYPE):
            message = (
                f"{self._what}: the answer is no stream. Is this the address of a Homeport server that has changes?"
            )
            raise ResponseError(message, status=reply.status)
        self._is_under_way, self._reply = True, reply
        self._rest, self._event = b"", {}

    def read(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """The changes that are whole with these bytes. Raises a ResponseError where the server says that it is over."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            name, _, value = line.rstrip(b"\r").decode().partition(":")
            if name:
                self._event[name] = value[1:] if value.startswith(" ") else value
            elif not line.rstrip(b"\r"):
                event, self._event = self._event, {}
                self._since = event.get("id") or self._since
                if "data" in event:
                    yield self._change(event)

    def pause(self) -> float:
        """Seconds to wait before asking again, so that many who follow don't come back together."""
        return random.uniform(0, _PAUSE_SECONDS)  # noqa: S311 (spreads load, guards nothing)

    def _change(self, event: dict[str, str]) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(event["data"])
        if event.get("event") == "end" and self._reply is not None:
            raise error_of(replace(self._reply, status=said["status"], content=event["data"].encode()))
        said["cursor"] = self._since
        return said
