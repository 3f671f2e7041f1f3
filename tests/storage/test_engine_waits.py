"""A request's waits for its engines count together: what is used up by one is missing for the next, whatever it waits for."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import connection as django_connection
from django.db import transaction

from storage import engine_waits
from storage.collections.key_limits import Allowance
from storage.collections.sql.key_limits import KeyLimits
from storage.errors import EngineUnreachable
from storage.postgres.connections import Connection, Pool
from storage.postgres.database import engine_errors, one_connection, run, taking_time
from storage.postgres.statements import Statement
from storage.s3 import blobs, transfer_slots

pytestmark = pytest.mark.usefixtures("database")

SLEEP: Statement[Any] = Statement("SELECT pg_sleep($1::float8)::text", [0.6], tuple)
ONE: Statement[Any] = Statement("SELECT $1::int", [1], tuple)


@pytest.fixture
def budget() -> Iterator[engine_waits.Budget]:
    """This thread answers a request that may wait for a second."""
    made = engine_waits.Budget(1.0)
    engine_waits.begin(made)
    yield made
    engine_waits.end()
    django_connection.close()
    assert run(ONE) == [(1,)]


def _cursor() -> None:
    with django_connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.6)")


def _transaction() -> None:
    with transaction.atomic():
        run(SLEEP)


STATEMENTS = [lambda: run(SLEEP), _cursor, _transaction]


@pytest.mark.parametrize("wait", STATEMENTS, ids=["statement", "cursor", "transaction"])
def test_statements_that_are_each_in_time_are_not_all_made(
    budget: engine_waits.Budget, wait: Callable[[], object]
) -> None:
    made = 0

    def make_all() -> None:
        nonlocal made
        for _ in range(4):
            wait()
            made += 1

    with pytest.raises(EngineUnreachable), engine_errors():
        make_all()
    assert made < 2
    assert budget.left < 0.5


def test_transaction_that_has_waited_too_long_is_undone(budget: engine_waits.Budget) -> None:
    def change() -> None:
        with transaction.atomic():
            run(Statement("CREATE TABLE tried (id int)", [], tuple))
            budget.left = 0.4

    with pytest.raises(EngineUnreachable):
        change()
    engine_waits.end()
    assert run(Statement("SELECT to_regclass('tried')::text", [], tuple)) == [(None,)]


def _turn_for_a_connection() -> None:
    Pool(0).take(lambda: pytest.fail("there is no place for one"))


def _new_connection() -> None:
    Connection.open(**django_connection.get_connection_params())


def _slot_to_move_a_file() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer_slots, "_places", threading.Semaphore(0))
        transfer_slots.take_share()


def _turn_for_a_key() -> None:
    limited = Allowance(KeyLimits(b"", 0, 1, None, 0))
    with limited._taking:
        limited.take_request()


TURNS = [_turn_for_a_connection, _slot_to_move_a_file, _turn_for_a_key]


@pytest.mark.parametrize("wait", TURNS, ids=lambda wait: wait.__name__)
def test_waiting_for_a_turn_counts_as_well(budget: engine_waits.Budget, wait: Callable[[], None]) -> None:
    with pytest.raises(EngineUnreachable), engine_errors():
        wait()
    assert budget.left < 0.5


ASKED = [lambda: run(ONE), _cursor, _new_connection, lambda: blobs.find_size(uuid.uuid4())]


@pytest.mark.parametrize("ask", ASKED, ids=["statement", "cursor", "connection", "S3"])
def test_nothing_is_asked_when_nothing_is_left(budget: engine_waits.Budget, ask: Callable[[], object]) -> None:
    budget.left = 0.4
    with pytest.raises(EngineUnreachable), engine_errors():
        ask()
    assert budget.left > 0.3


def test_asking_s3_counts(budget: engine_waits.Budget) -> None:
    assert blobs.find_size(uuid.uuid4()) is None
    assert budget.left < 1.0


@pytest.mark.parametrize("takes_time", [True, False])
def test_what_is_long_by_nature_has_a_time_of_its_own(budget: engine_waits.Budget, takes_time: bool) -> None:
    def work() -> None:
        with transaction.atomic(), taking_time(60) if takes_time else nullcontext():
            for _ in range(3):
                run(SLEEP)

    django_connection.close()
    with one_connection():
        django_connection.connection.answer_seconds = 0.5
        if takes_time:
            work()
            assert run(Statement("SELECT current_setting('statement_timeout')", [], tuple)) != [("1min",)]
            assert django_connection.connection.answer_seconds == 0.5
        else:
            with pytest.raises(EngineUnreachable):
                work()


def test_other_threads_have_all_the_time(budget: engine_waits.Budget) -> None:
    budget.left = 0.0
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(run(ONE)))
    thread.start()
    thread.join()
    assert found == [[(1,)]]
