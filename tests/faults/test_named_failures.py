"""Which errors of the driver are the engine's state, and that none of them hides behind another's name."""

import psycopg
import pytest
from psycopg import errors as pg

from console.accounts.sessions import SessionStore
from storage import jobs
from storage.errors import DiskFull, EngineUnreachable
from storage.models import Recording
from storage.postgres.failures import name_failure
from tests.faults.proxy import FaultProxy

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


def test_session_that_could_not_be_saved_is_not_taken_for_one_that_ended(postgres_proxy: FaultProxy) -> None:
    session = SessionStore()
    session.create()
    session["tried"] = 1
    with postgres_proxy.fault("reset", "to the engine", 1), pytest.raises(EngineUnreachable):
        session.save()
    session.save()


def test_job_that_could_not_be_queued_says_why(postgres_proxy: FaultProxy) -> None:
    with postgres_proxy.fault("reset", "to the engine", 1), pytest.raises(EngineUnreachable):
        jobs.start(jobs.tidy_copies)
    jobs.start(jobs.tidy_copies)
