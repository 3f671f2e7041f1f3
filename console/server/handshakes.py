"""Connections over TLS, from when they are taken in until both sides agree: bounded, as what comes after is.

The event loop's own server tells nobody of a client before that, and thousands who only connect would use up all descriptors.
"""

import asyncio
import contextlib
import json
import socket
import ssl
from collections.abc import Callable

from console.server import limits
from console.server.answers import REQUEST_ID_HEADER
from console.server.connection import Connection
from storage.request_ids import new_request_id

# How long nobody is taken in when the system has no descriptor left.
_PAUSE_SECONDS = 0.5


class Handshakes:
    """Takes clients in on one socket. `make` is called for each; `most` handshakes are under way, then the oldest is ended."""

    def __init__(
        self, listening: socket.socket, tls: ssl.SSLContext, *, make: Callable[[], Connection], most: int
    ) -> None:
        self._listening, self._tls, self._make, self._most = listening, tls, make, most
        self._loop = asyncio.get_running_loop()
        # In the order in which they began.
        self._under_way: dict[socket.socket, asyncio.Task[None]] = {}
        listening.setblocking(False)
        listening.listen(limits.BACKLOG)
        self._open()

    def close(self) -> None:
        """Take nobody in any more, and end those that have not agreed yet."""
        self._loop.remove_reader(self._listening)
        for client in self._under_way:
            _hang_up(client)

    def _open(self) -> None:
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        try:
            client, _ = self._listening.accept()
        except (BlockingIOError, ConnectionError, InterruptedError):
            return  # another process was faster, or the client has gone again
        except OSError:
            self._loop.remove_reader(self._listening)
            self._loop.call_later(_PAUSE_SECONDS, self._open)
            return
        if len(self._under_way) >= self._most:
            oldest = next(iter(self._under_way))
            del self._under_way[oldest]
            _hang_up(oldest)
        self._under_way[client] = self._loop.create_task(self._agree(client))

    async def _agree(self, client: socket.socket) -> None:
        client.setblocking(False)
        # Whatever goes wrong until then is the client's affair.
        with contextlib.suppress(OSError):
            if await self._speaks_plain_http(client):
                await self._tell_scheme(client)
                return
            if client.family != socket.AF_UNIX:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(
                self._make, client, ssl=self._tls, ssl_handshake_timeout=limits.TLS_SECONDS
            )
        self._under_way.pop(client, None)

    async def _speaks_plain_http(self, client: socket.socket) -> bool:
        """Whether what comes first is a request's method, where a handshake begins with a byte that is no letter."""
        came = asyncio.Event()
        self._loop.add_reader(client, came.set)
        try:
            await asyncio.wait_for(came.wait(), limits.TLS_SECONDS)
            return client.recv(1, socket.MSG_PEEK).isalpha()
        except OSError:
            client.close()
            raise
        finally:
            self._loop.remove_reader(client)

    async def _tell_scheme(self, client: socket.socket) -> None:
        """Answer once, and read what still comes, so that the answer is not lost with the connection."""
        with client:
            async with asyncio.timeout(limits.TLS_SECONDS):
                began = await self._loop.sock_recv(client, limits.HEAD_MAX_BYTES)
                await self._loop.sock_sendall(client, _wrong_scheme(began))
                client.shutdown(socket.SHUT_WR)
                while await self._loop.sock_recv(client, limits.HEAD_MAX_BYTES):
                    pass


def _wrong_scheme(began: bytes) -> bytes:
    """The answer to a request without TLS: for programs in JSON, as all of theirs are."""
    method, _, rest = began.partition(b" ")
    is_for_programs = any(part in rest.partition(b" ")[0] for part in (b"/v1/", b"/cli/"))
    said = "This port speaks https: write https:// in the address"
    kind = "application/json" if is_for_programs else "text/plain; charset=utf-8"
    body = json.dumps({"errors": [said]}) if is_for_programs else f"{said}.\n"
    head = (
        f"HTTP/1.1 400 Bad Request\r\n{REQUEST_ID_HEADER}: {new_request_id()}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return (head if method == b"HEAD" else head + body).encode()


def _hang_up(client: socket.socket) -> None:
    """The loop closes it then: a task that is cancelled before it has looked at its client would leave it open."""
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
