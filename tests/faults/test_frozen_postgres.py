"""A database that says nothing more: every kind of wait for it ends in time, and that connection is not used again."""

import threading
import time
from collections.abc import Callable
from math import inf
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, transaction
from django.db import connection as django_connection

from storage.errors import EngineUnreachable
from storage.models import Recording
from storage.postgres import sending
from storage.postgres.connections import Connection
from storage.postgres.database import OwnConnection, engine_errors, one_connection, run, snapshot
from storage.postgres.statements import Statement
from tests.faults.proxy import FaultProxy
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS

Pause = Callable[[], None]
ONE: Statement[Any] = Statement("SELECT $1::int", [1], tuple)


def _statement(pause: Pause) -> None:
    with one_connection():
        run(ONE)
        pause()
        run(ONE)


def _new_statement(pause: Pause) -> None:
    with one_connection():
        run(ONE)
        pause()
        run(Statement("SELECT $1::int + 1", [1], tuple))


def _long_statement(pause: Pause) -> None:
    numbers = list(range(sending._PREPARED_MAX_PARAMS + 1))
    text = f"SELECT {', '.join(f'${number + 1}' for number in numbers)}"
    with one_connection():
        run(ONE)
        pause()
        run(Statement(text, numbers, tuple))


def _orm(pause: Pause) -> None:
    with one_connection():
        Recording.objects.count()
        pause()
        Recording.objects.count()


def _commit(pause: Pause) -> None:
    with transaction.atomic():
        Recording.objects.count()
        pause()


def _rollback(pause: Pause) -> None:
    with transaction.atomic():
        Recording.objects.count()
        pause()
        transaction.set_rollback(True)
    raise EngineUnreachable  # Django takes a rollback without an answer for one


def _rows(pause: Pause) -> None:
    with snapshot() as seen:
        rows = seen.rows(Statement("SELECT repeat('x', 100000) FROM generate_series(1, 1000)", [], tuple))
        next(rows)
        pause()
        list(rows)


def _own_connection(pause: Pause) -> None:
    own = OwnConnection(lock_timeout_ms=0)
    try:
        own.run(ONE)
        pause()
        own.run(ONE)
    finally:
        own.close()


def _connect(pause: Pause) -> None:
    pause()
    with snapshot():
        pass


def _connect_to_several(pause: Pause) -> None:
    options = django_connection.get_connection_params()
    options |= {"host": ",".join([options["host"]] * 16)}  # each gets two seconds or more
    pause()
    with engine_errors():
        Connection.open(**options)


WAITS = [
    _statement,
    _new_statement,
    _long_statement,
    _orm,
    _commit,
    _rollback,
    _rows,
    _own_connection,
    _connect,
    _connect_to_several,
]


def test_every_wait_for_a_frozen_database_ends_in_time(postgres_proxy: FaultProxy) -> None:
    """All at once, as each takes nearly five seconds."""
    reached = threading.Barrier(len(WAITS) + 1, timeout=MOMENT_SECONDS)
    frozen = threading.Barrier(len(WAITS) + 1, timeout=MOMENT_SECONDS)
    ends: dict[str, tuple[bool, float]] = {}

    def wait(perform: Callable[[Pause], None]) -> None:
        began = 0.0

        def pause() -> None:
            nonlocal began
            reached.wait()
            frozen.wait()
            began = time.monotonic()

        try:
            perform(pause)
        except Exception as error:
            ends[perform.__name__] = (isinstance(error, EngineUnreachable), time.monotonic() - began)
        finally:
            django_connection.close()

    threads = [threading.Thread(target=wait, args=(perform,)) for perform in WAITS]
    for thread in threads:
        thread.start()
    reached.wait()
    postgres_proxy.hold()
    frozen.wait()
    for thread in threads:
        thread.join(MOMENT_SECONDS)

    assert {name: is_named for name, (is_named, _) in ends.items()} == {perform.__name__: True for perform in WAITS}
    assert max(seconds for _, seconds in ends.values()) < PROMISED_SECONDS
    postgres_proxy.release()
    for _ in range(2):
        assert run(ONE) == [(1,)]


def test_overdue_connection_is_closed_and_a_patient_one_waits(postgres_proxy: FaultProxy) -> None:
    options = django_connection.get_connection_params() | {"autocommit": True}
    hasty, patient = Connection.open(**options), Connection.open(**options)
    hasty.answer_seconds, patient.answer_seconds = 0.5, inf
    answers: list[Any] = []
    postgres_proxy.hold()
    waiting = threading.Thread(target=lambda: answers.append(sending.send(patient, ONE)))
    waiting.start()
    with pytest.raises(psycopg.OperationalError):
        sending.send(hasty, ONE)
    assert hasty.closed
    assert hasty.pgconn.pgconn_ptr is None  # type: ignore[attr-defined]  # the protocol leaves it out
    assert not answers
    postgres_proxy.release()
    waiting.join(MOMENT_SECONDS)
    assert answers == [[(1,)]]
    patient.close()


def test_answer_that_comes_in_time_is_taken(postgres_proxy: FaultProxy) -> None:
    run(ONE)
    with postgres_proxy.fault("delay", "from the engine", 1, seconds=1.0) as fault:
        assert run(ONE) == [(1,)]
        assert fault.has_happened.is_set()


def test_transaction_without_an_answer_leaves_nothing_behind(postgres_proxy: FaultProxy) -> None:
    def freeze_within() -> None:
        with transaction.atomic():
            Recording.objects.count()
            postgres_proxy.hold()
            Recording.objects.count()

    with pytest.raises((DatabaseError, EngineUnreachable)):
        freeze_within()
    assert not django_connection.in_atomic_block
    postgres_proxy.release()
    assert Recording.objects.count() >= 0
