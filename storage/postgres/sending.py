"""Sends one statement to Postgres and waits for its rows in a single call of the client library, until a deadline.

psycopg's cursors talk to the server in steps, and at each of them the thread lets others run and then waits for its turn: with
sixteen requests at once that was a sixth of the cost of a GET. Here it does so once, while the server is at work; `deadlines.py`
ends a wait that lasts too long. In return, Ctrl-C takes effect only when the statement has ended.

Several statements at once go out as one message and are waited for once (`send_together`).
"""

import select
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from hashlib import blake2b
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from psycopg import abc, capabilities, generators
from psycopg.adapt import PyFormat
from psycopg.errors import ReadOnlySqlTransaction, error_from_result
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult

from storage.postgres import slow_statements
from storage.postgres.connections import Connection
from storage.postgres.deadlines import wait_for_result
from storage.postgres.statements import R, Statement

# A statement with more values is a query put together by a caller: hardly ever sent twice, so not worth keeping.
_PREPARED_MAX_PARAMS = 60
# Kept by a connection; each takes memory on the server. The oldest goes first.
_PREPARED_MAX = 100
_READ_ONLY = (ReadOnlySqlTransaction.sqlstate or "").encode()
# An older client library has no message for it.
_CAN_CLOSE = capabilities.has_send_close_prepared()

_Types = tuple[int, ...]
_Ready = tuple[bytes, Sequence[abc.Buffer | None], Sequence[int]]
_Names = dict[tuple[str, _Types], bytes]
_names_of: WeakKeyDictionary[Connection, _Names] = WeakKeyDictionary()


class Sent(NamedTuple):
    """The rows of a statement that was sent with others, and the types of its values."""

    rows: list[Any]
    types: Sequence[int]


class NotTogether(Exception):
    """Of statements that were sent together the one at this `place` failed; where it is None, what ended them all.

    None of them did anything, and the connection is as it was.
    """

    def __init__(self, place: int | None) -> None:
        super().__init__(place)
        self.place = place


def send(connection: Connection, statement: Statement[R]) -> list[R]:
    """All rows of a statement. Raises the same errors as a cursor.

    It begins a transaction where a cursor would. No cursor of the connection may prepare statements, as Django's do not: psycopg
    would make the server forget these with its own.
    """
    try:
        return _send(connection, statement)
    except ReadOnlySqlTransaction:
        connection.is_read_only = True
        raise


def _send(connection: Connection, statement: Statement[R]) -> list[R]:
    transformer = connection.transformer
    text, params, _ = statement
    values = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
    pgconn = connection.pgconn
    if not connection.autocommit and pgconn.transaction_status == TransactionStatus.IDLE:
        command(connection, b"BEGIN")
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
    connection.refuse_unconfirmed()
    if result.status != ExecStatus.TUPLES_OK:
        _nothing(pgconn, result)
        return []
    return _rows(transformer, result, statement)


def _rows(transformer: abc.Transformer, result: PGresult, statement: Statement[R]) -> list[R]:
    transformer.set_pgresult(result)
    rows = transformer.load_rows(0, result.ntuples, row_maker(statement.row))
    # It lives as long as the connection, and a result may be large.
    transformer.set_pgresult(None)
    return rows


def send_together(connection: Connection, statements: Sequence[Statement[Any]]) -> list[Sent]:
    """What several statements have to say, done in one transaction: all of them or none. The connection commits by itself.

    Raises NotTogether; else an error of psycopg's, on a connection that is closed, when nobody knows whether they were done.
    """
    transformer = connection.transformer
    types, ready = list[_Types](), list[_Ready]()
    for place, (text, params, _) in enumerate(statements):
        try:
            values = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
            types.append(transformer.types or ())
            name = _prepared(connection, text, types[-1])
        except psycopg.Error:
            if connection.closed:
                raise
            raise NotTogether(place) from None
        ready.append((name, values, transformer.formats or ()))
    pgconn = connection.pgconn
    try:
        results = wait_for_result(pgconn, connection.answer_seconds, _pipeline, pgconn, ready)
    except BaseException:
        if pgconn.pipeline_status != PipelineStatus.OFF:
            pgconn.finish()
        raise
    connection.refuse_unconfirmed()
    for place, result in enumerate(results):
        if result.status != ExecStatus.TUPLES_OK:
            connection.is_read_only = result.error_field(DiagnosticField.SQLSTATE) == _READ_ONLY
            raise NotTogether(place if place < len(statements) else None)
    rows = (_rows(transformer, *each) for each in zip(results, statements, strict=True))
    return [Sent(*each) for each in zip(rows, types, strict=True)]


def _pipeline(pgconn: PGconn, ready: Sequence[_Ready]) -> list[PGresult]:
    """Without a mark between them the server takes the statements for one transaction, and answers all of them at once.

    The results up to the mark behind them; one more where the commit failed. No call holds up other threads: the driver's
    connections don't block, and what takes time is waited for here.
    """
    pgconn.enter_pipeline_mode()
    for name, values, formats in ready:
        pgconn.send_query_prepared(name, values, formats)
    pgconn.pipeline_sync()
    waiting = select.poll()
    results: list[PGresult] = []
    while True:
        waiting.register(pgconn.socket, select.POLLIN | (select.POLLOUT if pgconn.flush() else 0))
        waiting.poll()
        pgconn.consume_input()
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                if pgconn.status != ConnStatus.OK:
                    raise psycopg.OperationalError("the connection was lost")
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                pgconn.exit_pipeline_mode()
                return results
            results.append(result)


def command(connection: Connection, text: bytes) -> None:
    """Run what has neither values nor rows, several statements with semicolons between them. Raises as `send` does."""
    pgconn = connection.pgconn
    _nothing(pgconn, wait_for_result(pgconn, connection.answer_seconds, pgconn.exec_, text))


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
        _forget(connection, names.pop(next(iter(names))))
    # By what it says: were a server ever to know it from somebody else, it would be the same statement.
    name = b"s" + blake2b(f"{types} {statement}".encode(), digest_size=16).hexdigest().encode()
    _nothing(
        pgconn, wait_for_result(pgconn, connection.answer_seconds, pgconn.prepare, name, statement.encode(), types)
    )
    names[statement, types] = name
    return name


def _forget(connection: Connection, name: bytes) -> None:
    if not _CAN_CLOSE:
        command(connection, b"DEALLOCATE " + name)
        return
    # A pooler that knows prepared statements by their messages does not read this from SQL. In steps, as the driver's call for it
    # would keep all other threads waiting as well.
    connection.pgconn.send_close_prepared(name)
    (result,) = connection.wait(generators.execute(connection.pgconn))
    _nothing(connection.pgconn, result)


def _nothing(pgconn: PGconn, result: PGresult) -> None:
    """Raises the error of a result, unless it is one of a statement that has no rows."""
    if result.status == ExecStatus.COMMAND_OK:
        return
    if pgconn.status != ConnStatus.OK or not result.error_field(DiagnosticField.SQLSTATE):
        # It is the client library's: the server gives every error of its own a code.
        raise psycopg.OperationalError(result.get_error_message())
    raise error_from_result(result)
