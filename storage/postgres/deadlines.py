"""No wait for Postgres is without end: one that has lasted too long is ended here, by shutting its connection's socket.

A server that is frozen, or whose disk is, keeps its sockets open, and the operating system goes on acknowledging what they are
sent: neither libpq nor keepalives notice. `sending.py` sends a statement and waits for its rows in one call of libpq, which knows
no deadline. A thread beside it costs that call next to nothing, while waiting in steps costs it several turns of the interpreter.
The call then ends as it does when the server has gone.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from psycopg.pq.abc import PGconn

from storage import engine_waits, limits

T = TypeVar("T")

# The server ends a statement itself where it can (`statement_timeout`): it gets this much longer.
LONGER_SECONDS = 0.2
# How long the thread sleeps at most, and at least.
_SLEEP_SECONDS = (0.02, 0.2)

# How long a connection may take to answer. What takes its time, as jobs do, runs without a `statement_timeout`.
ANSWER_SECONDS = (
    settings.STATEMENT_TIMEOUT_MS / 1000 + LONGER_SECONDS
    if settings.STATEMENT_TIMEOUT_MS
    else limits.JOB_STATEMENT_SECONDS
)
# Until a connection is there.
CONNECT_SECONDS = limits.ENGINE_ANSWER_SECONDS


class NoAnswer(psycopg.OperationalError):
    """The server did not answer in time; the connection is closed."""


# By when an answer is due, and on which connection.
Wait = tuple[float, PGconn]

# The waits for answers that are under way. Each access is one step of
# the interpreter, so the hot path needs no lock; whoever takes a wait out decides how it ended.
_waits: set[Wait] = set()
_cutting = threading.Lock()
_watching: threading.Thread | None = None


def wait_for_result(pgconn: PGconn, seconds: float, ask: Callable[..., T], *args: Any) -> T:
    """What a blocking call of libpq returns, which has so many seconds, and no more than its request has left.

    An overdue one returns a result that says the connection was lost, or raises that, and the connection is closed then.
    Somebody must have called `start_watching` in this process. Raises NoAnswer when nothing is left: nothing was sent then.
    """
    budget = engine_waits.current()
    began = time.monotonic()
    wait = begin_wait(pgconn, began + shorten(budget, seconds))
    try:
        return ask(*args)
    finally:
        end_wait(wait)
        budget.left -= time.monotonic() - began


def begin_wait(pgconn: PGconn, due_at: float) -> Wait:
    """From now on the connection is shut at this moment of the monotonic clock, until `end_wait`."""
    wait = (due_at, pgconn)
    _waits.add(wait)
    return wait


def end_wait(wait: Wait) -> None:
    """It was answered, or is closed; one that was overdue is closed then."""
    try:
        _waits.remove(wait)
    except KeyError:
        with _cutting:  # until it is shut, the socket's number must not become somebody else's
            wait[1].finish()


def shorten(budget: engine_waits.Budget, seconds: float) -> float:
    """As the budget does. Raises NoAnswer when nothing is left."""
    seconds = budget.shorten(seconds)
    if not seconds:
        raise NoAnswer("the request has waited for the engines long enough")
    return seconds


def connect_until(due_at: float, connecting: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
    """psycopg's steps to a connection, which it takes at intervals even while nothing happens. Raises NoAnswer."""
    try:
        step = next(connecting)
        while True:
            ready = yield step
            if time.monotonic() > due_at:
                raise NoAnswer("the database server did not let us in in time")
            step = connecting.send(ready)
    except StopIteration as end:
        connection: T = end.value
        return connection
    finally:
        connecting.close()


def start_watching() -> None:
    """Make sure that this process has the thread that ends overdue waits."""
    global _watching
    if _watching is None:
        with _cutting:
            if _watching is None:
                _watching = threading.Thread(target=_watch, name="deadlines", daemon=True)
                _watching.start()


def _watch() -> None:
    shortest, longest = _SLEEP_SECONDS
    while True:
        now = time.monotonic()
        next_at = now + longest
        for wait in _waits.copy():
            if wait[0] <= now:
                _cut(wait)
            else:
                next_at = min(next_at, wait[0])
        time.sleep(max(next_at - time.monotonic(), shortest))


def _cut(wait: Wait) -> None:
    with _cutting:
        try:
            _waits.remove(wait)
        except KeyError:
            return
        shared = socket.socket(fileno=wait[1].socket)
        try:
            shared.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other end was faster
        finally:
            shared.detach()


def _start_over() -> None:
    """In a forked process, which has none of the threads."""
    global _cutting, _watching
    _waits.clear()
    _cutting, _watching = threading.Lock(), None


os.register_at_fork(after_in_child=_start_over)
