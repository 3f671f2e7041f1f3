"""Runs statements and turns the driver's errors into named ones.

Statements go past the ORM, whose cursor wrappers cost more than the hot statements themselves. The texts of statements are in
each package's `sql`, the connections in `connections.py`, and how a statement is sent in `sending.py`.
"""

import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from math import inf
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db import connection as django_connection
from django.db.backends.base.base import BaseDatabaseWrapper

from storage import engine_waits
from storage.postgres import held_work
from storage.postgres.connections import Connection, pool
from storage.postgres.deadlines import LONGER_SECONDS
from storage.postgres.failures import count_failure, name_failure
from storage.postgres.sending import command, row_maker, send
from storage.postgres.sql import sessions as sessions_sql
from storage.postgres.statements import R, Statement, YesNo

# Of a snapshot, in memory: the largest items together take some 50 MB.
_ROWS_AT_A_TIME = 64
# In seconds, before a statement is sent again that was taken back to end a deadlock: at once it could overtake those that it was
# taken back for, and the circle would be there again.
_PAUSES = (0.05, 0.2)


class _ThisThread(threading.local):
    """The ORM's connection as a thread has it. Django's own way to it takes longer than all that stands around a statement.

    In the main thread an event loop may run now and then, as in tests with a browser, and Django has another one within it.
    """

    def __init__(self) -> None:
        is_main = threading.current_thread() is threading.main_thread()
        self.orm = None if is_main else connections[DEFAULT_DB_ALIAS]


_this_thread = _ThisThread()


def _orm() -> BaseDatabaseWrapper:
    return _this_thread.orm or connections[DEFAULT_DB_ALIAS]


def run(statement: Statement[R]) -> list[R]:
    """Run one statement; all its rows.

    Inside `transaction.atomic()` or `one_connection()` it runs on that connection, else on any, committed at once.
    Raises EngineUnreachable and DiskFull; any other error of the driver is a defect and passes.
    """
    held_work.check()
    engine_waits.will_wait()
    with engine_errors():
        in_use = _orm().connection
        if in_use is not None:
            return send(in_use, statement)
        connection = pool.take(open_connection)
        try:
            return _send_whole(connection, statement)
        finally:
            pool.give_back(connection)


def _send_whole(connection: Connection, statement: Statement[R]) -> list[R]:
    """A statement that is a transaction by itself: again when the server took it back, as others and it waited for each other."""
    for pause in _PAUSES:
        try:
            return send(connection, statement)
        except psycopg.errors.DeadlockDetected as error:
            count_failure(error)
            with engine_waits.current().spending():
                time.sleep(pause)
    return send(connection, statement)


def run_one(statement: Statement[R]) -> R:
    """Run a statement that always has exactly one row. Raises as `run` does."""
    (row,) = run(statement)
    return row


@contextmanager
def one_connection() -> Iterator[None]:
    """Keep to one connection inside, which the ORM then need not take and give back for each statement.

    Where there is one already, as in a transaction, it is that one, and stays open.
    """
    is_nested = django_connection.connection is not None
    with engine_errors():
        django_connection.ensure_connection()
    try:
        yield
    finally:
        if not is_nested:
            django_connection.close()


@contextmanager
def unhurried() -> Iterator[None]:
    """Within `one_connection()`: let its statements take as long as they need, such as those of a migration."""
    connection = django_connection.connection
    answer_seconds, connection.answer_seconds = connection.answer_seconds, inf
    try:
        run(sessions_sql.set_statement_timeout("0"))
        yield
    finally:
        connection.answer_seconds = answer_seconds
        if not connection.closed:
            run(sessions_sql.set_statement_timeout(f"{settings.STATEMENT_TIMEOUT_MS}"))


@contextmanager
def taking_time(seconds: float) -> Iterator[None]:
    """Within a transaction: let what is done inside take so long, each statement and all waits of the request together."""
    connection = django_connection.connection
    run(sessions_sql.allow_statements(f"{seconds * 1000:.0f}"))
    answer_seconds, connection.answer_seconds = connection.answer_seconds, seconds + LONGER_SECONDS
    try:
        with engine_waits.allowed(connection.answer_seconds):
            yield
    finally:
        connection.answer_seconds = answer_seconds


class OwnConnection:
    """A connection beside the pool's, for a thread whose statements may wait longer than requests should for the pool.

    One thread at a time may use it. It is opened when needed, and anew after an error; what it commits may be lost by a
    crash of the database unless it `lasts`.
    """

    def __init__(self, *, lock_timeout_ms: int, lasts: bool = False) -> None:
        # Of the transaction: behind a pooler the session may be somebody else's in the next one.
        begin = f"BEGIN; SET LOCAL lock_timeout = {lock_timeout_ms}"
        self._begin = (begin if lasts else f"{begin}; SET LOCAL synchronous_commit = off").encode()
        self._connection: Connection | None = None

    def run_together(self, statements: Sequence[Statement[Any]]) -> None:
        """Several statements in one transaction. Raises as `run` does."""
        with self._transaction() as connection:
            for statement in statements:
                send(connection, statement)

    def run(self, statement: Statement[R]) -> list[R]:
        """One statement, committed at once. Raises as `run` does."""
        with self._transaction() as connection:
            return send(connection, statement)

    def close(self) -> None:
        """Close it; the next statement opens it anew."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with engine_errors():
            try:
                if self._connection is not None and self._connection.has_hung_up():
                    self.close()
                if self._connection is None:
                    self._connection = open_connection()
                command(self._connection, self._begin)
                yield self._connection
                command(self._connection, b"COMMIT")
            except BaseException:
                self.close()
                raise


@contextmanager
def holding_lock(statement: Statement[YesNo]) -> Iterator[bool]:
    """Keep a transaction open inside, on a connection of its own, for the lock that the statement takes in it: whether it did.

    Raises EngineUnreachable.
    """
    with engine_errors():
        connection = open_connection()
    try:
        with engine_errors():
            connection.autocommit = False
            ((is_ours,),) = send(connection, statement)
        yield is_ours
    finally:
        connection.close()


class Snapshot:
    """One moment of the database: what is committed while it lasts is not seen."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: Statement[R]) -> Iterator[R]:
        """The rows of a statement as they are wanted, a few in memory at a time. Raises EngineUnreachable."""
        name = f"rows_{next(self._numbers)}"
        with engine_errors(), psycopg.RawServerCursor(self._connection, name) as cursor:
            cursor.itersize = _ROWS_AT_A_TIME
            cursor.execute(statement.text.encode(), statement.params)
            yield from map(row_maker(statement.row), cursor)

    _numbers = itertools.count()


@contextmanager
def snapshot() -> Iterator[Snapshot]:
    """Read from one moment on, over a connection of its own, for as long as it takes. Raises EngineUnreachable."""
    with engine_errors():
        connection = open_connection()
    try:
        connection.autocommit = False
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        yield Snapshot(connection)
    finally:
        connection.close()


def release_connection() -> None:
    """Give the ORM's connection back before waiting for somebody slow, such as a client that takes or sends a file.

    What comes after takes one from the pool for each statement, or opens another. In a transaction nothing happens, nor in an
    event loop, where nobody has one.
    """
    if engine_waits.current().is_in_loop:
        return
    orm = _orm()
    if orm.connection is not None and not orm.in_atomic_block:
        orm.close()


class _EngineErrors:
    """A context without a state of its own: one of a generator is made anew for each statement, and ended by an exception."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, psycopg.Error) and (named := name_failure(error)) is not None:
            count_failure(error)
            raise named() from error


_engine_errors = _EngineErrors()


def engine_errors() -> AbstractContextManager[None]:
    """Turn what the driver raises about the engine's state into a named error. The ORM raises named errors by itself."""
    return _engine_errors


def open_connection() -> Connection:
    """A connection as Django configures it, but committing every statement."""
    return Connection.open_ours(**django_connection.get_connection_params(), autocommit=True)
