"""One port in front of several: a request goes to whoever its path's first step belongs to, and bytes pass as they are.

Small enough to be here: it reads a request's head, and from then on passes bytes both ways, so that bodies and answers stream and
websockets work. Each connection carries one request, which is told to both sides.
"""

from __future__ import annotations

import asyncio
import contextlib
from asyncio import StreamReader, StreamWriter
from collections.abc import Mapping

_HEAD_MAX_BYTES = 65_536
_CHUNK_BYTES = 65_536
# An app takes a moment to start; who asks meanwhile waits.
_START_SECONDS = 20.0
_AGAIN_SECONDS = 0.1


class Router:
    """`ports` are those of the apps, by their routes (`/`, `/api`)."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, to its end."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                await _answer(writer, "431 Request Header Fields Too Large", "The head of the request is too long.")
                return
            line, *headers = head[:-4].split(b"\r\n")
            try:
                method, target, version = line.decode("latin-1").split(" ")
            except ValueError:
                await _answer(writer, "400 Bad Request", "This is no HTTP request.")
                return
            port, target = self._route(target)
            if port is None:
                await _answer(
                    writer, "404 Not Found", "No micro of the Spacefile is at this path, and none is primary."
                )
                return
            app = await _connect(port)
            if app is None:
                await _answer(writer, "502 Bad Gateway", f"Nothing answers on port {port}: did it start on $PORT?")
                return
            app[1].write("\r\n".join([f"{method} {target} {version}", *_kept(headers), "", ""]).encode("latin-1"))
            await _pass_on((reader, writer), app)
        with contextlib.suppress(OSError):
            writer.close()

    def _route(self, target: str) -> tuple[int | None, str]:
        """The port for a path, and the path as the app sees it: without the step that it was found by."""
        path, mark, query = target.partition("?")
        step = f"/{path.split('/')[1]}" if path.startswith("/") else "/"
        if step != "/" and step in self._ports:
            return self._ports[step], (path[len(step) :] or "/") + mark + query
        return self._ports.get("/"), target


def _kept(headers: list[bytes]) -> list[str]:
    """The headers for the app: one request on this connection, unless it becomes another protocol."""
    lines = [line.decode("latin-1") for line in headers]
    if any(line.lower().startswith("upgrade:") for line in lines):
        return lines
    return [line for line in lines if not line.lower().startswith(("connection:", "keep-alive:"))] + [
        "Connection: close"
    ]


async def _connect(port: int) -> tuple[StreamReader, StreamWriter] | None:
    loop = asyncio.get_running_loop()
    until = loop.time() + _START_SECONDS
    while True:
        for host in ("127.0.0.1", "::1"):
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(host, port)
        if loop.time() > until:
            return None
        await asyncio.sleep(_AGAIN_SECONDS)


async def _pass_on(one: tuple[StreamReader, StreamWriter], other: tuple[StreamReader, StreamWriter]) -> None:
    """Both ways, until the app has ended its answer or the caller is gone."""
    asking = asyncio.ensure_future(_copy(one[0], other[1]))
    answering = asyncio.ensure_future(_copy(other[0], one[1]))
    try:
        await answering
    finally:
        asking.cancel()
        for writer in (one[1], other[1]):
            with contextlib.suppress(OSError):
                writer.close()


async def _copy(reader: StreamReader, writer: StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


async def _answer(writer: StreamWriter, status: str, sentence: str) -> None:
    body = f"{sentence}\n".encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
    with contextlib.suppress(OSError):
        await writer.drain()
        writer.close()
