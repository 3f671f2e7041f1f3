"""Servers with little patience, so that a test of a deadline need not wait for long."""

from collections.abc import Iterator

import pytest

from tests.api.conftest import client  # noqa: F401 (a fixture)
from tests.embedded.servers import making_servers
from tests.serving import Server

PATIENCE_SECONDS = 3


@pytest.fixture(scope="module")
def brisk_server() -> Iterator[Server]:
    """A server that waits three seconds for a client."""
    with making_servers() as make:
        server = make(HOMEPORT_CLIENT_TIMEOUT_SECONDS=str(PATIENCE_SECONDS)).start()
        server.wait_ready()
        yield server
