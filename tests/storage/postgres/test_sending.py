"""Statements that are sent in one call: the rows, the errors and the state of the connection are those of a cursor."""

import re
from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection as django_connection
from django.db import transaction
from psycopg import errors

from storage.models import Recording
from storage.postgres import sending
from storage.postgres.connections import Connection
from storage.postgres.database import one_connection, run
from storage.postgres.sending import send
from storage.postgres.statements import Statement
from tests.serving import ROOT


@pytest.fixture
def connection(database: None) -> Iterator[Connection]:
    opened = Connection.open(**django_connection.get_connection_params(), autocommit=True)
    yield opened
    opened.close()


def prepared(connection: Connection) -> int:
    ((count,),) = connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchall()
    return int(count)


def test_values_come_back_as_they_went(connection: Connection) -> None:
    values = ("a'b\\", None, 1, 2**40, 1.5, True, b"\x00\xff", ["x", None], "")

    (row,) = send(
        connection,
        Statement("SELECT $1::text, $2::text, $3, $4, $5, $6, $7::bytea, $8::text[], $9::text", values, tuple),
    )

    assert row == values


def test_values_of_other_types_are_taken_by_the_same_statement(connection: Connection) -> None:
    for value in (1, 70_000, 2**40, 1.5, None):
        assert send(connection, Statement("SELECT $1::float8 * 2", [value], tuple)) == [
            (None if value is None else value * 2,)
        ]


def test_a_connection_keeps_nothing_of_its_last_result(connection: Connection) -> None:
    send(connection, Statement("SELECT repeat('x', 1000)", [], tuple))

    assert connection.transformer.pgresult is None


def test_values_of_other_types_follow_each_other_on_a_connection(connection: Connection) -> None:
    for kind, value in (
        ("text", "a"),
        ("int", 1),
        ("int[]", [1, 70_000]),
        ("text[]", ["a", None]),
        ("int[]", []),
        ("float8[]", [None, 1.5]),
        ("int8[]", [2**40]),
        ("bytea", b"a"),
        ("text", "b"),
    ):
        assert send(connection, Statement(f"SELECT $1::{kind}", [value], tuple)) == [(value,)]


def test_statement_without_rows_has_none(connection: Connection) -> None:
    assert send(connection, Statement("SELECT 1 WHERE false", [], tuple)) == []
    assert send(connection, Statement("SET application_name = 'tried'", [], tuple)) == []


def test_more_values_than_are_worth_preparing(connection: Connection) -> None:
    numbers = list(range(sending._PREPARED_MAX_PARAMS + 1))
    holders = ", ".join(f"${number + 1}" for number in numbers)

    assert send(connection, Statement(f"SELECT {holders}", numbers, tuple)) == [tuple(numbers)]
    assert prepared(connection) == 0


def test_errors_are_those_of_a_cursor_and_spare_the_connection(connection: Connection) -> None:
    with pytest.raises(errors.DivisionByZero, match="division by zero") as raised:
        send(connection, Statement("SELECT 1 / $1", [0], tuple))
    assert raised.value.sqlstate == "22012"
    with pytest.raises(errors.UndefinedTable):
        send(connection, Statement("SELECT * FROM nowhere", [], tuple))
    assert send(connection, Statement("SELECT 1 / $1", [1], tuple)) == [(1,)]


def test_statements_are_kept_by_the_server_up_to_a_number(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_PREPARED_MAX", 3)
    for _ in range(2):
        for number in range(5):
            assert send(connection, Statement(f"SELECT {number} + $1", [1], tuple)) == [(number + 1,)]
    assert send(connection, Statement("SELECT 4 + $1", [1], tuple)) == [(5,)]
    assert prepared(connection) == 3


def test_statement_joins_the_transaction_that_was_begun(connection: Connection) -> None:
    with connection.transaction(force_rollback=True):
        send(connection, Statement("CREATE TEMP TABLE tried (a int)", [], tuple))
        send(connection, Statement("INSERT INTO tried VALUES ($1)", [1], tuple))
        assert send(connection, Statement("SELECT a FROM tried", [], tuple)) == [(1,)]
    with pytest.raises(errors.UndefinedTable):
        send(connection, Statement("SELECT a FROM tried", [], tuple))


def test_transaction_is_begun_where_a_cursor_would_begin_it(connection: Connection) -> None:
    connection.autocommit = False
    send(connection, Statement("CREATE TEMP TABLE tried (a int)", [], tuple))
    connection.commit()
    send(connection, Statement("INSERT INTO tried VALUES ($1)", [1], tuple))
    connection.rollback()
    assert send(connection, Statement("SELECT a FROM tried", [], tuple)) == []
    connection.rollback()


def test_prepared_statements_outlive_a_transaction_of_the_orm(database: None) -> None:
    """The pool's connections serve both."""
    for _ in range(3):
        with one_connection():
            assert run(Statement("SELECT $1::int", [1], tuple)) == [(1,)]
            with transaction.atomic():
                Recording.objects.count()
                run(Statement("SELECT $1::int", [1], tuple))
                transaction.set_rollback(True)
            assert run(Statement("SELECT $1::int", [1], tuple)) == [(1,)]


def test_lost_connection_is_told_each_time(connection: Connection) -> None:
    assert send(connection, Statement("SELECT $1", [1], tuple)) == [(1,)]
    with psycopg.connect(**django_connection.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
    for _ in range(3):
        with pytest.raises(psycopg.OperationalError) as raised:
            send(connection, Statement("SELECT $1", [1], tuple))
        assert raised.value.sqlstate is None
    connection.close()
    with pytest.raises(psycopg.OperationalError):
        send(connection, Statement("SELECT $1", [1], tuple))


def test_a_connection_that_the_server_has_ended_is_told_from_one_with_something_to_read(connection: Connection) -> None:
    other = Connection.open(**django_connection.get_connection_params(), autocommit=True)
    other.execute("LISTEN tried")
    connection.execute("NOTIFY tried")
    assert not other.has_hung_up()
    connection.execute("SELECT pg_terminate_backend(%s, 5000)", [other.info.backend_pid])
    assert other.has_hung_up()


@pytest.mark.parametrize("name", ["describe_prepared", "describe_portal", "close_prepared", "close_portal"])
def test_no_call_of_the_driver_keeps_all_threads_waiting(name: str) -> None:
    """These wait for the server's answer without letting other threads run, for ever if it is frozen; `send_` ones do not."""
    called = re.compile(rf"\.{name}\b")
    folders = (ROOT / "storage", ROOT / "console")
    assert [path for each in folders for path in each.rglob("*.py") if called.search(path.read_text())] == []
