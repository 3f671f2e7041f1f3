"""Which connection a statement runs on."""

import asyncio

import pytest
from django.db import connection, transaction

from storage.postgres import database
from storage.postgres.database import run, run_one
from storage.postgres.statements import Statement, Total

WHO = Statement("SELECT pg_backend_pid()::bigint", [], Total)


@pytest.mark.usefixtures("database")
def test_a_statement_runs_in_the_transaction_of_its_thread_though_it_first_ran_within_an_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run_first() -> None:
        monkeypatch.setattr(database, "_this_thread", database._ThisThread())
        run(WHO)

    asyncio.run(run_first())

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert run_one(WHO) == cursor.fetchone()
