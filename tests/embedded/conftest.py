"""Servers of their own for tests that break one: each in its own data folder, on its own ports."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from storage.embedded import ports
from tests.embedded.disks import SmallDisk, mounted
from tests.engines import make_data_folder, remove_data_folder
from tests.serving import Server


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """A folder that the engines' user can reach, unlike pytest's own temporary folders."""
    folder = make_data_folder()
    yield folder
    remove_data_folder(folder)


@contextlib.contextmanager
def making_servers() -> Iterator[Callable[..., Server]]:
    """What makes a server that isn't started yet; whatever was started is stopped at the end, and its folder removed."""
    with contextlib.ExitStack() as stack:

        def make(**environment: str) -> Server:
            http, https = ports.free_ports(2)
            folder = make_data_folder()
            stack.callback(remove_data_folder, folder)
            # What is read comes from the engines, which these tests are about, and not from copies.
            server = Server(folder, http, https, environment={"HOMEPORT_CACHE_MB": "0", **environment})
            # The test may have moved it to another data folder since.
            stack.callback(lambda: remove_data_folder(server.data))
            stack.callback(server.stop)
            return server

        yield make


@pytest.fixture
def make_server() -> Iterator[Callable[..., Server]]:
    with making_servers() as make:
        yield make


@pytest.fixture(scope="module")
def hardy_server() -> Iterator[Server]:
    """One for all tests of a module, each of which leaves it as well as it found it."""
    with making_servers() as make:
        server = make().start()
        server.wait_ready()
        yield server


@pytest.fixture
def own_server(make_server: Callable[..., Server]) -> Any:
    """One server of its own, started and ready."""
    server = make_server().start()
    server.wait_ready()
    return server


@pytest.fixture
def small_disk() -> Iterator[SmallDisk]:
    folder = make_data_folder()
    try:
        with mounted(folder, "size=900m,mode=711"):
            yield SmallDisk(folder)
    finally:
        remove_data_folder(folder)


@pytest.fixture
def serve_there(small_disk: SmallDisk, make_server: Callable[..., Server]) -> Callable[..., Server]:
    """Start a server whose data folder is the small disk."""

    def serve(**environment: str) -> Server:
        server = make_server(HOMEPORT_DATA=str(small_disk.folder), **environment)
        server.data = small_disk.folder
        server.start().wait_ready()
        return server

    return serve
