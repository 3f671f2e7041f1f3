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
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from psycopg import abc, errors
from psycopg.abc import PQGen, PQGenConn
from psycopg.adapt import Transformer
from psycopg.errors import Diagnostic
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from storage import engine_waits
from storage.postgres import addresses
from storage.postgres.deadlines import (
    ANSWER_SECONDS,
    CONNECT_SECONDS,
    NoAnswer,
    connect_until,
    shorten,
    start_watching,
    wait_for_result,
)
from storage.postgres.sql import distribution as distribution_sql

T = TypeVar("T")

# A session keeps its plans and what it looked up, 2 to 7 MB of the server's memory: one that is not needed for so long goes.
_IDLE_SECONDS = 120.0
# Longer than a statement usually takes, and so much shorter than a client waits that the statement still can be tried.
_WAIT_SECONDS = 4.0


# What a session is called that has the settings of `console/settings.py`.
_NAME = b"homeport"


class _Poll(ctypes.Structure):
    """`struct pollfd`."""

    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


# Before each statement its connection is looked at. Python's own `poll` lets other threads run meanwhile, and waiting for one's
# turn again costs more than looking; this one does not.
_poll = ctypes.PyDLL(None).poll


class Seen:
    """What the connections of this process have seen of its database: whether items are distributed over several servers
    (`distribution.py`), None before the first.
    """

    items_are_distributed: bool | None = None


seen = Seen()


class NotConfirmed(psycopg.OperationalError):
    """A commit waited for a standby in vain: it is on one machine alone, and lost if another takes over."""


class Connection(psycopg.Connection[Any]):
    """A connection whose answers come within a time. One that is overdue closes it, and who waits gets an OperationalError.

    `answer_seconds` is that time; a request that has less left to wait has that instead (`storage/engine_waits.py`).
    """

    answer_seconds: float = ANSWER_SECONDS
    # When it was given back, on the clock of `time.monotonic()`.
    idle_since: float = 0.0
    # It leads to a server that takes no writes, as after a failover: nobody is to use it again.
    is_read_only = False
    # Which forms its values have is looked up once for each type, not for each statement.
    transformer: abc.Transformer
    _look: Callable[[], int]
    _unconfirmed: Sequence[str] = ()
    _opening = threading.local()

    @classmethod
    def open(cls, **parameters: Any) -> "Connection":
        """A new connection, to the first address that lets us in. Raises NoAnswer and psycopg's errors."""
        start_watching()
        budget = engine_waits.current()
        cls._opening.due_at = time.monotonic() + shorten(budget, CONNECT_SECONDS)
        cls._opening.addresses_left = addresses.count(parameters)
        with budget.spending():
            connection = cls.connect(**addresses.in_order(parameters))
        addresses.note_entry(connection.pgconn.host, connection.pgconn.port)
        if "options" in parameters and connection.pgconn.parameter_status(b"application_name") != _NAME:
            connection._set_what_was_asked()
        connection._look = partial(_poll, ctypes.byref(_Poll(connection.pgconn.socket, select.POLLIN)), 1, 0)
        connection.transformer = Transformer.from_context(connection)
        unconfirmed: list[str] = []
        connection._unconfirmed = unconfirmed
        connection.add_notice_handler(partial(_note_unconfirmed, unconfirmed))
        return connection

    @classmethod
    def open_ours(cls, **parameters: Any) -> "Connection":
        """As `open`, to the database that this process works with: it tells where its items are."""
        connection = cls.open(**parameters)
        result = connection._ask_at_once(distribution_sql.IS_MARKED, ExecStatus.TUPLES_OK)
        seen.items_are_distributed = result.get_value(0, 0) == b"t"
        if seen.items_are_distributed and not settings.IS_POOLED:
            connection._ask_at_once(distribution_sql.PLAN_WITH_VALUES, ExecStatus.COMMAND_OK)
        return connection

    def _set_what_was_asked(self) -> None:
        """A pooler that keeps a session to its client may leave out what the client asked for at its start."""
        wanted = {**settings.SESSION_SETTINGS, "application_name": _NAME.decode()}
        asked = "; ".join(f"SET {name} = '{value}'" for name, value in wanted.items())
        self._ask_at_once(asked, ExecStatus.COMMAND_OK)

    def _ask_at_once(self, text: str, answer: ExecStatus) -> PGresult:
        """Before anybody has the connection, which is closed where the answer is another."""
        try:
            result = wait_for_result(self.pgconn, CONNECT_SECONDS, self.pgconn.exec_, text.encode())
            if result.status != answer:
                raise psycopg.OperationalError(result.get_error_message())
        except BaseException:
            self.close()
            raise
        return result

    def refuse_unconfirmed(self) -> None:
        """Call it after each answer. Raises NotConfirmed, on a closed connection, when it was a commit's that is not safe.

        Where commits wait for a standby, one whose wait somebody cancels is told to the client as done, with a warning.
        """
        if self._unconfirmed:
            self.pgconn.finish()
            raise NotConfirmed("the standby did not confirm the commit in time")

    def has_hung_up(self) -> bool:
        """Whether the server closed it while nobody used it: then there is something to read, its farewell."""
        while self._look():
            # Its last words come first, where it had any; that it closed is read after them.
            try:
                self.pgconn.consume_input()
            except psycopg.OperationalError:
                return True
            if self.closed:
                return True
        return False

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn["Connection"]:
        # psycopg has a timeout for each address, and none for all of them. One that says nothing leaves the next ones their time.
        left = max(cls._opening.addresses_left, 1)
        cls._opening.addresses_left = left - 1
        now = time.monotonic()
        return connect_until(now + (cls._opening.due_at - now) / left, super()._connect_gen(conninfo))

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As psycopg's, which its cursors use, but not for ever."""
        budget = engine_waits.current()
        seconds = shorten(budget, self.answer_seconds)
        try:
            with budget.spending():
                answer = super().wait(gen, interval, timeout or (None if seconds == inf else seconds))
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise NoAnswer("the database server did not answer in time") from None
        self.refuse_unconfirmed()
        return answer


def _note_unconfirmed(unconfirmed: list[str], notice: Diagnostic) -> None:
    # It has no code of its own, and its text may be in any language.
    if notice.source_function == "SyncRepWaitForLSN":
        unconfirmed.append(notice.message_primary or "")


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
        self.size = size
        self._waiting, self._counting = 0, threading.Lock()

    def load(self) -> tuple[int, int, int]:
        """How many connections are in use, how many are open and idle, and how many callers wait for one."""
        return self.size - self._free_places.qsize(), len(self._idle), self._waiting

    def take(self, open_new: Callable[[], Connection]) -> Connection:
        """A connection that looks healthy, made by `open_new` where there is none. Raises PoolBusy and what that raises."""
        try:
            self._free_places.get_nowait()
        except Empty:
            self._wait_for_place()
        try:
            return self._good_idle_one() or open_new()
        except BaseException:
            self._free_places.put(None)
            raise

    def is_wanted(self) -> bool:
        """Whether somebody waits for a connection."""
        return self._waiting > 0

    def take_idle(self) -> Connection | None:
        """As `take`, but without waiting for anybody: None where no healthy one is there."""
        try:
            self._free_places.get_nowait()
        except Empty:
            return None
        connection = self._good_idle_one()
        if connection is None:
            self._free_places.put(None)
        return connection

    def give_back(self, connection: Connection) -> None:
        """End the use of a connection that `take` returned. One in the middle of anything is closed.

        Whatever broke one has most likely broken those that idle as well; some of it, such as a server that is gone without a
        word, would not show on them until they are used.
        """
        try:
            if connection.broken or connection.is_read_only:
                self.forget_idle()
            if _is_clean(connection):
                connection.idle_since = now = time.monotonic()
                self._idle.append(connection)
                self._close_longest_idle(now)
            else:
                connection.close()
        finally:
            self._free_places.put(None)

    def _close_longest_idle(self, now: float) -> None:
        """If it is too long; one at a time, as somebody waits meanwhile. Other threads take and give back at the same moment."""
        try:
            if now - self._idle[0].idle_since <= _IDLE_SECONDS:
                return
            connection = self._idle.popleft()
        except IndexError:
            return
        if now - connection.idle_since > _IDLE_SECONDS:
            connection.close()
        else:
            self._idle.appendleft(connection)

    def _wait_for_place(self) -> None:
        budget = engine_waits.current()
        seconds = shorten(budget, _WAIT_SECONDS)
        with self._counting:
            self._waiting += 1
        try:
            with budget.spending():
                self._free_places.get(timeout=seconds)
        except Empty:
            raise PoolBusy("all database connections are in use") from None
        finally:
            with self._counting:
                self._waiting -= 1

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
    if (
        connection.is_read_only or connection.pgconn.transaction_status != TransactionStatus.IDLE
    ):  # of a closed one UNKNOWN
        return False
    if not connection.autocommit:
        connection.autocommit = True
    return True


pool = Pool(settings.CONNECTIONS)
