"""Where commits wait for a standby: one that it does not confirm in time is no success, whatever PostgreSQL says of it."""

import signal
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
from django.db import connection, transaction

from storage.embedded import postgres, state
from storage.errors import EngineUnreachable
from storage.history.sql import horizon as horizon_sql
from storage.postgres.database import one_connection, run
from storage.postgres.statements import NoRow, Statement
from tests.serving import Server, child_of_serve
from tests.waiting import eventually

SHORT = Statement("SET statement_timeout = 150", (), NoRow)
WRITE = Statement("INSERT INTO tried_commits VALUES (1)", (), NoRow)

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def waiting_in_vain(server: Server) -> Iterator[None]:
    """A server whose commits wait for a standby that there is none of."""
    kept = state.load(server.data)
    assert kept
    settings = postgres.folder(kept.home(server.data)) / "postgresql.auto.conf"
    before = settings.read_text()
    run(Statement("CREATE TABLE tried_commits (number int)", (), NoRow))
    try:
        settings.write_text(f"{before}synchronous_standby_names = 'nobody'\n")
        reload(server)
        eventually(commits_wait)
        yield
    finally:
        settings.write_text(before)
        reload(server)
        eventually(lambda: not commits_wait())
        run(Statement("DROP TABLE tried_commits", (), NoRow))


def reload(server: Server) -> None:
    child_of_serve(server, "postgres").send_signal(signal.SIGHUP)


def commits_wait() -> bool:
    """Whether PostgreSQL warns that a commit gave up; which of its processes knows the setting first, it does not say."""
    warnings: list[str | None] = []
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as other:
        other.add_notice_handler(lambda notice: warnings.append(notice.message_primary))
        other.execute("SET statement_timeout = 150")
        with suppress(psycopg.errors.QueryCanceled):
            other.execute("INSERT INTO tried_commits VALUES (0)")
    return bool(warnings)


def write_in_a_transaction() -> None:
    with transaction.atomic():
        run(SHORT)
        run(WRITE)


def write_by_the_orm() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 150")
        cursor.execute("INSERT INTO tried_commits VALUES (2)")


def test_a_commit_without_the_standbys_word_is_a_failure(waiting_in_vain: None) -> None:
    with one_connection():
        run(SHORT)
        with pytest.raises(EngineUnreachable):
            run(WRITE)
        assert connection.connection.closed
    with pytest.raises(EngineUnreachable):
        write_in_a_transaction()
    with pytest.raises(EngineUnreachable):
        write_by_the_orm()
    # The next request has a connection that works.
    assert run(Statement("SELECT 1", (), tuple)) == [(1,)]


def test_the_change_feed_waits_for_the_standby_too(waiting_in_vain: None) -> None:
    """Else a standby that takes over could draw the ids again that a cursor has passed by."""
    with one_connection():
        run(SHORT)
        with pytest.raises(EngineUnreachable):
            run(horizon_sql.draw_line(-1))
