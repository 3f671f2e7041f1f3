"""Sends one statement to Postgres and waits for its rows in a single call of the client library, until a deadline.

psycopg's cursors talk to the server in steps, and at each of them the thread lets others run and then waits for its turn: with
sixteen requests at once that was a sixth of the cost of a GET. Here it does so once, while the server is at work; `deadlines.py`
ends a wait that lasts too long. In return, Ctrl-C takes effect only when the statement has ended.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from storage.postgres import slow_statements
from storage.postgres.connections import Connection
from storage.postgres.deadlines import wait_for_result
from storage.postgres.statements import R, Statement

# A statement with more values is a query put together by a caller: hardly ever sent twice, so not worth keeping.
_PREPARED_MAX_PARAMS = 60
# Kept by a connection; each takes memory on the server. The oldest goes first.
_PREPARED_MAX = 100

_Types = tuple[int, ...]
_Names = dict[tuple[str, _Types], bytes]
_names_of: WeakKeyDictionary[Connection, _Names] = WeakKeyDictionary()


def send(connection: Connection, statement: Statement[R]) -> list[R]:
    """All rows of a statement. Raises the same errors as a cursor.

    It begins a transaction where a cursor would. No cursor of the connection may prepare statements, as Django's do not: psycopg
    would make the server forget these with its own.
    """
    transformer = Transformer.from_context(connection)
    text, params, row = statement
    values = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
    pgconn = connection.pgconn
    if not connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
        _nothing(pgconn, wait_for_result(pgconn, connection.answer_seconds, pgconn.exec_, b"BEGIN"))
    began = time.monotonic()
    if len(values) <= _PREPARED_MAX_PARAMS:
        name = _prepared(connection, text, transformer.types or ())
        result = wait_for_result(
            pgconn, connection.answer_seconds, pgconn.exec_prepared, name, values, transformer.formats
        )
    else:
        arguments = (text.encode(), values, transformer.types, transformer.formats)
        result = wait_for_result(pgconn, connection.answer_seconds, pgconn.exec_params, *arguments)
    seconds = time.monotonic() - began
    if seconds >= slow_statements.SECONDS:
        slow_statements.slow_statements.note(text, transformer.types or (), seconds)
    if result.status != ExecStatus.TUPLES_OK:
        _nothing(pgconn, result)
        return []
    transformer.set_pgresult(result)
    return transformer.load_rows(0, result.ntuples, row_maker(row))


@cache
def row_maker(row: type[R]) -> Callable[[Sequence[Any]], R]:
    """How a row becomes its named tuple: without a step of Python, which `_make` would take for each."""
    return partial(tuple.__new__, row)


def _prepared(connection: Connection, statement: str, types: _Types) -> bytes:
    """The name by which the server knows the statement on this connection."""
    names = _names_of.get(connection)
    if names is None:
        names = _names_of[connection] = {}
    name = names.get((statement, types))
    return name or _prepare(connection, names, statement, types)


def _prepare(connection: Connection, names: _Names, statement: str, types: _Types) -> bytes:
    pgconn = connection.pgconn
    if len(names) >= _PREPARED_MAX:
        forget = b"DEALLOCATE " + names.pop(next(iter(names)))
        _nothing(pgconn, wait_for_result(pgconn, connection.answer_seconds, pgconn.exec_, forget))
    number = int(next(reversed(names.values()), b"s0")[1:]) + 1
    name = b"s%d" % number
    _nothing(
        pgconn, wait_for_result(pgconn, connection.answer_seconds, pgconn.prepare, name, statement.encode(), types)
    )
    names[statement, types] = name
    return name


def _nothing(pgconn: PGconn, result: PGresult) -> None:
    """Raises the error of a result, unless it is one of a statement that has no rows."""
    if result.status == ExecStatus.COMMAND_OK:
        return
    if pgconn.status != ConnStatus.OK or not result.error_field(DiagnosticField.SQLSTATE):
        # It is the client library's: the server gives every error of its own a code.
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)
