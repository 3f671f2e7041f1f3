"""Servers of their own for tests that break one: each in its own data folder, on its own ports."""

import contextlib
import sys
from collections.abc import Callable, Iterator

from storage.embedded import ports
from tests.embedded.disks import SmallDisk, mounted
from tests.engines import make_data_folder, remove_data_folder
from tests.serving import Server


@contextlib.contextmanager
def making_servers() -> Iterator[Callable[..., Server]]:
    """What makes a server that isn't started yet; whatever was started is stopped at the end, and its folder removed."""
    with contextlib.ExitStack() as stack:

        def make(**environment: str) -> Server:
            http, https = ports.free_ports(2)
            folder = make_data_folder()
            stack.callback(remove_data_folder, folder)
            # What is read comes from the engines, which these tests are about, and not from copies; few have Micros.
            chosen = {"HOMEPORT_CACHE_MB": "0", "HOMEPORT_MICROS": "false", **environment}
            server = Server(folder, http, https, environment=chosen)
            # The test may have moved it to another data folder since.
            stack.callback(lambda: remove_data_folder(server.data))
            stack.callback(server.stop)
            stack.push(lambda error, *_: _tell(server) if error else None)
            return server

        yield make


def _tell(server: Server) -> None:
    """Print what a server said, as the test that had it made fails: its log goes with it."""
    if server.log_path.exists():
        sys.stdout.write(f"What {server.url} said:\n{server.log}\n")


@contextlib.contextmanager
def serving_on_small_disk(**environment: str) -> Iterator[tuple[Server, SmallDisk]]:
    """A server of its own, started and ready, whose data folder is a small disk."""
    folder = make_data_folder()
    try:
        with mounted(folder, "size=900m,mode=711"), making_servers() as make:
            server = make(HOMEPORT_DATA=str(folder), **environment)
            server.data = folder
            server.start().wait_ready()
            yield server, SmallDisk(folder)
    finally:
        remove_data_folder(folder)
