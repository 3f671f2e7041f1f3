"""A pooler of the tests' own that hands each transaction another session than the client had before.

It speaks enough of PostgreSQL's protocol for what this server sends: no TLS, no COPY, no cancelling. Whoever connects is let in;
its own sessions are opened with a password. What a client leaves in a session, a setting or a lock, comes to light at once.
"""

import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any

import psycopg

from tests.waiting import MOMENT_SECONDS

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_REPORTED = {
    "server_version": "18.4",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "in_hot_standby": "off",
    "default_transaction_read_only": "off",
}


class Session:
    """One of the pooler's own, in which a client's transaction runs."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        # libpq opens it, with a password; the messages afterwards are sent past it.
        self.opened: psycopg.Connection[Any] = psycopg.connect(**parameters, autocommit=True, prepare_threshold=None)
        self.wire = _Wire(socket.socket(fileno=os.dup(self.opened.pgconn.socket)))
        self.known: set[bytes] = set()

    def close(self) -> None:
        self.opened.close()
        self.wire.close()


class Pooler:
    """Listens on `port` of 127.0.0.1. `parameters` are psycopg's, for its own sessions.

    `mode` is "transaction" or "session". It `tracks` prepared statements, as pgbouncer does from 1.21 on, or passes them on.
    Options that a client asks for at its start are refused, or with `ignores_options` left out, as pgbouncer does both.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        mode: str = "transaction",
        tracks: bool = True,
        ignores_options: bool = True,
        size: int = 5,
    ) -> None:
        self._parameters, self._size = parameters, size
        self.mode, self.tracks, self.ignores_options = mode, tracks, ignores_options
        self.idle: list[Session] = []
        self._count = 0
        self._is_closed = False
        self._clients: set[socket.socket] = set()
        self._changed = threading.Condition()
        self.moves = self.batches = 0
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        with self._changed:
            self._is_closed = True
            for client in self._clients:
                with suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)
            while self.idle:
                self.idle.pop().close()

    def stains(self) -> list[tuple[Any, ...]]:
        """What clients have left in the sessions that idle: settings, locks, statements of their own names, channels, cursors."""
        found: list[tuple[Any, ...]] = []
        with self._changed:
            for session in self.idle:
                session.wire.socket.setblocking(False)
                found += session.opened.execute(_STAINS).fetchall()
                session.wire.socket.setblocking(True)
        return found

    def take(self, last: Session | None) -> Session:
        """A session for a transaction, which is another than the `last` one where there is any."""
        with self._changed:
            while True:
                others = [each for each in self.idle if each is not last]
                if others:
                    self.moves += last is not None
                    self.idle.remove(others[0])
                    return others[0]
                if self._count < self._size:
                    self._count += 1
                    break
                if self.idle:
                    return self.idle.pop()
                assert self._changed.wait(MOMENT_SECONDS), "all sessions are busy"
        return Session(self._parameters)

    def give_back(self, session: Session | None, *, is_clean: bool) -> None:
        if session is None:
            return
        with self._changed:
            if is_clean and not self._is_closed:
                self.idle.append(session)
            else:
                session.close()
                self._count -= 1
            self._changed.notify()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._changed:
                    self._clients.add(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        wire = _Wire(client)
        try:
            if self._greet(wire):
                _Client(self, wire).serve()
        except (OSError, EOFError):
            pass  # it is gone
        finally:
            with self._changed:
                self._clients.discard(client)
            wire.close()

    def _greet(self, wire: "_Wire") -> bool:
        while True:
            code, rest = wire.read_start()
            if code in (_SSL, _GSS):
                wire.write(b"N")
            elif code == _CANCEL:
                return False
            else:
                break
        words = rest.split(b"\0")
        asked = dict(zip(words[::2], words[1::2], strict=False))
        if b"options" in asked and not self.ignores_options:
            fields = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            wire.write(_message(b"E", fields))
            return False
        told = [f"{name}\0{value}\0".encode() for name, value in _REPORTED.items()]
        key = _message(b"K", os.urandom(8))
        wire.write(_message(b"R", b"\0\0\0\0") + b"".join(_message(b"S", each) for each in told) + key + _READY)
        return True


class _Client:
    """One client: its session while a transaction lasts, and the statements that it knows by names."""

    def __init__(self, pooler: Pooler, wire: "_Wire") -> None:
        self.pooler, self.wire = pooler, wire
        self.session: Session | None = None
        self.last: Session | None = None
        self.names: dict[bytes, bytes] = {}

    def serve(self) -> None:
        batch: list[tuple[bytes, bytes]] = []
        try:
            while True:
                kind, body = self.wire.read()
                if kind == b"X":
                    return
                batch.append((kind, body))
                if kind in (b"Q", b"S"):
                    self.run(batch)
                    batch = []
        finally:
            self.pooler.give_back(self.session, is_clean=False)

    def run(self, batch: list[tuple[bytes, bytes]]) -> None:
        """Send what came up to a Sync or a query, and pass the answer on."""
        self.pooler.batches += 1
        if self.session is None:
            self.session = self.pooler.take(self.last)
        session = self.session
        sent, told = bytearray(), bytearray()
        # Of each statement that is made known, in their order: its name where it is the pooler's doing, of which no client hears.
        hidden = list[bytes]()
        for kind, body in batch:
            if self.pooler.tracks and self.pooler.mode == "transaction":
                body, name, before = self.translate(kind, body, session)
                hidden += [name] if before else [b""] if kind == b"P" else []
                sent += before
            sent += _message(kind, body)
        session.wire.write(bytes(sent))
        while True:
            kind, body = session.wire.read()
            if kind == b"1" and hidden and hidden.pop(0):
                continue
            if kind == b"Z":
                # Behind an error the session reads nothing.
                session.known.difference_update(hidden)
            if kind == b"Z" and body == b"I" and self.pooler.mode == "transaction":
                # Before the client hears of it, so that its next transaction finds others idle.
                self.last, self.session = session, None
                self.pooler.give_back(session, is_clean=True)
            told += _message(kind, body)
            if kind == b"Z" or len(told) > 65_536:
                self.wire.write(bytes(told))
                told.clear()
            if kind == b"Z":
                return

    def translate(self, kind: bytes, body: bytes, session: Session) -> tuple[bytes, bytes, bytes]:
        """What to send instead, and, of a statement that the session does not know, its name there and what makes it known.

        To make a statement known, or to forget it, becomes the same for one without a name: so it is answered in its turn.
        """
        if kind == b"P":
            name, _, rest = body.partition(b"\0")
            if name:
                self.names[name] = rest
            return b"\0" + rest, b"", b""
        if kind == b"C" and body[:1] == b"S":
            self.names.pop(body[1:-1], None)
            return b"S\0", b"", b""
        if kind == b"D" and body[:1] == b"S":
            name, before = self._in(session, body[1:-1])
            return b"S" + name + b"\0", name, before
        if kind == b"B":
            portal, _, rest = body.partition(b"\0")
            name, _, rest = rest.partition(b"\0")
            name, before = self._in(session, name)
            return portal + b"\0" + name + b"\0" + rest, name, before
        return body, b"", b""

    def _in(self, session: Session, name: bytes) -> tuple[bytes, bytes]:
        """By which name the session knows a statement, and the message that makes it known there when it is not."""
        if not name or name not in self.names:
            return name, b""
        parse = self.names[name]
        known_as = b"pooled_" + sha256(parse).hexdigest()[:40].encode()
        if known_as in session.known:
            return known_as, b""
        session.known.add(known_as)
        return known_as, _message(b"P", known_as + b"\0" + parse)


class _Wire:
    """Messages on a socket."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        opened.setblocking(True)
        self._file = opened.makefile("rb")

    def read_start(self) -> tuple[int, bytes]:
        length, code = struct.unpack("!II", self._exactly(8))
        return code, self._exactly(length - 8)

    def read(self) -> tuple[bytes, bytes]:
        head = self._exactly(5)
        return head[:1], self._exactly(struct.unpack("!I", head[1:])[0] - 4)

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise EOFError
        return data


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


_READY = _message(b"Z", b"I")
_STAINS = b"""
    SELECT 'setting', name, setting FROM pg_settings WHERE source = 'session'
    UNION ALL SELECT 'lock', locktype, mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'statement', name, statement FROM pg_prepared_statements WHERE name NOT LIKE 'pooled\\_%'
    UNION ALL SELECT 'channel', channel, '' FROM pg_listening_channels() AS channel
    UNION ALL SELECT 'cursor', name, statement FROM pg_cursors WHERE is_holdable
"""


@contextmanager
def pooling(parameters: Mapping[str, Any], **how: Any) -> Iterator[Pooler]:
    """One that is closed at the end."""
    pooler = Pooler(parameters, **how)
    try:
        yield pooler
    finally:
        pooler.close()
