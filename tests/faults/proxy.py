"""A proxy that stands between Homeport and one of its engines and breaks what passes, at a byte that a test chooses."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["cut", "reset", "hold", "delay"]
Direction = Literal["to the engine", "from the engine"]

_CHUNK_BYTES = 65_536


@dataclass
class Fault:
    """What happens once `after_bytes` have passed in one direction, counted over all connections from now on.

    `cut` ends the connection as a server that stops does, and `reset` as one that crashed; `hold` lets nothing more pass, on any
    connection, until it is over; `delay` holds that once for `seconds`.
    """

    kind: Kind
    direction: Direction
    after_bytes: int
    seconds: float = 0.0
    has_begun: bool = False
    has_happened: threading.Event = field(default_factory=threading.Event)


@dataclass
class Passed:
    """How many bytes passed."""

    to_engine: int = 0
    from_engine: int = 0


class Connection:
    """One client's way through the proxy."""

    def __init__(self, client: socket.socket, engine: socket.socket) -> None:
        self.client, self.engine = client, engine
        self.fault: Fault | None = None  # that ended it

    def end(self, *, abruptly: bool) -> None:
        """End both sides."""
        for end in (self.client, self.engine):
            try:
                if abruptly:
                    # Closing it discards what waits, and the other side is told that the connection is no more. The thread that
                    # reads from it has to let go of it for that.
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    end.shutdown(socket.SHUT_RD)
                else:
                    end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already
            end.close()


class FaultProxy:
    """Listens on a port of this machine, and passes on to `engine`: a (host, port) or the path of a socket."""

    def __init__(self, engine: tuple[str, int] | str) -> None:
        self._engine = engine
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.passed = Passed()
        self._fault: Fault | None = None
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._connections: set[Connection] = set()
        self._late_seconds = 0.0
        self._bytes_per_second = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End everything."""
        self._open.set()
        self._listener.close()
        self.end_connections()

    def lead_to(self, engine: tuple[str, int] | str) -> None:
        """Pass on to another engine from here on; the connections to this one end."""
        self._engine = engine
        self.end_connections()

    def end_connections(self) -> None:
        """End every connection, as a server that stops does."""
        for connection in list(self._connections):
            connection.end(abruptly=False)

    @contextmanager
    def fault(self, kind: Kind, direction: Direction, after_bytes: int, *, seconds: float = 0.0) -> Iterator[Fault]:
        """Let it happen inside, at most once; what is held then is let go at the end."""
        fault = Fault(kind, direction, after_bytes, seconds)
        with self._lock:
            self.passed = Passed()
            self._fault = fault
        try:
            yield fault
        finally:
            with self._lock:
                self._fault = None
            if fault.has_begun:
                fault.has_happened.wait()
            self._open.set()

    @contextmanager
    def counting(self) -> Iterator[Passed]:
        """How many bytes pass inside."""
        with self._lock:
            self.passed = passed = Passed()
        yield passed

    def hold(self) -> None:
        """Let nothing pass until `release`; new connections are still taken, as by a frozen server's machine."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """All that the engine says inside comes so much later."""
        self._late_seconds = seconds
        try:
            yield
        finally:
            self._late_seconds = 0.0

    @contextmanager
    def throttled(self, bytes_per_second: int) -> Iterator[None]:
        """What passes inside, either way, does so no faster on each connection."""
        self._bytes_per_second = bytes_per_second
        try:
            yield
        finally:
            self._bytes_per_second = 0

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if isinstance(self._engine, str):
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self._engine)
            else:
                engine = socket.create_connection(self._engine)
                engine.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(client, engine)
        self._connections.add(connection)
        back = threading.Thread(target=self._pass, args=(connection, "from the engine"), daemon=True)
        back.start()
        self._pass(connection, "to the engine")
        back.join()
        self._connections.discard(connection)
        if connection.fault is not None:
            # A reset is sent when the last thread lets go of the socket; until then the connection looks well.
            connection.fault.has_happened.set()

    def _pass(self, connection: Connection, direction: Direction) -> None:
        source, sink = connection.client, connection.engine
        if direction == "from the engine":
            source, sink = sink, source
        try:
            while data := source.recv(_CHUNK_BYTES):
                if direction == "from the engine":
                    time.sleep(self._late_seconds)
                self._open.wait()
                before, fault, after = self._divide(data, direction)
                try:
                    if before:
                        self._send(sink, before)
                finally:
                    # Where the other end is gone by now as well: who made the fault waits until it has happened.
                    if fault is not None:
                        self._happen(fault, connection)
                if fault is not None:
                    self._open.wait()
                    sink.sendall(after)
        except OSError:
            pass  # the connection has ended, by one of its ends or by a fault
        finally:
            with closing(source), closing(sink):
                connection.end(abruptly=False)

    def _send(self, sink: socket.socket, data: bytes) -> None:
        """At once, or a twentieth of a second's share after the other for as long as that is so."""
        while self._bytes_per_second and data:
            share = max(1, self._bytes_per_second // 20)
            sink.sendall(data[:share])
            data = data[share:]
            time.sleep(1 / 20)
        sink.sendall(data)

    def _divide(self, data: bytes, direction: Direction) -> tuple[bytes, Fault | None, bytes]:
        """What passes before the fault, the fault if it is due within this data, and the rest."""
        with self._lock:
            if direction == "to the engine":
                passed = self.passed.to_engine
                self.passed.to_engine += len(data)
            else:
                passed = self.passed.from_engine
                self.passed.from_engine += len(data)
            fault = self._fault
            if fault is None or fault.direction != direction or passed + len(data) < fault.after_bytes:
                return data, None, b""
            self._fault = None
            fault.has_begun = True
            here = fault.after_bytes - passed
            return data[:here], fault, data[here:]

    def _happen(self, fault: Fault, connection: Connection) -> None:
        if fault.kind in ("cut", "reset"):
            connection.fault = fault
            connection.end(abruptly=fault.kind == "reset")
            return
        if fault.kind == "hold":
            self._open.clear()
        fault.has_happened.set()
        if fault.kind == "delay":
            time.sleep(fault.seconds)
