"""Serves the app on the socket that was inherited, until nobody asks for it any more or the supervisor wants it drained.

The supervisor keeps the same socket open: whoever connects waits there until somebody accepts. So a process ends without
losing a request when it stops accepting first, and finishes what it had accepted, a request that is still on its way included.
"""

import asyncio
import os
import re
import signal
import socket
from typing import Any, Optional

import uvicorn
from uvicorn.lifespan.on import LifespanOn
from uvicorn.server import ServerState

try:  # compiled, and there only for the interpreter that Homeport itself runs with
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Protocol
except ImportError:
    from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol  # type: ignore[assignment]

from homeport_runtime import functions, output
from homeport_runtime.asgi import AsgiApp, Message, Receive, Scope, Send
from homeport_runtime.control import Control
from homeport_runtime.loading import NoStart, print_trace

DESCRIPTOR = 3
SHUTDOWN_SECONDS = 5.0  # for what an app does when it ends
_AT_ONCE = 16  # accepted in one turn of the loop
_POLL_SECONDS = 0.05


class Gate:
    """Stands in front of the app: takes the request's id, counts, prints tracebacks, answers what is meant for us."""

    def __init__(self) -> None:
        self.app: AsgiApp
        self.calls = 0
        self.quiet_since = 0.0
        self.start_failure: Optional[str] = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, self._noting_failure(send))
            return
        request_id = output.enter_request(_take_id(scope))
        self.calls += 1
        try:
            call = functions.answer if scope["path"] in functions.PATHS else self.app
            await call(scope, receive, send)
        except BaseException as error:
            print_trace(error)
            raise
        finally:
            self.calls -= 1
            self.quiet_since = asyncio.get_running_loop().time()
            output.leave_request(request_id)

    def _noting_failure(self, send: Send) -> Send:
        async def noting(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                self.start_failure = message.get("message") or ""
            await send(message)

        return noting


class Server:
    """The web server around one app."""

    def __init__(self, control: Control, idle_seconds: float) -> None:
        self.gate = Gate()
        self._control = control
        self._idle_seconds = idle_seconds
        # Loaded now: later its modules are no longer those that a plain import would find.
        self._config = uvicorn.Config(
            self.gate,
            http=Protocol,
            ws="none",
            lifespan="auto",
            interface="asgi3",
            log_config=None,
            access_log=False,
            forwarded_allow_ips="*",  # only Homeport connects, and it writes these headers itself
        )
        self._config.load()
        self._state = ServerState()
        self._app_state: dict[str, Any] = {}  # what its lifespan gives to each request
        self._open = 0
        self._connecting: set[asyncio.Task[Any]] = set()

    async def serve(self) -> None:
        """Start the app, accept until it is time to end, finish, end the app. Raises NoStart."""
        self._loop = asyncio.get_running_loop()
        self._is_ending = asyncio.Event()
        lifespan = LifespanOn(self._config)
        await lifespan.startup()
        self._app_state = lifespan.state
        if self.gate.start_failure is not None:
            raise NoStart("crashed", "The app failed while it started.", self.gate.start_failure)
        self._listener = socket.socket(fileno=DESCRIPTOR)
        self._listener.setblocking(False)
        os.set_inheritable(DESCRIPTOR, False)
        self.gate.quiet_since = self._loop.time()
        self._loop.add_reader(self._listener, self._accept)
        self._loop.add_signal_handler(signal.SIGTERM, self._is_ending.set)
        self._control.when_asked_to_drain(self._end_from_thread)
        self._control.say_ready()
        await self._until_idle_or_asked()
        self._loop.remove_reader(self._listener)
        self._listener.close()
        self._control.say_closed()
        await self._finish()
        if not lifespan.error_occurred:
            await asyncio.wait({asyncio.ensure_future(lifespan.shutdown())}, timeout=SHUTDOWN_SECONDS)

    def _end_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._is_ending.set)

    @property
    def _is_busy(self) -> bool:
        return self._open > 0 or self.gate.calls > 0

    async def _until_idle_or_asked(self) -> None:
        """Nothing is awaited between the last look at `_is_busy` and the caller's end of accepting."""
        while True:
            rest = None
            if self._idle_seconds:
                rest = self._idle_seconds
                if not self._is_busy:
                    rest += self.gate.quiet_since - self._loop.time()
                    if rest <= 0:
                        return
            try:
                await asyncio.wait_for(self._is_ending.wait(), rest)
            except asyncio.TimeoutError:
                continue
            return

    async def _finish(self) -> None:
        while self._is_busy:
            for connection in list(self._state.connections):
                # One without a request yet has one coming: Homeport connects in order to ask.
                if connection.cycle is not None:  # type: ignore[union-attr]
                    connection.shutdown()
            await asyncio.sleep(_POLL_SECONDS)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                accepted, _address = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:  # too many open files: those who wait are accepted when others are done
                self._loop.remove_reader(self._listener)
                self._loop.call_later(_POLL_SECONDS, self._accept_again)
                return
            accepted.setblocking(False)
            self._open += 1
            connecting = self._loop.create_task(self._connect(accepted))
            self._connecting.add(connecting)
            connecting.add_done_callback(self._connecting.discard)

    def _accept_again(self) -> None:
        if self._listener.fileno() >= 0:
            self._loop.add_reader(self._listener, self._accept)

    async def _connect(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: _Connection(self), accepted)
        except OSError:
            accepted.close()
            self._closed()

    def _closed(self) -> None:
        self._open -= 1
        self.gate.quiet_since = self._loop.time()


class _Connection(Protocol):
    """One connection of uvicorn's, which says when it is over."""

    def __init__(self, server: Server) -> None:
        super().__init__(server._config, server._state, server._app_state)
        self._server = server

    def connection_lost(self, exc: Optional[Exception]) -> None:
        super().connection_lost(exc)
        self._server._closed()


def _take_id(scope: Scope) -> Optional[str]:
    """Take the request's id out of its headers, and put the name that was asked for in the place of the socket's."""
    found = None
    headers = []
    host = b"localhost"
    for name, value in scope["headers"]:
        if name == b"x-homeport-request":
            found = value.decode("latin-1")
            continue
        if name == b"host":
            host = value
        headers.append((name, value))
    scope["headers"] = headers
    scope["server"] = _split_host(host.decode("latin-1"), 443 if scope["scheme"] == "https" else 80)
    return found


def _split_host(host: str, usual_port: int) -> tuple[str, int]:
    """The name and the port of a Host header; an IPv6 address stands in brackets."""
    match = re.fullmatch(r"(.*?):(\d+)", host)
    return (match[1], int(match[2])) if match else (host, usual_port)
