"""The one class Django looks for in a database backend."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType
from typing import Any

from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from django.db.utils import DatabaseErrorWrapper
from psycopg import IsolationLevel
from psycopg.errors import ReadOnlySqlTransaction

from storage.postgres import held_work, slow_statements
from storage.postgres.connections import Connection, pool
from storage.postgres.failures import name_orm_failure


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes a pooled connection when Django wants one, and gives it back when Django closes it.

    CONN_MAX_AGE stays 0: a request that has ended keeps no connection. What says that the engine is away or full leaves the ORM
    as a named error, for pages as for everything else.
    """

    # What the server does unless it is asked for another; Django asks for none.
    isolation_level = IsolationLevel.READ_COMMITTED

    @cached_property
    def wrap_database_errors(self) -> DatabaseErrorWrapper:
        return _NamedErrors(self)

    def make_cursor(self, cursor: Any) -> CursorWrapper:
        return _TimedCursor(cursor, self)

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        return pool.take(lambda: Connection.open_ours(**conn_params))

    def _close(self) -> None:
        if self.connection is not None:
            pool.give_back(self.connection)


class _TimedCursor(CursorWrapper):
    """Tells of a statement that takes long, whatever comes of it."""

    def execute(self, sql: Any, params: Any = None) -> Any:
        with self._timed():
            return super().execute(sql, params)

    def executemany(self, sql: Any, param_list: Any) -> Any:
        with self._timed():
            return super().executemany(sql, param_list)

    @contextmanager
    def _timed(self) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        finally:
            seconds = time.monotonic() - began
            if seconds >= slow_statements.SECONDS and (sent := self.cursor._query):
                slow_statements.slow_statements.note(sent.query.decode(), sent.types, seconds)


class _NamedErrors(DatabaseErrorWrapper):
    """Django turns the driver's errors into its own here."""

    wrapper: DatabaseWrapper

    def __enter__(self) -> None:
        held_work.check()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, ReadOnlySqlTransaction) and self.wrapper.connection is not None:
            self.wrapper.connection.is_read_only = True
        named = name_orm_failure(error)
        if named is not None:
            self.wrapper.errors_occurred = True
            raise named from error
        super().__exit__(kind, error, traceback)
