"""Supervisors for tests: one that many share, and ones of their own for those that break it."""

import contextlib
from collections.abc import Callable, Iterator, Sequence

import pytest

from storage.embedded.micros.surroundings import Bounds
from tests.embedded.micros.stand import Settings, Stand
from tests.engines import make_data_folder, remove_data_folder

# A request may take long on a busy machine, and what ends with its time is tried with one that is short.
BRISK = Bounds(request_seconds=4.0, start_seconds=20.0, build_seconds=120.0, memory_bytes=128 * 1_048_576)


@contextlib.contextmanager
def making_stands() -> Iterator[Callable[..., Stand]]:
    with contextlib.ExitStack() as stack:

        def make(settings: Settings | None = None, *, around: Sequence[str] = ()) -> Stand:
            folder = make_data_folder()
            stack.callback(remove_data_folder, folder)
            stand = Stand(folder, settings or Settings(bounds=BRISK), around=around).start()
            stack.callback(stand.stop)
            return stand

        yield make


@pytest.fixture
def make_stand() -> Iterator[Callable[..., Stand]]:
    with making_stands() as make:
        yield make


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    """One for all; each test has Micros of its own."""
    with making_stands() as make:
        yield make()


@pytest.fixture
def brisk_start() -> Settings:
    """For a supervisor that waits two seconds for a start."""
    return Settings(bounds=Bounds(start_seconds=2.0))
