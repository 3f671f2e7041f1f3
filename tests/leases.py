"""Kinds of work that the tests keep from the server's own worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from storage.postgres.work_leases import leased
from tests.waiting import MOMENT_SECONDS


@contextmanager
def holding(work: str) -> Iterator[None]:
    """Have this kind of work, as soon as whoever has it is done."""
    began = time.monotonic()
    while True:
        with leased(work) as is_ours:
            if is_ours:
                yield
                return
        assert time.monotonic() - began < MOMENT_SECONDS, f"{work} was not to be had"
        time.sleep(0.05)
