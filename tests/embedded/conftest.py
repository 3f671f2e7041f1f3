"""Servers for tests that break one, and data folders for what is tried without."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.servers import making_servers
from tests.engines import make_data_folder, remove_data_folder
from tests.serving import Server

METRICS_TOKEN = "a-token-for-prometheus-0123456789"


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder that the engines' user can reach, unlike pytest's own temporary folders."""
    folder = make_data_folder()
    yield folder
    remove_data_folder(folder)


@pytest.fixture
def make_server() -> Iterator[Callable[..., Server]]:
    with making_servers() as make:
        yield make


@pytest.fixture(scope="package")
def hardy_server() -> Iterator[Server]:
    """One for all tests that break a server and leave it as well as they found it."""
    with making_servers() as make:
        server = make(HOMEPORT_METRICS_TOKEN=METRICS_TOKEN).start()
        server.wait_ready()
        yield server


@pytest.fixture
def own_server(make_server: Callable[..., Server]) -> Any:
    """One server of its own, started and ready."""
    server = make_server().start()
    server.wait_ready()
    return server
