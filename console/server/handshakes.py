"""Connections over TLS, from when they are taken in until both sides agree: bounded, as what comes after is.

The event loop's own server tells nobody of a client before that, and thousands who only connect would use up all descriptors.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable

from console.server import limits
from console.server.connection import Connection

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
            if client.family != socket.AF_UNIX:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(
                self._make, client, ssl=self._tls, ssl_handshake_timeout=limits.TLS_SECONDS
            )
        self._under_way.pop(client, None)


def _hang_up(client: socket.socket) -> None:
    """The loop closes it then: a task that is cancelled before it has looked at its client would leave it open."""
    with contextlib.suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
