"""Asks an app on its socket, over HTTP/1.1: one connection for one request.

llhttp reads the answer, however it comes: with a length, in chunks, or until the app closes. An app that is asleep is woken by
the connection itself, and the request waits in the kernel until it is there.
"""

import errno
import select
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import httptools

from storage import limits
from storage.embedded.micros import sockets

_CHUNK_BYTES = 65_536


class NotThere(Exception):
    """Nobody keeps the Micro's socket open: what runs Micros is not there, or does not know this one yet."""


class Crowded(Exception):
    """So many callers wait for the app that the system takes no more."""


class Ended(Exception):
    """The app closed the connection before its answer was whole."""


class BadAnswer(Exception):
    """What the app answered is not HTTP, or more than there may be of it; the message says what, for people."""


# What runs Micros learns of a new one within this time.
_LEARNS_SECONDS = 2.0
_LOOK_SECONDS = 0.1


class Patience(Protocol):
    """How long an app may take."""

    def seconds_left(self) -> float:
        """How long to wait for the next byte. Raises whatever ends the waiting."""
        ...


class Upstream:
    """One request to an app, and its answer."""

    def __init__(self, path: Path, patience: Patience) -> None:
        """Connect. Raises NotThere and Crowded."""
        self.status, self.headers = 0, list[tuple[str, str]]()
        self.reason = ""
        self._patience = patience
        self._chunks: deque[bytes] = deque()
        self._is_head_here = self._is_whole = self._is_switching = False
        self._is_for_head = False
        self._head_bytes = 0
        self._parser = httptools.HttpResponseParser(self)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._poll = select.poll()
        try:
            with sockets.address(path) as reached:
                self._socket.connect(reached)
        except (FileNotFoundError, ConnectionRefusedError):
            self._socket.close()
            raise NotThere from None
        except BlockingIOError:
            self._socket.close()
            raise Crowded from None

    def send(self, method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send the whole request. What the app does not take of a body is not an error: it may have answered already."""
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        left = memoryview("\r\n".join(lines).encode("latin-1") + body)
        self._is_for_head = method == "HEAD"
        while left:
            try:
                left = left[self._socket.send(left) :]
            except BlockingIOError:
                if not self._wait(select.POLLOUT | select.POLLIN) & select.POLLOUT:
                    return
            except OSError as error:
                if error.errno in (errno.EPIPE, errno.ECONNRESET):
                    return
                raise

    def read_head(self) -> None:
        """Wait for the status and the headers. Raises Ended, BadAnswer, and what the patience raises."""
        while not self._is_head_here:
            self._read()
        if self._is_switching:
            raise BadAnswer("it wants to speak another protocol than HTTP")

    def read_rest(self, seconds: float) -> None:
        """Take in what follows the head, as long as it comes within that time. Raises as `read_head` does."""
        ends_at = time.monotonic() + seconds
        while not self.is_whole() and (left := ends_at - time.monotonic()) > 0:
            if sum(map(len, self._chunks)) > _CHUNK_BYTES or not self._poll_for(select.POLLIN, left):
                return
            self._read()

    def body(self) -> Iterator[bytes]:
        """The body as it comes. Raises as `read_head` does."""
        while True:
            while self._chunks:
                yield self._chunks.popleft()
            if self.is_whole():
                return
            self._read()

    def is_whole(self) -> bool:
        """Whether all of the answer is here."""
        return self._is_whole or self._has_no_body()

    def close(self) -> None:
        """Let go of the connection, whatever of it is left."""
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                data = self._socket.recv(_CHUNK_BYTES)
                break
            except BlockingIOError:
                self._wait(select.POLLIN)
            except ConnectionResetError:
                data = b""
                break
        if not data:
            self._end()
            return
        is_of_head = not self._is_head_here
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._is_switching = True
        except httptools.HttpParserError as error:
            raise BadAnswer(f"it is not HTTP ({error})") from None
        if is_of_head:
            self._check_head_size(len(data))

    def _check_head_size(self, read_bytes: int) -> None:
        """Of a head that is not whole, what was read counts; else what its headers have."""
        if self._is_head_here:
            self._head_bytes = sum(len(name) + len(value) for name, value in self.headers)
        else:
            self._head_bytes += read_bytes
        if self._head_bytes > limits.MICRO_HEADERS_MAX_BYTES:
            raise BadAnswer("its headers are too large")

    def _end(self) -> None:
        """The app closed the connection, which ends a body without a length."""
        told = {name.lower() for name, _ in self.headers}
        if not self._is_head_here or told & {"content-length", "transfer-encoding"}:
            raise Ended
        self._is_whole = True

    def _wait(self, events: int) -> int:
        while not (found := self._poll_for(events, self._patience.seconds_left())):
            pass
        return found

    def _poll_for(self, events: int, seconds: float) -> int:
        """What of these the socket is ready for within that time; 0 for nothing."""
        self._poll.register(self._socket, events)
        found = self._poll.poll(max(seconds, 0.0) * 1_000)
        return found[0][1] if found else 0

    def _has_no_body(self) -> bool:
        return self._is_for_head or self.status in (204, 304)

    # What llhttp calls.

    def on_status(self, part: bytes) -> None:
        self.reason += part.decode("latin-1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status == 101:
            self._is_switching = self._is_head_here = True
        elif self.status < 200:
            self.headers.clear()
            self.reason = ""
        else:
            self._is_head_here = True

    def on_body(self, part: bytes) -> None:
        self._chunks.append(part)

    def on_message_complete(self) -> None:
        if self.status >= 200:
            self._is_whole = True


def connect(path: Path, patience: Patience) -> Upstream:
    """Connect to a Micro that may be so new that what runs Micros learns of it in a moment. Raises NotThere and Crowded."""
    ends_at = time.monotonic() + _LEARNS_SECONDS
    while True:
        try:
            return Upstream(path, patience)
        except NotThere:
            if time.monotonic() > ends_at:
                raise
            time.sleep(_LOOK_SECONDS)
