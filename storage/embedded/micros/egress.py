"""The HTTP proxy that Micros and builds reach the internet through: CONNECT for https, whole addresses for http.

It looks each name up itself, judges every address (`reach.py`), and connects to the very one it judged. It never sees into what
is encrypted, and keeps nothing.
"""

import asyncio
import contextlib
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from storage.embedded.micros.piping import pipe_both
from storage.embedded.micros.reach import Reach

HEAD_MAX_BYTES = 65_536
_HEAD_SECONDS = 10.0
_LOOK_UP_SECONDS = 5.0
_CONNECT_SECONDS = 10.0
# Names that are looked up at the same time; a slow one holds a thread for as long as the system's resolver tries.
_LOOK_UPS = 32
_MAIL = 25
_WEB = (80, 443)
# What is said between two neighbours only, and would be wrong at the next.
_HOP = ("proxy-", "connection:", "keep-alive:", "te:", "upgrade:")

# The addresses of a name, as text. Raises OSError.
Resolve = Callable[[str, int], Awaitable[list[str]]]


class Refused(Exception):
    """The answer in place of a connection: a status line's end, and a sentence for whoever wrote the app."""

    def __init__(self, status: str, sentence: str) -> None:
        super().__init__(status, sentence)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request wants to go. `head` is what is sent there of it; empty for a tunnel."""

    host: str
    port: int
    head: bytes = b""

    def is_among(self, trusted: Collection[str]) -> bool:
        """Whether it is one of these; a host without a port means the two of the web."""
        host = self.host.lower()
        return f"{host}:{self.port}" in trusted or (self.port in _WEB and host in trusted)


class Egress:
    """Serves connections that came out of sandboxes."""

    def __init__(self, reach: Reach, *, resolve: Resolve | None = None) -> None:
        self._reach = reach
        self._threads = ThreadPoolExecutor(_LOOK_UPS, thread_name_prefix="names")
        self._resolve = resolve or self._look_up

    async def serve(
        self,
        reader: StreamReader,
        writer: StreamWriter,
        *,
        trusted: Collection[str] = (),
        on_refused: Callable[[str], object] = lambda _: None,
    ) -> None:
        """One connection, to its end. `trusted` are hosts, or hosts with ports, that may have any address: of package indexes.

        `on_refused` is told why there was none: not every program shows what a proxy says.
        """
        try:
            target = await _read_target(reader)
            out_reader, out_writer = await self._connect(target, is_trusted=target.is_among(trusted))
        except Refused as refused:
            on_refused(refused.sentence)
            await _refuse(writer, refused)
            return
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()
            return
        if target.head:
            out_writer.write(target.head)
        else:
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await pipe_both((reader, writer), (out_reader, out_writer))

    async def _connect(self, target: Target, *, is_trusted: bool) -> tuple[StreamReader, StreamWriter]:
        """Raises Refused."""
        if target.port == _MAIL:
            raise Refused("403 Forbidden", "Port 25 can't be reached from a Micro: send mail through a provider's API.")
        addresses = await self._addresses(target)
        reasons = {each: "" if is_trusted else self._reach.why_not(each) for each in addresses}
        allowed = [each for each in addresses if not reasons[each]]
        if not allowed:
            address, why = next(iter(reasons.items()))
            known_as = address if address == target.host else f"{target.host} ({address})"
            raise Refused(
                "403 Forbidden",
                f"{known_as} can't be reached from a Micro: {why}. The server's owner can allow it with"
                " HOMEPORT_MICROS_MAY_REACH.",
            )
        for address in allowed:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(_CONNECT_SECONDS):
                    return await asyncio.open_connection(address, target.port, limit=HEAD_MAX_BYTES)
        raise Refused("502 Bad Gateway", f"{target.host}:{target.port} could not be connected to.")

    async def _addresses(self, target: Target) -> list[str]:
        try:
            async with asyncio.timeout(_LOOK_UP_SECONDS):
                found = await self._resolve(target.host, target.port)
        except (OSError, ValueError, TimeoutError):
            found = []
        if not found:
            raise Refused("502 Bad Gateway", f"No address was found for {target.host}.")
        return found

    async def _look_up(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        ask = lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # noqa: E731 (a thread's work, named)
        return list(dict.fromkeys(str(found[4][0]) for found in await loop.run_in_executor(self._threads, ask)))


async def _read_target(reader: StreamReader) -> Target:
    """The first request's. Raises Refused, ConnectionError or IncompleteReadError."""
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
    except TimeoutError:
        raise Refused("408 Request Timeout", "The request did not arrive in time.") from None
    except asyncio.LimitOverrunError:
        raise Refused("431 Request Header Fields Too Large", "The head of the request is too long.") from None
    line, *headers = head[:-4].split(b"\r\n")
    try:
        method, address, version = line.decode("ascii").split(" ")
        return _tunnel(address) if method == "CONNECT" else _plain(method, address, version, headers)
    except ValueError:
        raise Refused("400 Bad Request", "This is a proxy: it takes CONNECT, or a whole http:// address.") from None


def _tunnel(address: str) -> Target:
    """Raises ValueError."""
    parts = urlsplit(f"//{address}")
    if not parts.hostname or not parts.port or parts.netloc != address:
        raise ValueError
    return Target(parts.hostname, parts.port)


def _plain(method: str, address: str, version: str, headers: list[bytes]) -> Target:
    """Raises ValueError."""
    parts = urlsplit(address)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError
    path = address[len("http://") :].partition("#")[0][len(parts.netloc) :] or "/"
    if not path.startswith("/"):
        path = f"/{path}"
    kept = [line for line in headers if not line.lower().startswith(tuple(name.encode() for name in _HOP))]
    lines = [f"{method} {path} {version}".encode(), *kept, b"Connection: close", b"", b""]
    return Target(parts.hostname, parts.port or 80, b"\r\n".join(lines))


async def _refuse(writer: StreamWriter, refused: Refused) -> None:
    body = f"{refused.sentence}\n".encode()
    head = (
        f"HTTP/1.1 {refused.status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    with contextlib.suppress(ConnectionError):
        writer.write(head.encode() + body)
        await writer.drain()
    writer.close()
