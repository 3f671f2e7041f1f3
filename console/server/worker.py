"""One process of the server: its event loop, its threads, and its clients' connections."""

import asyncio
import logging
import resource
import signal
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import uvloop

from console.server import limits
from console.server.answers import Answer, refusal
from console.server.bodies import AWAITED, CUT, AwaitedBody, BodyAwaited, Memory
from console.server.connection import Connection
from console.server.exchange import Exchange
from console.server.handshakes import Handshakes
from console.server.listening import API_ONLY, BEHIND_CADDY, Listener
from console.server.proxies import REQUEST_ID, TrustedProxies, correct_behind_caddy
from console.server.sending import close
from console.server.threads import IN_LOOP, KEPT, KIND, AnsweredBy, DoneInLoop, Job, Threads, Together
from storage.request_ids import new_request_id

logger = logging.getLogger(__name__)

# Given the variables of a request: its answer. It may raise BodyAwaited and AnsweredBy, and nothing else.
Application = Callable[[dict[str, Any]], Answer]

# Of files, sockets and pipes besides the clients' connections.
_OTHER_DESCRIPTORS = 512


class Worker:
    """Serves on sockets that listen already, until it is told to stop.

    `kinds` names the threads and says how many of each; `kind_of` says which of them a request is for, and `together` of which
    kind a thread takes several at once; `done_in_loop` of which kinds need no thread while they are short. `enter` changes the
    variables of a request from what was asked for to what the application is to see. `note` hears of each answer with its status,
    before it is sent; of what could not be read there is no request.
    """

    def __init__(
        self,
        application: Application,
        *,
        kinds: dict[str, int],
        kind_of: Callable[[dict[str, Any]], str],
        proxies: TrustedProxies,
        folder: Path,
        patience_seconds: float,
        drain_seconds: float,
        together: Together | None = None,
        done_in_loop: DoneInLoop | None = None,
        enter: Callable[[dict[str, Any]], None] = lambda _: None,
        note: Callable[[Exchange | None, str], None] = lambda *_: None,
    ) -> None:
        self.loop = uvloop.new_event_loop()
        self.memory = Memory(limits.BODIES_MEMORY_BYTES)
        self.folder = folder
        self.is_stopping = False
        self.kind_of = kind_of
        self.note = note
        self._application, self._enter, self._proxies = application, enter, proxies
        self._threads = {
            kind: Threads(
                kind, most=most, loop=self.loop, together=together if together and together.kind == kind else None
            )
            for kind, most in kinds.items()
        }
        self._in_loop = done_in_loop.by(self.loop) if done_in_loop else None
        self._loop_kinds = done_in_loop.kinds if done_in_loop else ()
        self._patience_seconds, self._drain_seconds = patience_seconds, drain_seconds
        self._connections: set[Connection] = set()
        self._held_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._most_connections = _raise_descriptor_limit()

    def serve(self, listeners: Iterable[Listener], *, beat: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT, then let what is under way end. `beat` is called every second by the loop."""
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve(list(listeners), beat))

    async def _serve(self, listeners: list[Listener], beat: Callable[[], None]) -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            self.loop.add_signal_handler(number, stopped.set)
        servers = [await self._listen(each) for each in listeners]
        ticking = self.loop.create_task(self._tick(beat))
        await stopped.wait()
        self.is_stopping = True
        for server in servers:
            server.close()
        for connection in list(self._connections):
            connection.stop()
        stopped_at = self.loop.time()
        while self._connections and self.loop.time() < stopped_at + self._drain_seconds:
            await asyncio.sleep(0.05)
            if self.loop.time() > stopped_at + limits.GOODBYE_SECONDS:
                for connection in [each for each in self._connections if each.lingers()]:
                    connection.abort()
        ticking.cancel()
        for connection in list(self._connections):
            connection.abort()

    async def _listen(self, listener: Listener) -> asyncio.AbstractServer | Handshakes:
        def make() -> Connection:
            return Connection(self, listener)

        if listener.tls is not None:
            most = min(limits.HANDSHAKES_MAX, self._most_connections)
            return Handshakes(listener.socket, listener.tls, make=make, most=most)
        return await self.loop.create_server(make, sock=listener.socket, backlog=limits.BACKLOG)

    async def _tick(self, beat: Callable[[], None]) -> None:
        while True:
            beat()
            now = self.loop.time()
            for connection in list(self._connections):
                connection.check(now, self._patience_seconds)
            for threads in self._threads.values():
                threads.refuse_older(limits.QUEUE_SECONDS)
            self.relieve()
            await asyncio.sleep(limits.TICK_SECONDS)

    def open_connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def waiting(self) -> dict[str, int]:
        """How many requests wait for a thread, by the kind of threads, or as `loop` in the event loop for their turn."""
        waiting = {kind: threads.waiting() for kind, threads in self._threads.items()}
        return waiting | ({"loop": self._in_loop.waiting()} if self._in_loop else {})

    def prepare(self, environ: dict[str, Any]) -> None:
        """Before anything is decided about a request: who really asks, and for what, and by which id we speak of it."""
        environ[REQUEST_ID] = new_request_id()
        if API_ONLY not in environ:
            (correct_behind_caddy if BEHIND_CADDY in environ else self._proxies.correct)(environ)
            self._enter(environ)

    def path_of(self, address: str) -> str:
        """The path that is asked for, of a request whose head can't be read any further."""
        environ = {"PATH_INFO": address.partition("?")[0], "RAW_URI": address, "SCRIPT_NAME": "", "HTTP_HOST": ""}
        self._enter(environ)
        return environ["PATH_INFO"]

    def ask(
        self,
        environ: dict[str, Any],
        exchange: Exchange,
        hear: Callable[[Answer | BodyAwaited | AnsweredBy], None],
        refuse: Callable[[], None],
    ) -> None:
        """Have the application asked, by a thread or in the loop. Raises OSError when the body can't be read back."""
        body = exchange.body
        if body.length != 0:
            if exchange.is_whole or exchange.has_ended:
                environ["wsgi.input"] = body.open()
                environ["CONTENT_LENGTH"] = str(body.got)
                if not exchange.is_whole:
                    environ[CUT] = body.length
            else:
                environ["wsgi.input"] = AwaitedBody(limits.FORM_MAX_BYTES)
                environ[AWAITED] = True
                environ["CONTENT_LENGTH"] = str(body.got if body.length is None else body.length)
        else:
            environ["wsgi.input"] = _NO_BODY
        environ[KIND], environ[KEPT] = exchange.kind, exchange.kept
        application = self._application

        def work() -> Answer | BodyAwaited | AnsweredBy:
            try:
                return application(environ)
            except (BodyAwaited, AnsweredBy) as wish:
                return wish
            except Exception:
                logger.exception("A request could not be answered")
                return refusal("500 Internal Server Error", "Internal server error", is_api=exchange.is_api)

        job = Job(work, hear, refuse, exchange.request_id)
        is_for_loop = exchange.kind in self._loop_kinds and not exchange.is_for_thread
        if self._in_loop and is_for_loop and exchange.is_whole and body.got <= limits.LOOP_BODY_MAX_BYTES:
            environ[IN_LOOP] = True
            self._in_loop.add(job.do, job.tell)
        else:
            self._threads[exchange.kind].add(job)

    def run(self, exchange: Exchange, work: Callable[[], Any]) -> "asyncio.Future[Any]":
        """Have a part of an answer made by a thread of those that answer the request."""
        return self._threads[exchange.kind].run(work, exchange.request_id)

    def keep(self, sending: Coroutine[Any, Any, None]) -> None:
        """Run it beside everything else."""
        task = self.loop.create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def close_unsent(self, body: Iterable[bytes], exchange: Exchange) -> None:
        """Close the body of an answer that nobody waits for any more."""
        if hasattr(body, "close"):
            self.run(exchange, lambda: close(body))

    def admit(self, connection: Connection) -> None:
        """A client connected. When there are too many, the one that has done nothing for longest has to go."""
        if len(self._connections) >= self._most_connections:
            idle = [each for each in self._connections if each.is_idle()]
            min(idle, key=lambda each: each.waits_since, default=connection).abort()
        self._connections.add(connection)

    def forget(self, connection: Connection) -> None:
        """It is gone."""
        self._connections.discard(connection)

    def count_held(self, more_bytes: int) -> None:
        """So much more is kept of what clients sent, or less."""
        self._held_bytes += more_bytes
        if more_bytes > 0 and self._held_bytes > limits.KEPT_MAX_BYTES:
            self.relieve()

    def relieve(self) -> None:
        """When too much is kept for clients together, give up on those that have kept us waiting for longest.

        A quarter is free then, so that the next bytes are no reason to go through all of them again.
        """
        kept = {each: size for each in self._connections if (size := each.kept_bytes()) > limits.KEPT_FREELY_BYTES}
        total = sum(kept.values())
        if total <= limits.KEPT_MAX_BYTES:
            return
        for connection in sorted(kept, key=lambda each: each.waits_since):
            if total <= limits.KEPT_MAX_BYTES * 3 // 4:
                return
            total -= kept[connection]
            connection.abort()


class _NoBody:
    """The body of a request without one."""

    def read(self, *_: Any) -> bytes:
        return b""

    def readline(self, *_: Any) -> bytes:
        return b""


_NO_BODY = _NoBody()


def _raise_descriptor_limit() -> int:
    """As many descriptors as there may be; how many connections that makes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.CONNECTIONS_MAX + limits.HANDSHAKES_MAX + _OTHER_DESCRIPTORS
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return (
        min(limits.CONNECTIONS_MAX, max(64, soft - limits.HANDSHAKES_MAX - _OTHER_DESCRIPTORS))
        if soft > 0
        else limits.CONNECTIONS_MAX
    )
