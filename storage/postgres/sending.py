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
_Ready = tuple[Sequence[abc.Buffer | None], Sequence[int]]
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
    message = Message(connection, statements)
    try:
        wait_for_result(connection.pgconn, connection.answer_seconds, _exchange, message)
    except BaseException:
        message.give_up()
        raise
    return message.read()


class Message:
    """Several statements on their way to the server as one, and its answer to all of them.

    Without a mark between them the server takes the statements for one transaction, and answers all of them at once. One that the
    server does not know yet is told to it in the same message. No call waits: the driver's connections don't block.
    """

    def __init__(self, connection: Connection, statements: Sequence[Statement[Any]]) -> None:
        """Raises NotTogether for one whose values can't be sent; nothing was sent then."""
        transformer = connection.transformer
        self.connection, self._statements = connection, statements
        self._types = list[_Types]()
        self._ready = list[_Ready]()
        self._names = _known_names(connection)
        # Of each result that is to come: what is prepared, or None for the rows of the next statement.
        self._expected = list[tuple[str, _Types] | None]()
        self._results = list[PGresult]()
        for place, (_, params, _) in enumerate(statements):
            try:
                values = transformer.dump_sequence(params, [PyFormat.AUTO] * len(params))
            except psycopg.Error:
                raise NotTogether(place) from None
            self._types.append(transformer.types or ())
            self._ready.append((values, transformer.formats or ()))

    def begin(self) -> None:
        """Say all of it to the client library; `is_sent` says when it has left."""
        pgconn, names, expected = self.connection.pgconn, self._names, self._expected
        pgconn.enter_pipeline_mode()
        told = dict[tuple[str, _Types], bytes]()
        for (text, _, _), types, (values, formats) in zip(self._statements, self._types, self._ready, strict=True):
            key = (text, types)
            name = names.get(key) or told.get(key)
            if name is None and len(names) + len(told) >= _PREPARED_MAX:
                # A thread makes room, which takes a message of its own.
                pgconn.send_query_params(text.encode(), values, types, formats)
                expected.append(None)
                continue
            if name is None:
                name = told[key] = _name_of(text, types)
                pgconn.send_prepare(name, text.encode(), types)
                expected.append(key)
            pgconn.send_query_prepared(name, values, formats)
            expected.append(None)
        pgconn.pipeline_sync()

    def is_sent(self) -> bool:
        """Send what the socket takes; whether that was all of it."""
        return not self.connection.pgconn.flush()

    def take_in(self) -> bool:
        """Take in what has come; whether that was the end. Raises OperationalError when the connection was lost."""
        pgconn, results = self.connection.pgconn, self._results
        pgconn.consume_input()
        while not pgconn.is_busy():
            result = pgconn.get_result()
            if result is None:
                if pgconn.status != ConnStatus.OK:
                    raise psycopg.OperationalError("the connection was lost")
                continue
            if result.status == ExecStatus.PIPELINE_SYNC:
                pgconn.exit_pipeline_mode()
                return True
            results.append(result)
        return False

    def give_up(self) -> None:
        """Nobody waits for the rest of the answer, which could be taken for that to another."""
        if self.connection.pgconn.pipeline_status != PipelineStatus.OFF:
            self.connection.pgconn.finish()

    def read(self) -> list[Sent]:
        """What the statements have to say, once all of it was taken in. Raises as `send_together` does."""
        connection = self.connection
        connection.refuse_unconfirmed()
        said, failed = list[PGresult](), False
        for place, result in enumerate(self._results):
            prepares = self._expected[place] if place < len(self._expected) else None
            if result.status == ExecStatus.COMMAND_OK and prepares:
                self._names[prepares] = _name_of(*prepares)
            elif result.status != ExecStatus.TUPLES_OK:
                connection.is_read_only = result.error_field(DiagnosticField.SQLSTATE) == _READ_ONLY
                failed = True
                break
            else:
                said.append(result)
        if failed:
            raise NotTogether(len(said) if len(said) < len(self._statements) else None)
        transformer = connection.transformer
        rows = (_rows(transformer, *each) for each in zip(said, self._statements, strict=True))
        return [Sent(*each) for each in zip(rows, self._types, strict=True)]


def _exchange(message: Message) -> None:
    """Send a message and wait for all of its answer. No call holds up other threads; what takes time is waited for here."""
    message.begin()
    waiting = select.poll()
    while True:
        waiting.register(message.connection.pgconn.socket, select.POLLIN | (0 if message.is_sent() else select.POLLOUT))
        waiting.poll()
        if message.take_in():
            return


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
    names = _known_names(connection)
    name = names.get((statement, types))
    return name or _prepare(connection, names, statement, types)


def _known_names(connection: Connection) -> _Names:
    names = _names_of.get(connection)
    if names is None:
        names = _names_of[connection] = {}
    return names


def _name_of(statement: str, types: _Types) -> bytes:
    """By what it says: were a server ever to know it from somebody else, it would be the same statement."""
    return b"s" + blake2b(f"{types} {statement}".encode(), digest_size=16).hexdigest().encode()


def _prepare(connection: Connection, names: _Names, statement: str, types: _Types) -> bytes:
    pgconn = connection.pgconn
    if len(names) >= _PREPARED_MAX:
        _forget(connection, names.pop(next(iter(names))))
    name = _name_of(statement, types)
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
