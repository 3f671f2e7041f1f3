"""The two ports inside a sandbox, served from outside: the way to the server's API, and the way to the internet.

What listens was opened inside (`enter.py`) and handed out, so that it is in the sandbox's network, where nobody else gets. The
API is reached by its bytes alone, still encrypted; what is asked there is asked with the Micro's own key.
"""

import asyncio
import contextlib
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from storage.embedded.micros import sockets
from storage.embedded.micros.piping import pipe_both

# Connections of one Micro at a time through each door; the next ones wait inside.
CONNECTIONS_MAX = 64
_AGAIN_SECONDS = 0.5

Serve = Callable[[StreamReader, StreamWriter], Awaitable[None]]


def is_door(listening: socket.socket) -> bool:
    """Whether a socket that came out is what it should be: one that listens for TCP."""
    with contextlib.suppress(OSError):
        kind = (listening.family, listening.type)
        is_listening = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        return kind == (socket.AF_INET, socket.SOCK_STREAM) and bool(is_listening)
    return False


def api_door(path: Path) -> Serve:
    """Serves a connection by passing it on to the web server's socket for Micros."""

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            with sockets.address(path) as address:
                api = await asyncio.open_unix_connection(address)
        except OSError:
            writer.transport.abort()
            return
        await pipe_both((reader, writer), api)

    return serve


class Door:
    """Accepts on one port inside a sandbox until it is closed."""

    def __init__(self, listening: socket.socket, serve: Serve) -> None:
        listening.setblocking(False)
        self._listening, self._serve = listening, serve
        self._free = asyncio.Semaphore(CONNECTIONS_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    def close(self) -> None:
        """End it with all connections."""
        for task in (self._accepting, *self._tasks):
            task.cancel()
        self._accepting.add_done_callback(lambda _: self._listening.close())

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._free.acquire()
            try:
                accepted, _ = await loop.sock_accept(self._listening)
            except OSError:
                # Too many open files: those who wait are accepted when others are done.
                self._free.release()
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            task = loop.create_task(self._serve_one(accepted))
            self._tasks.add(task)
            task.add_done_callback(self._forget)

    async def _serve_one(self, accepted: socket.socket) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=accepted)
        except OSError:
            accepted.close()
            return
        try:
            await self._serve(reader, writer)
        finally:
            writer.close()

    def _forget(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self._free.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "A door failed", "exception": error})


def close_all(doors: Iterable[Door]) -> None:
    """Close each of them."""
    for door in doors:
        door.close()
