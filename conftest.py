"""Fixtures for every test: one real server for the whole run, and its real database."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from pytest_django import DjangoDbBlocker

from tests.serving import Server

# No test measures speed: neither how long an example takes, nor how long it is to make.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def _no_loop_of_others(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with a browser leave their event loop running in this thread; those without begin as if they had come first."""
    if "playwright" in request.fixturenames:
        yield
        return
    loop = asyncio._get_running_loop()
    if loop is not None:
        # Django has another connection where a loop runs: it would be held all the while.
        connection.close()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(loop)


@pytest.fixture(scope="session")
def server(django_db_blocker: DjangoDbBlocker) -> Iterator[Server]:
    """`manage.py serve` on the run's own data folder, reached over HTTP as by a client.

    Its committed database is open to the tests as well, for the length of the run: what they prepare must be seen by the server.
    """
    running = Server(
        Path(os.environ["HOMEPORT_DATA"]),
        int(os.environ["HOMEPORT_PORT"]),
        int(os.environ["HOMEPORT_TLS_PORT"]),
        # As `HTTP_PROXY` is one: named like a header, and nobody's business.
        {"HTTP_OF_THE_SERVER": "a variable of the server's own"},
    ).start()
    try:
        running.wait_ready()
        with django_db_blocker.unblock():
            yield running
            connection.close()
    finally:
        running.stop()


@pytest.fixture(scope="session")
def django_db_setup(server: Server) -> None:
    """No test database of pytest-django's beside the server's."""


@pytest.fixture
def database(server: Server) -> None:
    """For tests that speak to the server's database directly, without HTTP."""
