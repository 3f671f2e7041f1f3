"""The connections of this process to Postgres: few, shared by its many threads, opened when one is needed.

A thread that waits for a slow client's body needs none, so threads may be many; statements at once are bounded by the
pool's size. psycopg's own pool opens connections in the background and, after an outage, waits longer and longer
before it tries again, so that the first request after it would fail; here whoever needs a connection opens it.
"""

import select
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import psycopg
from django.conf import settings
from psycopg.pq import TransactionStatus

Connection = psycopg.Connection[Any]

# Longer than a statement usually takes, shorter than a client waits.
_WAIT_SECONDS = 4.0
# A server cannot have gone and come back in this time, so a connection used so lately is as good as any.
_FRESH_SECONDS = 0.02


class PoolBusy(psycopg.OperationalError):
    """All connections were busy for as long as a caller may wait."""


class Pool:
    """A pool of at most `size` connections; the one used last is used next, as its caches are warm."""

    def __init__(self, size: int) -> None:
        self._free_places = threading.BoundedSemaphore(size)
        self._idle: deque[tuple[Connection, float]] = deque()

    def take(self, open_new: Callable[[], Connection]) -> Connection:
        """A connection that looks healthy. Raises PoolBusy, and what `open_new` raises."""
        if not self._free_places.acquire(timeout=_WAIT_SECONDS):
            raise PoolBusy("all database connections are in use")
        try:
            return self._good_idle_one() or open_new()
        except BaseException:
            self._free_places.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """End the use of a connection that `take` returned. One in the middle of anything is closed."""
        try:
            if _is_clean(connection):
                self._idle.append((connection, time.monotonic()))
            else:
                connection.close()
        finally:
            self._free_places.release()

    def _good_idle_one(self) -> Connection | None:
        while True:
            try:
                connection, used_at = self._idle.pop()
            except IndexError:
                return None
            if time.monotonic() - used_at < _FRESH_SECONDS or not _has_hung_up(connection):
                return connection
            connection.close()


def _is_clean(connection: Connection) -> bool:
    if connection.pgconn.transaction_status != TransactionStatus.IDLE:  # of a closed one it is UNKNOWN
        return False
    if not connection.autocommit:
        connection.autocommit = True
    return True


def _has_hung_up(connection: Connection) -> bool:
    """Whether the server closed the connection while nobody used it: then there is something to read, its farewell.

    Looking costs microseconds, as other threads run meanwhile; a statement to find out would cost a tenth of a GET.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if not poll.poll(0):
        return False
    try:
        connection.pgconn.consume_input()
    except psycopg.OperationalError:
        return True
    return connection.broken


pool = Pool(settings.CONNECTIONS)
