"""Every test of the public API gets a collection of its own; the connections are shared."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.drives import DriveClient, make_drive
from tests.factories import BaseClient, close_connections, make_client


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
