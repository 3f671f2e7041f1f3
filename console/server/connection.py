"""One client's connection: takes requests in, has them answered, and sends the answers.

A request whose body is here goes to the application at once. One whose body is still on its way is shown to it before: what it
refuses, or answers without a body, is answered then and there, and the rest is read and dropped for a while, since a client
that is still sending does not look for an answer. Only what the application asks for is kept.

Everything here happens in the event loop.
"""

import asyncio
import contextlib
import logging
from asyncio import Transport
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import httptools

from console.server import limits
from console.server.answers import CONTINUE, Answer, Framing, refusal, speaks_json
from console.server.bodies import BodyAwaited, IncomingBody, NoRoom
from console.server.chunks import Chunks
from console.server.exchange import Exchange
from console.server.heads import BadRequest, Head, find_end, variables
from console.server.listening import API_ONLY, BEHIND_CADDY, MICRO, Listener
from console.server.live import LiveBody, Outlet
from console.server.sending import send_stream
from console.server.threads import AnsweredBy
from storage.request_ids import new_request_id

if TYPE_CHECKING:
    from console.server.worker import Worker


logger = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """One client's, who connected to `listener`."""

    def __init__(self, worker: "Worker", listener: Listener) -> None:
        self._worker, self._listener = worker, listener
        self._loop = worker.loop
        self._buffer, self._seen = b"", 0
        self._exchange: Exchange | None = None
        self._chunks: Chunks | None = None
        self._live: LiveBody | None = None
        self._is_dropping, self._dropped = False, 0
        self._is_reading, self._has_ended, self._is_over = True, False, False
        self._may_write: asyncio.Event | None = None
        self._unsent = self._held = 0
        # Since when the client owes us what we wait for: a head, a body, or that it takes its answer.
        self.waits_since = self._loop.time()

    # What the loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody connected."""
        self._transport = cast(Transport, transport)
        self._transport.set_write_buffer_limits(high=limits.CHUNK_MAX_BYTES)
        self._client = MICRO if self._listener.is_for_micros else _address(transport.get_extra_info("peername"))[0]
        self._server = _address(transport.get_extra_info("sockname"))
        self._worker.admit(self)

    def connection_lost(self, error: Exception | None) -> None:
        """It is gone, by whichever side."""
        self._is_over = True
        if self._may_write is not None:
            self._may_write.set()
        if self._exchange is not None and (self._live is not None or not self._exchange.is_asked):
            self._end_exchange()
        self._worker.forget(self)
        self._buffer = b""
        self._count_held()

    def eof_received(self) -> bool:
        """The client sends no more. It may still wait for answers to what came whole."""
        self._has_ended = True
        exchange = self._exchange
        if exchange is None:
            return False
        if not exchange.is_whole:
            exchange.has_ended = True
            if not exchange.is_asked:
                self._ask(exchange)
        exchange.head.keeps_alive = False
        # Over TLS there are no half-closed connections.
        return self._transport.can_write_eof()

    def pause_writing(self) -> None:
        """The client takes what is sent more slowly than it comes."""
        self._may_write = asyncio.Event()

    def resume_writing(self) -> None:
        """It has taken enough."""
        if self._may_write is not None:
            self._may_write.set()
            self._may_write = None
        if self._exchange is None:
            self._read_on()
            self._begin_next()

    def data_received(self, data: bytes) -> None:
        """The next bytes."""
        if self._is_dropping:
            self._drop(len(data))
            return
        exchange = self._exchange
        if exchange is not None and not exchange.is_whole:
            self._take_in(exchange, data)
            return
        if not self._buffer and exchange is None:
            self.waits_since = self._loop.time()
        self._buffer = self._buffer + data if self._buffer else data
        if exchange is None:
            self._begin()
        elif len(self._buffer) > limits.AHEAD_MAX_BYTES:
            self._stop_reading()
        self._count_held()

    # Taking in.

    def _begin(self) -> None:
        """Read the next head, if all of it is here."""
        data = self._buffer
        if data[:1] in (b"\r", b"\n"):
            # Some send an empty line behind a body.
            data, self._seen = data.lstrip(b"\r\n"), 0
        try:
            end = find_end(data, self._seen)
            if end < 0:
                self._buffer, self._seen = data, len(data)
                return
            head = Head(data[:end])
            environ = variables(head, scheme=self._listener.scheme, client=self._client, server=self._server)
        except BadRequest as error:
            self._refuse_unread(data, error)
            return
        if self._listener.is_for_micros:
            environ[API_ONLY] = True
        if self._listener.is_behind_caddy:
            environ[BEHIND_CADDY] = True
        self._worker.prepare(environ)
        now = self._loop.time()
        body = IncomingBody(head.length, memory=self._worker.memory, folder=self._worker.folder)
        exchange = self._exchange = Exchange(head, environ, body, kind=self._worker.kind_of(environ), now=now)
        self.waits_since = now
        self._buffer, self._seen = b"", 0
        rest = data[end:]
        if exchange.is_whole:
            self._buffer = rest
            self._ask(exchange)
            return
        self._chunks = Chunks(body) if head.length is None else None
        if rest:
            self._take_in(exchange, rest)
        if self._exchange is exchange and not exchange.is_whole and not exchange.is_asked:
            if head.expects_continue:
                self._ask(exchange)
            else:
                self._loop.call_later(limits.BODY_SOON_SECONDS, self._ask_if_late, exchange)

    def _take_in(self, exchange: Exchange, data: bytes) -> None:
        """More of the body, and perhaps what comes after it."""
        if exchange.has_ended:
            return
        body = exchange.body
        try:
            if self._chunks is not None:
                self._chunks.feed(data)
                exchange.is_whole = self._chunks.is_whole
                exchange.head.keeps_alive = exchange.head.keeps_alive and not self._chunks.has_more
            else:
                missing = (body.length or 0) - body.got
                body.add(data[:missing])
                self._buffer += data[missing:]
                exchange.is_whole = body.got == body.length
        except httptools.HttpParserError:
            # No more of it can be told from what follows.
            exchange.has_ended = True
            exchange.head.keeps_alive = False
            if not exchange.is_asked:
                self._ask(exchange)
            return
        except NoRoom:
            self._too_busy(exchange)
            return
        except OSError:
            self._refuse(exchange, "507 Insufficient Storage", "The server's disk is full")
            return
        if exchange.is_whole:
            if not exchange.is_asked:
                self._ask(exchange)
        elif exchange.is_wanted:
            if body.got > exchange.most_bytes:
                self._ask(exchange)
        elif body.got > limits.AHEAD_MAX_BYTES:
            self._stop_reading()
            if not exchange.is_asked:
                self._ask(exchange)

    # Having it answered.

    def _ask_if_late(self, exchange: Exchange) -> None:
        if self._exchange is exchange and not (exchange.is_asked or exchange.is_wanted or self._is_over):
            self._ask(exchange)

    def _ask(self, exchange: Exchange) -> None:
        """Give the request to the application: with its body, or to hear whether it wants it."""
        exchange.is_asked, exchange.is_wanted = True, False
        environ = exchange.variables.copy()
        try:
            self._worker.ask(
                environ, exchange, lambda result: self._hear(exchange, result), lambda: self._too_busy(exchange)
            )
        except OSError:
            self._refuse(exchange, "507 Insufficient Storage", "The server's disk is full")

    def _hear(self, exchange: Exchange, result: Answer | BodyAwaited | AnsweredBy) -> None:
        """The application answered, or wants the body or another thread."""
        if self._is_over or self._exchange is not exchange:
            if isinstance(result, tuple):
                self._worker.close_unsent(result[2], exchange)
            if self._exchange is exchange:
                self._end_exchange()
            return
        if isinstance(result, tuple):
            try:
                self._send(exchange, result)
            except Exception:
                # A header that can't be written, say: its client must not wait for ever.
                logger.exception("An answer could not be sent")
                self.abort()
        elif isinstance(result, AnsweredBy):
            exchange.kind, exchange.is_for_thread = result.kind, True
            self._ask(exchange)
        elif exchange.is_whole or exchange.has_ended:
            self._ask(exchange)
        elif max(exchange.body.got, exchange.body.length or 0) > result.most_bytes:
            self._refuse(exchange, "413 Content Too Large", f"At most {result.most_bytes:,} bytes are accepted here")
        else:
            exchange.body.may_fill_disk = result.may_fill_disk
            exchange.is_wanted, exchange.is_asked, exchange.most_bytes = True, False, result.most_bytes
            self.waits_since = self._loop.time()
            if exchange.head.expects_continue:
                self._transport.write(CONTINUE)
            self._read_on()

    def _too_busy(self, exchange: Exchange) -> None:
        self._refuse(
            exchange, "503 Service Unavailable", "The server is busy, please try again", [("Retry-After", "2")]
        )

    def _refuse(
        self, exchange: Exchange, status: str, message: str, headers: list[tuple[str, str]] | None = None
    ) -> None:
        """Answer in the application's place."""
        if self._exchange is exchange and not self._is_over:
            self._send(exchange, refusal(status, message, is_api=exchange.is_api, headers=headers or ()))

    def _refuse_unread(self, data: bytes, error: BadRequest) -> None:
        """Answer what can't be read, and end."""
        line = data.partition(b"\n")[0].decode("latin-1")
        path = self._worker.path_of(line.partition(" ")[2].partition(" ")[0])
        answer = refusal(error.status, error.message, is_api=speaks_json(path))
        framing = Framing(answer, method="GET", version="1.1", closes=True, request_id=new_request_id())
        self._worker.note(None, error.status)
        self._transport.write(framing.head + b"".join(answer[2]))
        self._drop_rest()

    # Sending.

    def _send(self, exchange: Exchange, answer: Answer) -> None:
        closes = not (exchange.head.keeps_alive and exchange.is_whole) or self._worker.is_stopping
        framing = Framing(
            answer,
            method=exchange.head.method,
            version=exchange.head.version,
            closes=closes,
            request_id=exchange.request_id,
        )
        body = answer[2]
        self._worker.note(exchange, answer[0])
        self.waits_since = self._loop.time()
        if isinstance(body, list):
            self._transport.write(framing.head + b"".join(body) if framing.has_body else framing.head)
            if self._may_write is not None:
                self._worker.relieve()
            self._finish(exchange, closes=framing.closes)
            return
        self._transport.write(framing.head)
        # The exchange goes on until the stream has ended.
        exchange.is_asked = True
        if isinstance(body, LiveBody):
            self._begin_live(exchange, framing, body)
        else:
            self._worker.keep(send_stream(self, self._worker, exchange, framing, body))

    def _begin_live(self, exchange: Exchange, framing: Framing, body: LiveBody) -> None:
        self._live = body
        if not framing.has_body:
            self.end_live(exchange, framing)
            return
        body.begin(Outlet(self, exchange, framing, self._loop))
        if self._worker.is_stopping:
            body.stop()

    def write_live(self, chunks: Sequence[bytes]) -> None:
        """Send more of an answer that lasts, without waiting for the client to take it."""
        if self._is_over:
            return
        if not self._transport.get_write_buffer_size():
            self.waits_since = self._loop.time()
        self._transport.writelines(chunks)

    def end_live(self, exchange: Exchange, framing: Framing) -> None:
        """An answer that lasted is over."""
        if self._live is None or self._exchange is not exchange or self._is_over:
            return
        if framing.has_body and framing.end:
            self._transport.write(framing.end)
        self._finish(exchange, closes=framing.closes or self._worker.is_stopping)

    def unsent_bytes(self) -> int:
        """How much was written that the client has not taken yet."""
        return 0 if self._is_over else self._transport.get_write_buffer_size()

    async def write(self, *chunks: bytes) -> None:
        """Send more of a stream, once the client has taken enough of what came before. Raises ConnectionError when it is gone."""
        if self._is_over:
            raise ConnectionResetError
        self._transport.writelines(chunks)
        if self._may_write is not None:
            self.waits_since = self._loop.time()
            await self._may_write.wait()
            if self._is_over:
                raise ConnectionResetError
            self.waits_since = self._loop.time()

    def abort(self) -> None:
        """End at once."""
        self._is_over = True
        self._buffer = b""
        self._count_held()
        self._transport.abort()

    def finish_stream(self, exchange: Exchange, *, closes: bool) -> None:
        """A stream was sent whole."""
        if not self._is_over:
            self._finish(exchange, closes=closes)
        elif self._exchange is exchange:
            self._end_exchange()

    def _finish(self, exchange: Exchange, *, closes: bool) -> None:
        """The answer is on its way: go on with the next request, or end."""
        is_whole = exchange.is_whole
        self._end_exchange()
        if closes or self._has_ended:
            if is_whole:
                self._transport.close()
            else:
                self._drop_rest()
            return
        if self._may_write is None:
            self._read_on()
            if self._buffer:
                self._loop.call_soon(self._begin_next)
        else:
            # One answer at a time: the next request is looked at when its client has taken this one's.
            self._stop_reading()

    def _begin_next(self) -> None:
        if self._exchange is None and self._buffer and not self._is_over and not self._is_dropping:
            self._begin()
            self._count_held()

    def _end_exchange(self) -> None:
        if self._exchange is not None:
            self._exchange.body.close()
        live, self._exchange, self._chunks, self._live = self._live, None, None, None
        if live is not None:
            live.close()
        self.waits_since = self._loop.time()
        self._count_held()

    def _count_held(self) -> None:
        """Tell the worker how much is kept of what this client sent, but for bodies."""
        held = len(self._buffer) + (self._exchange.head.size_bytes if self._exchange is not None else 0)
        more, self._held = held - self._held, held
        if more:
            self._worker.count_held(more)

    # Ending.

    def _drop_rest(self) -> None:
        """Read on for a while without keeping anything, so that the client sees the answer, then end."""
        self._end_exchange()
        if self._has_ended:
            self._transport.close()
            return
        self._is_dropping, self._buffer = True, b""
        if self._transport.can_write_eof():
            with contextlib.suppress(OSError, RuntimeError):
                self._transport.write_eof()
        self._read_on()
        self._loop.call_later(limits.DRAIN_SECONDS, self._transport.abort)

    def _drop(self, size_bytes: int) -> None:
        self._dropped += size_bytes
        if self._dropped > limits.DRAIN_MAX_BYTES:
            self.abort()

    def stop(self) -> None:
        """End as soon as nothing is under way."""
        if self._live is not None:
            self._live.stop()
        elif self._exchange is None and not self._is_dropping:
            self._transport.close()

    def lingers(self) -> bool:
        """Whether it is there only because its client has not said goodbye: over TLS, an idle one does not."""
        return self._exchange is None and not self._is_dropping and not self.kept_bytes()

    def is_idle(self) -> bool:
        """Whether no request is under way, or only the start of one's head."""
        return self._exchange is None

    def kept_bytes(self) -> int:
        """How much is kept for the client, or of what it sent, but for bodies."""
        return 0 if self._is_over else self._transport.get_write_buffer_size() + self._held

    def check(self, now: float, patience_seconds: float) -> None:
        """Give up on a client that keeps us waiting too long."""
        unsent, before = self._transport.get_write_buffer_size(), self._unsent
        self._unsent = unsent
        waited = now - self.waits_since
        if unsent:
            if unsent < before:
                self.waits_since = now
            elif waited > limits.STALLED_SECONDS:
                self.abort()
            return
        exchange = self._exchange
        if exchange is None:
            if self._is_dropping:
                return
            if self._buffer and waited > patience_seconds:
                self._refuse_unread(
                    self._buffer, BadRequest("408 Request Timeout", "The request did not arrive in time")
                )
            elif not self._buffer and waited > limits.KEEP_ALIVE_SECONDS:
                self._transport.close()
        elif not exchange.is_whole and not exchange.is_asked:
            allowed = patience_seconds + exchange.body.got / limits.BODY_MIN_BYTES_PER_SECOND
            if now - exchange.began_at > allowed:
                self._refuse(exchange, "408 Request Timeout", "The body did not arrive in time")

    def _stop_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()

    def _read_on(self) -> None:
        if not self._is_reading and not self._is_over and not self._transport.is_closing():
            self._is_reading = True
            self._transport.resume_reading()


def _address(name: Any) -> tuple[str, str]:
    """The host and port of a socket's end."""
    return (str(name[0]), str(name[1])) if isinstance(name, tuple) else ("", "")
