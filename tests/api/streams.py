"""A client of a stream of server-sent events, as simple as one can be."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx

from tests.factories import BaseClient
from tests.waiting import MOMENT_SECONDS


class Event(NamedTuple):
    name: str
    id: str
    data: Any


class Stream:
    """The answer to one request, and the events in it."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._events = self._read()

    def next(self) -> Event:
        """The next event, however long it takes. Raises StopIteration at the end."""
        return next(self._events)

    def take(self, count: int) -> list[Any]:
        """What the next ones hold."""
        return [self.next().data for _ in range(count)]

    def _read(self) -> Iterator[Event]:
        name, last_id, data = "message", "", ""
        for line in self._lines():
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if data:
                    yield Event(name, last_id, json.loads(data))
                name, data = "message", ""
            elif field == "id":
                last_id = self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data += value

    def _lines(self) -> Iterator[str]:
        """Not by `iter_lines`, for which U+2028 ends a line as well."""
        rest = b""
        for piece in self.response.iter_raw():
            *lines, rest = (rest + piece).split(b"\n")
            yield from (line.decode() for line in lines)

    last_id = ""


@contextmanager
def stream(client: BaseClient, *, last_id: str = "", receives: int | None = None, **query: str) -> Iterator[Stream]:
    """Follow the changes of a client's Base. `receives` is the size of the socket's buffer."""
    options = [] if receives is None else [(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)]
    headers = {"X-API-Key": client.key_text, "Accept": "text/event-stream"} | (
        {"Last-Event-ID": last_id} if last_id else {}
    )
    address = f"{client.server.url}{client.path}/changes?{urlencode(query)}"
    with (
        httpx.Client(transport=httpx.HTTPTransport(socket_options=options), timeout=MOMENT_SECONDS) as http,
        http.stream("GET", address, headers=headers) as response,
    ):
        yield Stream(response)
