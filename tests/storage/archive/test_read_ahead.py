"""Reading on in another thread (see `storage/archive/exporting/read_ahead.py`)."""

import threading
import time
from collections.abc import Generator

import pytest

from storage.archive.exporting.read_ahead import read_ahead
from tests.waiting import NOTHING_SECONDS, eventually


class Source:
    """Numbers, with a note of how far it was read, by which threads, and whether it was closed."""

    def __init__(self, count: int, *, fails_at: int | None = None) -> None:
        self.given = 0
        self.threads: set[str] = set()
        self.is_closed = False
        self._count, self._fails_at = count, fails_at

    def read(self) -> Generator[int, None, None]:
        try:
            for number in range(self._count):
                self.threads.add(threading.current_thread().name)
                if number == self._fails_at:
                    raise ValueError("here")
                self.given += 1
                yield number
        finally:
            self.is_closed = True


@pytest.mark.parametrize("count", [0, 1, 3, 100])
def test_all_come_in_order_from_one_other_thread(count: int) -> None:
    source = Source(count)
    assert list(read_ahead(source.read(), 3)) == list(range(count))
    assert len(source.threads) == min(count, 1)
    assert threading.current_thread().name not in source.threads


def test_it_reads_ahead_and_no_further_than_asked() -> None:
    source = Source(100)
    pieces = read_ahead(source.read(), 3)
    assert next(pieces) == 0
    eventually(lambda: source.given == 4)
    time.sleep(NOTHING_SECONDS)
    # The one that is looked at, and those that wait behind it.
    assert source.given == 4
    pieces.close()


def test_an_error_comes_in_its_place() -> None:
    source = Source(10, fails_at=5)
    found: list[int] = []
    with pytest.raises(ValueError, match="here"):
        found.extend(read_ahead(source.read(), 3))
    assert found == [0, 1, 2, 3, 4]
    assert source.is_closed


def test_ended_early_it_closes_the_source() -> None:
    source = Source(100)
    pieces = read_ahead(source.read(), 3)
    next(pieces)
    pieces.close()
    assert source.is_closed
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")]
