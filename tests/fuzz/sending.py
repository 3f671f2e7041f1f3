"""Requests as bytes, over a socket that is kept, and their answers; no client of any library would write them."""

import http.client
import itertools
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.waiting import MOMENT_SECONDS

# What an odd body or header makes the server close, at any moment.
_GONE = (http.client.RemoteDisconnected, http.client.BadStatusLine, ConnectionError)
# Wrong keys and wrong passwords.
_COUNTED = (401, 422, 429)


class Answer(NamedTuple):
    """`status` is 0 where the server closed the connection without a word, as it does with what is not HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Request:
    """One request, as it goes out. Header names come as often as they are there."""

    method: str
    target: bytes
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    body: bytes = b""

    @property
    def text(self) -> bytes:
        lines = [f"{self.method} ".encode() + self.target + b" HTTP/1.1"]
        lines += [name.encode() + b": " + value for name, value in self.headers]
        if self.body or self.method in ("POST", "PUT", "PATCH"):
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


class Line:
    """A connection to a server, opened again when it was closed."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = f"{parts.hostname}:{parts.port}"
        self._address = (parts.hostname or "", parts.port or 80)
        self._socket: socket.socket | None = None
        self._senders = itertools.cycle(f"127.0.{row}.{place}" for row in range(1, 200) for place in range(1, 250))

    def ask(self, request: Request) -> Answer:
        """Send it and read the answer. One on a connection that was closed meanwhile goes out again on a new one."""
        was_kept = self._socket is not None
        answer = self._try(request)
        return self._try(request) if answer.status == 0 and was_kept else answer

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _try(self, request: Request) -> Answer:
        if self._socket is None:
            # Each from another address: what one may try too often, the next one may try.
            sender = (next(self._senders), 0)
            self._socket = socket.create_connection(self._address, timeout=MOMENT_SECONDS, source_address=sender)
        answer = http.client.HTTPResponse(self._socket, method=request.method)
        # It may answer and close before all is sent; the answer is there to be read all the same.
        with suppress(ConnectionError):
            self._socket.sendall(request.text)
        try:
            answer.begin()
            is_endless = answer.getheader("Content-Type") == "text/event-stream"
            body = b"" if is_endless else answer.read()
        except (*_GONE, http.client.IncompleteRead):
            self.close()
            return Answer(0, {}, b"")
        finally:
            answer.close()
        if is_endless or answer.will_close or answer.status in _COUNTED:
            self.close()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)
