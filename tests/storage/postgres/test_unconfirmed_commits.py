"""Where commits wait for a standby: one that it does not confirm is no success, whatever PostgreSQL says of it."""

import signal
import threading
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest
from django.db import connection, transaction

from storage.embedded import postgres, state
from storage.errors import EngineUnreachable
from storage.history.sql import horizon as horizon_sql
from storage.postgres.connections import NotConfirmed
from storage.postgres.database import one_connection, run
from storage.postgres.gathering import answer_together, run_with_others
from storage.postgres.statements import NoRow, Statement
from tests.serving import Server, child_of_serve
from tests.waiting import eventually

WRITE = Statement("INSERT INTO tried_commits VALUES (1)", (), NoRow)

ANOTHER = "INSERT INTO tried_commits VALUES (0)"

pytestmark = pytest.mark.usefixtures("database")


class Canceller(threading.Thread):
    """Cancels whatever waits for a standby, as somebody might who looks at what hangs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.is_over, self.has_cancelled = threading.Event(), threading.Event()

    def run(self) -> None:
        with psycopg.connect(**connection.get_connection_params(), autocommit=True) as own:
            while not self.is_over.wait(0.05):
                found = own.execute("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchall()
                for pid in found:
                    own.execute("SELECT pg_cancel_backend(%s)", pid)
                    self.has_cancelled.set()


@pytest.fixture
def waiting_in_vain(server: Server) -> Iterator[None]:
    """A server whose commits wait for a standby that there is none of, until they are cancelled."""
    kept = state.load(server.data)
    assert kept
    settings = postgres.folder(kept.home(server.data)) / "postgresql.auto.conf"
    before = settings.read_text()
    # What was kept open by a test before would be used once it is closed, within one and the same request.
    connection.close()
    past_us("CREATE TABLE tried_commits (number int)")
    canceller = Canceller()
    canceller.start()
    try:
        settings.write_text(f"{before}synchronous_standby_names = 'nobody'\n")
        child_of_serve(server, "postgres").send_signal(signal.SIGHUP)
        eventually(lambda: past_us(ANOTHER) or canceller.has_cancelled.is_set())
        yield
    finally:
        settings.write_text(before)
        child_of_serve(server, "postgres").send_signal(signal.SIGHUP)

        def is_over() -> bool:
            canceller.has_cancelled.clear()
            past_us(ANOTHER)
            return not canceller.has_cancelled.is_set()

        eventually(is_over)
        canceller.is_over.set()
        canceller.join()
        past_us("DROP TABLE tried_commits")
        # Ours was closed under Django, which looks at it between requests alone.
        connection.close()


def past_us(statement: str) -> None:
    """Run it by somebody else's connection, for as long as it takes."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.execute("SET statement_timeout = 0")
        other.execute(statement.encode())


def write_in_a_transaction() -> None:
    with transaction.atomic():
        run(WRITE)


def write_by_the_orm() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO tried_commits VALUES (2)")


def write_with_others(place: str) -> EngineUnreachable | None:
    insert = Statement("INSERT INTO tried_commits VALUES (3) RETURNING 1", (), tuple)
    try:
        run_with_others(insert, writes=("", "", place))
    except EngineUnreachable as error:
        return error
    return None


def test_a_commit_without_the_standbys_word_is_a_failure(waiting_in_vain: None) -> None:
    with one_connection():
        with pytest.raises(EngineUnreachable) as met:
            run(WRITE)
        assert isinstance(met.value.__cause__, NotConfirmed)
        assert connection.connection.closed
    for write in (write_in_a_transaction, write_by_the_orm):
        with pytest.raises(EngineUnreachable) as met:
            write()
        assert isinstance(met.value.__cause__, NotConfirmed)
    connection.close()
    together = answer_together([partial(write_with_others, place) for place in "ab"])
    assert [type(error and error.__cause__) for error in together] == [NotConfirmed] * 2
    # The next request has a connection that works.
    assert run(Statement("SELECT 1", (), tuple)) == [(1,)]


def test_the_change_feed_waits_for_the_standby_too(waiting_in_vain: None) -> None:
    """Else a standby that takes over could draw the ids again that a cursor has passed by."""
    with pytest.raises(EngineUnreachable):
        run(horizon_sql.draw_line(-1))
