"""The job worker's connections to its queue, which are psycopg's asynchronous ones: none of them waits for ever either.

A worker whose queue does not answer ends, and is started again. Jobs are put into the queue over our other connections
(`connections.py`), as part of the transaction that asks for them.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from procrastinate.app import App
from procrastinate.connector import BaseAsyncConnector
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.utils import connector_params
from procrastinate.psycopg_connector import PsycopgConnector
from psycopg import Notify, errors
from psycopg.abc import PQGen

from storage import request_ids
from storage.postgres.deadlines import NoAnswer

if TYPE_CHECKING:
    # Only the job worker loads them.
    from procrastinate.job_context import JobContext
    from procrastinate.middleware import AsyncCallNext
    from procrastinate.worker import Worker

T = TypeVar("T")

# As long as others wait for a worker's sign of life. What is asked of the queue takes milliseconds.
ANSWER_SECONDS = 30.0
# One more listens. Each takes 4 MB of PostgreSQL's memory, and one is enough while little goes on: of those that were needed for
# a moment, one is closed each minute.
_CONNECTIONS_MAX = 4
_IDLE_SECONDS = 60.0


class QueueConnection(psycopg.AsyncConnection[Any]):
    """A connection whose answers come within a time. One that is overdue closes it, and who waits gets NoAnswer."""

    _is_listening = False

    async def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = None) -> T:
        """As psycopg's, but not for ever, unless it is for a notification, which may never come."""
        if timeout is not None or self._is_listening:
            return await super().wait(gen, interval, timeout)
        try:
            return await super().wait(gen, interval, ANSWER_SECONDS)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise NoAnswer("the database server did not answer in time") from None

    async def notifies(
        self, *, timeout: float | None = None, stop_after: int | None = None
    ) -> AsyncGenerator[Notify, None]:
        """As psycopg's. Whoever listens looks at times whether the server still answers."""
        self._is_listening = True
        try:
            async with aclosing(super().notifies(timeout=timeout, stop_after=stop_after)) as heard:
                async for notification in heard:
                    yield notification
        finally:
            self._is_listening = False


class QueueConnector(DjangoConnector):
    """Puts jobs into the queue as Django's does, and gives workers connections of ours."""

    def get_worker_connector(self) -> BaseAsyncConnector:
        return PsycopgConnector(
            kwargs=connector_params(self.alias),
            connection_class=QueueConnection,
            timeout=ANSWER_SECONDS,
            min_size=1,
            max_size=_CONNECTIONS_MAX,
            max_idle=_IDLE_SECONDS,
        )


def connect(app: App) -> None:
    """Have the queue use these connections, when Django is ready."""
    app.connector = app.job_manager.connector = QueueConnector()
    app.worker_defaults["worker_middleware"] = [name_job, *app.worker_defaults.get("worker_middleware", ())]


async def name_job(call_next: "AsyncCallNext", context: "JobContext", worker: "Worker") -> Any:
    """Have the log entries of a job name it."""
    # Each job runs in a task of its own, whose context ends with it.
    request_ids.job.set(f"{context.job.task_name} {context.job.id}")
    return await call_next()
