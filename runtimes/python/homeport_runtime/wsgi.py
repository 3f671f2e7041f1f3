"""A WSGI application as an ASGI one, by a2wsgi, with what that leaves open.

The body is read before the application is called: its input is then a real file of a known length, also when it came in
chunks, which WSGI applications would take for empty, and a slow client holds no thread. An answer that nobody reads any more is
ended, so that its thread is free again.
"""

import asyncio
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator
from typing import Any, Callable, Optional

from a2wsgi import WSGIMiddleware

from homeport_runtime.asgi import AsgiApp, Message, Receive, Scope, Send

WORKERS = 32
_SPOOL_BYTES = 8_388_608


def as_asgi(app: Callable[..., Iterable[bytes]]) -> AsgiApp:
    """The ASGI application that calls it in threads."""
    middleware = WSGIMiddleware(_prepared(app), workers=WORKERS)

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await middleware(scope, receive, send)  # type: ignore[arg-type]
            return
        body = await _read(receive)
        if body is None:
            return
        exchange = _Exchange(body, send)
        watching = asyncio.ensure_future(exchange.watch(receive))
        try:
            await middleware({**_sized(scope, body), "homeport.exchange": exchange}, receive, exchange.send)  # type: ignore[arg-type]
        finally:
            watching.cancel()
            exchange.is_over.set()
            body.close()
        if exchange.error is not None:
            raise exchange.error

    return call


class _Exchange:
    """One request and its answer, seen from both sides: the thread of the application and the loop of the web server."""

    def __init__(self, body: Any, send: Send) -> None:
        self.body = body
        self.is_over = threading.Event()
        self.error: Optional[Exception] = None
        self._send = send

    async def watch(self, receive: Receive) -> None:
        """Note when the client is gone; there is no more body to come."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.is_over.set()

    async def send(self, message: Message) -> None:
        """Send on; what is wrong with the answer is kept for later, as a2wsgi's thread would wait for ever."""
        if self.is_over.is_set():
            return
        try:
            await self._send(message)
        except Exception as error:
            self.error = error
            self.is_over.set()


def _prepared(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterator[bytes]]:
    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterator[bytes]:
        exchange: _Exchange = environ.pop("asgi.scope")["homeport.exchange"]
        environ["wsgi.input"] = exchange.body
        environ["wsgi.input_terminated"] = True
        environ["wsgi.errors"] = sys.stderr
        environ["wsgi.multiprocess"] = False
        return _until_over(app(environ, start_response), exchange.is_over)

    return call


def _until_over(answer: Iterable[bytes], is_over: threading.Event) -> Iterator[bytes]:
    try:
        for part in answer:
            yield part
            if is_over.is_set():
                return
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()


async def _read(receive: Receive) -> Any:
    """The body as a file, or None when the client went away in the middle of it."""
    body = tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES)  # noqa: SIM115 (its reader closes it)
    while True:
        message = await receive()
        if message["type"] != "http.request":
            body.close()
            return None
        body.write(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def _sized(scope: Scope, body: Any) -> Scope:
    """The request with the length of its body for one that came in chunks."""
    length = body.tell()
    body.seek(0)
    names = {name for name, _ in scope["headers"]}
    if b"transfer-encoding" not in names:
        return scope
    headers = [(n, v) for n, v in scope["headers"] if n not in (b"transfer-encoding", b"content-length")]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}
