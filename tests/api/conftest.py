"""Every test of the public API gets a collection of its own; the connections are shared."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import pytest

from tests.drives import DriveClient, make_drive
from tests.factories import BaseClient, close_connections, make_client
from tests.sweeping import repair_now


@pytest.fixture
def client(server: Any, database: None) -> BaseClient:
    """A client of a Base that does not exist yet, with a key that may do everything in its collection."""
    return make_client(server)


@pytest.fixture(scope="session", autouse=True)
def _connections() -> Iterator[None]:
    yield
    close_connections()


@pytest.fixture
def drive(server: Any, database: None) -> DriveClient:
    """A client of a Drive that does not exist yet, with a key that may do everything in its collection."""
    return make_drive(server)


@pytest.fixture(scope="module")
def clean_bucket(server: Any) -> None:
    """Whatever ran before, on this run's server: those who write without a commit leave their bytes behind."""
    repair_now()


@pytest.fixture
def without_s3(server: Any) -> Iterator[None]:
    """SeaweedFS killed, and nobody there to start it again until the test is over."""
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        for engine in server.children("weed"):
            engine.kill()  # and not waited for: who would take note of its end is stopped
        yield
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    server.wait_ready()


@pytest.fixture
def with_frozen_s3(server: Any) -> Iterator[None]:
    """SeaweedFS takes connections and says nothing."""
    engines = server.children("weed")
    for engine in engines:
        engine.suspend()
    try:
        yield
    finally:
        for engine in engines:
            engine.resume()
    server.wait_ready()
