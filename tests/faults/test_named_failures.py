"""Which errors of the driver are the engine's state, and that none of them hides behind another's name."""

from typing import Any, get_args

import psycopg
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection as django_connection
from django.db import transaction
from django.test import RequestFactory
from psycopg import errors as pg

from console import error_views
from console.accounts.sessions import SessionStore
from storage import jobs
from storage.errors import CollectionNotFound, DiskFull, EngineUnreachable
from storage.models import Base, DataKey, Drive, Recording
from storage.postgres.failures import OrmCollectionNotFound, name_failure
from tests.faults.proxy import Direction, FaultProxy, Kind

LOST = [
    psycopg.DatabaseError("could not send data to server: Broken pipe"),
    psycopg.OperationalError("server closed the connection unexpectedly"),
    psycopg.InterfaceError("the connection is closed"),
    pg.ConnectionFailure(),
    pg.ConnectionDoesNotExist(),
    pg.ProtocolViolation(),
    pg.AdminShutdown(),
    pg.CrashShutdown(),
    pg.CannotConnectNow(),
    pg.IdleSessionTimeout(),
    pg.TooManyConnections(),
    pg.QueryCanceled(),
    pg.DeadlockDetected(),
    pg.ReadOnlySqlTransaction(),
]
DEFECTS = [
    psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"),
    psycopg.ProgrammingError("the query has 2 placeholders but 1 parameters were passed"),
    pg.UniqueViolation(),
    pg.UndefinedTable(),
    pg.DivisionByZero(),
    ValueError(),
]


@pytest.mark.parametrize("error", LOST, ids=repr)
def test_lost_connection_is_the_engines_state(error: Exception) -> None:
    assert name_failure(error) is EngineUnreachable


@pytest.mark.parametrize("error", DEFECTS, ids=repr)
def test_defect_stays_one(error: Exception) -> None:
    assert name_failure(error) is None


def test_full_disk_has_a_name_of_its_own() -> None:
    assert name_failure(pg.DiskFull()) is DiskFull


def test_orm_says_it_by_name(postgres_proxy: FaultProxy) -> None:
    with postgres_proxy.fault("reset", "to the engine", 1), pytest.raises(EngineUnreachable):
        Recording.objects.count()
    assert Recording.objects.count() >= 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    "model, values",
    [
        (DataKey, {"name": "a", "digest": b"a" * 32, "secret_start": "a", "secret_end": "b", "can_write": True}),
        (Base, {"name": "a"}),
        (Drive, {"name": "a"}),
        (Recording, {}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_written_into_a_collection_that_is_gone_by_now_finds_none(model: Any, values: dict[str, Any]) -> None:
    """The look at the collection and the write are two statements; deleting it may come between them."""
    with pytest.raises(CollectionNotFound, match="deleted in the meantime"), transaction.atomic():
        model.objects.create(collection_id="0000000000", **values)


def test_page_that_finds_its_collection_gone_says_so(rf: RequestFactory) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()
    try:
        raise OrmCollectionNotFound("The collection was deleted in the meantime")
    except OrmCollectionNotFound:
        assert error_views.server_error(request).status_code == 404


def test_session_that_could_not_be_saved_is_not_taken_for_one_that_ended(postgres_proxy: FaultProxy) -> None:
    session = SessionStore()
    session.create()
    session["tried"] = 1
    with postgres_proxy.fault("reset", "to the engine", 1), pytest.raises(EngineUnreachable):
        session.save()
    session.save()


@pytest.mark.parametrize("kind", ["cut", "reset"])
@pytest.mark.parametrize("direction", get_args(Direction))
def test_job_that_could_not_be_queued_says_why(postgres_proxy: FaultProxy, direction: Direction, kind: Kind) -> None:
    """Wherever the connection breaks: as it is made, while the job is queued, at the transaction's end."""

    def start() -> None:
        jobs.start(jobs.tidy_copies)
        django_connection.close()

    start()
    with postgres_proxy.counting() as passed:
        start()
    total = passed.to_engine if direction == "to the engine" else passed.from_engine
    refused = 0
    for place in range(1, total, max(1, total // 20)):
        with postgres_proxy.fault(kind, direction, place):
            try:
                start()
            except EngineUnreachable:
                refused += 1
                django_connection.close()
    assert refused
    start()
