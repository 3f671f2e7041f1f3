"""The connections of this process to Postgres: few, shared by its many threads, opened when one is needed.

A thread that waits for a slow client's body needs none, so threads may be many; statements at once are bounded by the
pool's size. psycopg's own pool opens connections in the background and, after an outage, waits longer and longer
before it tries again, so that the first request after it would fail; here whoever needs a connection opens it.
"""

import ctypes
import select
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from math import inf
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from psycopg import errors
from psycopg.abc import PQGen, PQGenConn
from psycopg.pq import TransactionStatus

from storage import limits
from storage.postgres.deadlines import ANSWER_SECONDS, CONNECT_SECONDS, NoAnswer, connect_until, start_watching

T = TypeVar("T")

# Longer than a statement usually takes, and so much shorter than a client waits that the statement still can be tried.
_WAIT_SECONDS = 4.0


class _Poll(ctypes.Structure):
    """`struct pollfd`."""

    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


# Before each statement its connection is looked at. Python's own `poll` lets other threads run meanwhile, and waiting for one's
# turn again costs more than looking; this one does not.
_poll = ctypes.PyDLL(None).poll


class Connection(psycopg.Connection[Any]):
    """A connection whose answers come within a time. One that is overdue closes it, and who waits gets an OperationalError.

    `answer_seconds` is that time, None for ever. `waited_seconds` are spent already: the first answer has so much less.
    """

    answer_seconds: float | None = ANSWER_SECONDS
    waited_seconds = 0.0
    _look: Callable[[], int]
    _opening = threading.local()

    @classmethod
    def open(cls, seconds: float = CONNECT_SECONDS, **parameters: Any) -> "Connection":
        """A new connection, to the first address that lets us in. Raises NoAnswer and psycopg's errors."""
        start_watching()
        cls._opening.due_at = time.monotonic() + seconds
        connection = cls.connect(**parameters)
        connection._look = partial(_poll, ctypes.byref(_Poll(connection.pgconn.socket, select.POLLIN)), 1, 0)
        return connection

    def has_hung_up(self) -> bool:
        """Whether the server closed it while nobody used it: then there is something to read, its farewell."""
        if not self._look():
            return False
        try:
            self.pgconn.consume_input()
        except psycopg.OperationalError:
            return True
        return self.closed

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn["Connection"]:
        # psycopg has a timeout for each address, and none for all of them.
        return connect_until(cls._opening.due_at, super()._connect_gen(conninfo))

    def due_at(self) -> float:
        """By when an answer is due to what is sent now, on the clock of `time.monotonic()`."""
        waited, self.waited_seconds = self.waited_seconds, 0.0
        seconds = self.answer_seconds
        if seconds is None:
            return inf
        if waited:
            seconds = max(seconds - waited, limits.ENGINE_MIN_SECONDS)
        return time.monotonic() + seconds

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As psycopg's, which its cursors use, but not for ever."""
        due_at = self.due_at()
        try:
            return super().wait(gen, interval, timeout if due_at == inf else timeout or due_at - time.monotonic())
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise NoAnswer("the database server did not answer in time") from None


class PoolBusy(psycopg.OperationalError):
    """All connections were busy for as long as a caller may wait."""


class Pool:
    """A pool of at most `size` connections; the one used last is used next, as its caches are warm."""

    def __init__(self, size: int) -> None:
        # A semaphore as well, at a tenth of what Python's costs.
        self._free_places: SimpleQueue[None] = SimpleQueue()
        for _ in range(size):
            self._free_places.put(None)
        self._idle: deque[Connection] = deque()

    def take(self, open_new: Callable[[float], Connection]) -> Connection:
        """A connection that looks healthy; `open_new` is told how many seconds it has. Raises PoolBusy and what that raises."""
        began = None
        try:
            self._free_places.get_nowait()
        except Empty:
            began = time.monotonic()
            self._wait_for_place()
        try:
            connection = self._good_idle_one()
            if connection is None:
                began = began or time.monotonic()
                connection = open_new(CONNECT_SECONDS - (time.monotonic() - began))
        except BaseException:
            self._free_places.put(None)
            raise
        if began is not None:
            connection.waited_seconds = time.monotonic() - began
        return connection

    def give_back(self, connection: Connection) -> None:
        """End the use of a connection that `take` returned. One in the middle of anything is closed.

        Whatever broke one has most likely broken those that idle as well; some of it, such as a server that is gone without a
        word, would not show on them until they are used.
        """
        try:
            if connection.broken:
                self.forget_idle()
            if _is_clean(connection):
                self._idle.append(connection)
            else:
                connection.close()
        finally:
            self._free_places.put(None)

    def _wait_for_place(self) -> None:
        try:
            self._free_places.get(timeout=_WAIT_SECONDS)
        except Empty:
            raise PoolBusy("all database connections are in use") from None

    def forget_idle(self) -> None:
        """Close the connections that nobody uses at the moment."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            connection.close()

    def _good_idle_one(self) -> Connection | None:
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                return None
            if not connection.has_hung_up():
                return connection
            connection.close()


def _is_clean(connection: Connection) -> bool:
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:  # of a closed one it is UNKNOWN
        return False
    if not connection.autocommit:
        connection.autocommit = True
    return True


pool = Pool(settings.CONNECTIONS)
