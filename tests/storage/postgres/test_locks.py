"""Kinds of work that one process does at a time, such as migrations, which others wait for."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from math import inf

import pytest
from django.core.management import CommandError
from django.db import connection

from console import serving
from storage.postgres import database, locks
from storage.postgres.sql import locks as locks_sql
from storage.postgres.statements import Statement
from tests.waiting import MOMENT_SECONDS, eventually

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def other_node() -> Iterator[ExitStack]:
    """Holds the lock of those who migrate, until it is closed."""
    with ExitStack() as holding:
        assert holding.enter_context(database.holding_lock(locks_sql.try_lock("migrations")))
        yield holding


def test_a_node_waits_while_another_migrates_and_says_so(other_node: ExitStack) -> None:
    told: list[str] = []
    ends: list[bool] = []

    def migrate() -> None:
        ends.append(serving.migrate_if_needed(told.append))
        connection.close()

    waiting = threading.Thread(target=migrate)
    waiting.start()
    eventually(lambda: told)
    assert not ends
    other_node.close()
    waiting.join(MOMENT_SECONDS)
    assert ends == [False]
    assert told == ["Another node brings the database up to date. This one waits for it ..."]


def test_the_wait_for_another_node_has_an_end(other_node: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MIGRATION_WAIT_SECONDS", 0.0)
    with pytest.raises(CommandError, match="Another node"):
        serving.migrate_if_needed(print)


def test_migrations_take_as_long_as_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: Statement[tuple[str]] = Statement("SELECT current_setting('statement_timeout')", [], tuple)
    with database.one_connection():
        (before,) = database.run(shown)
        assert before != ("0",)
        with database.unhurried():
            assert database.run(shown) == [("0",)]
            assert connection.connection.answer_seconds == inf
        assert database.run(shown) == [before]
        assert connection.connection.answer_seconds < inf


def test_a_lock_is_free_again_when_its_work_fails() -> None:
    def fail() -> None:
        with locks.in_turn("migrations", wait_seconds=0.0, tell=lambda: None):
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()
