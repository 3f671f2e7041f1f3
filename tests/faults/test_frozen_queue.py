"""A database that says nothing more to the queue of jobs: neither those who ask for one nor the worker wait for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest
from django.db import connection as django_connection
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException

from storage import jobs
from storage.errors import EngineUnreachable
from storage.postgres import queue_connections
from storage.postgres.database import one_connection
from tests import awaiting
from tests.faults.proxy import FaultProxy
from tests.waiting import MOMENT_SECONDS, NOTHING_SECONDS


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_connections, "ANSWER_SECONDS", 0.5)


def with_worker(work: Callable[[Any], Awaitable[None]]) -> None:
    """Do it with what a worker reaches its queue by."""

    async def open_and_work() -> None:
        assert isinstance(app.connector, queue_connections.QueueConnector)
        connector = app.connector.get_worker_connector()
        await connector.open_async()
        try:
            await work(connector)
        finally:
            await connector.close_async()

    async def work_in_time() -> None:
        await asyncio.wait_for(open_and_work(), MOMENT_SECONDS)

    awaiting.run(work_in_time())


def test_the_worker_is_told_that_its_queue_does_not_answer(postgres_proxy: FaultProxy) -> None:
    async def ask(connector: Any) -> None:
        assert await connector.execute_query_one_async("SELECT 1 AS one") == {"one": 1}
        postgres_proxy.hold()
        try:
            with pytest.raises(ConnectorException):
                await connector.execute_query_one_async("SELECT 1 AS one")
        finally:
            postgres_proxy.release()

    with_worker(ask)


def test_a_worker_in_the_middle_of_a_question_is_told_so_too(postgres_proxy: FaultProxy) -> None:
    async def ask(connector: Any) -> None:
        async with connector.pool.connection() as connection:
            with pytest.raises(queue_connections.NoAnswer):
                await connection.execute("SELECT pg_sleep(60)")
            assert connection.closed

    with_worker(ask)


def test_whoever_listens_waits_for_as_long_as_it_takes(postgres_proxy: FaultProxy) -> None:
    async def listen(connector: Any) -> None:
        async with connector._get_standalone_connection() as connection:
            await connection.execute("LISTEN tried")
            async with aclosing(connection.notifies()) as notifications:
                heard = asyncio.ensure_future(anext(notifications))
                await asyncio.sleep(queue_connections.ANSWER_SECONDS + NOTHING_SECONDS)
                assert not heard.done()
                await connector.execute_query_async("SELECT pg_notify('tried', 'x')")
                assert (await heard).payload == "x"
            await connection.execute("SELECT 1")

    with_worker(listen)


def test_a_job_that_is_asked_for_waits_no_longer_than_others(postgres_proxy: FaultProxy) -> None:
    with one_connection():
        django_connection.connection.answer_seconds = 0.5
        postgres_proxy.hold()
        with pytest.raises(EngineUnreachable):
            jobs.start(jobs.tidy_copies)
        postgres_proxy.release()
    jobs.start(jobs.tidy_copies)
