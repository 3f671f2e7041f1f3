"""How much memory a process tree takes.

RSS counts a page once for every process that maps it, so Postgres's shared buffers count many times over; PSS splits a
shared page among those who share it and adds up to what the machine really gives. PSS exists on Linux alone and is
costly to read, so it is read between rounds, RSS within them.
"""

import threading
from collections.abc import Callable
from typing import Self

import psutil

SAMPLE_PAUSE_S = 0.5

Tree = Callable[[], list[psutil.Process]]


class PeakMemory:
    """The highest sums seen so far of one process tree; None for what was never read."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.rss_bytes = 0
        self.pss_bytes: int | None = None

    def sample_rss(self) -> None:
        self.rss_bytes = max(self.rss_bytes, rss_sum_bytes(self._tree()))

    def sample_pss(self) -> None:
        pss = _pss_sum_bytes(self._tree())
        if pss is not None:
            self.pss_bytes = max(self.pss_bytes or 0, pss)


class Watch:
    """Samples RSS in the background for the length of a `with` block, then PSS once."""

    def __init__(self, peak: PeakMemory) -> None:
        self._peak = peak
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._peak.sample_pss()

    def _run(self) -> None:
        while not self._over.wait(SAMPLE_PAUSE_S):
            self._peak.sample_rss()


def rss_sum_bytes(processes: list[psutil.Process]) -> int:
    """The sum of the processes' RSS; those that end meanwhile count as nothing."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _pss_sum_bytes(processes: list[psutil.Process]) -> int | None:
    total = 0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
        except AttributeError:
            return None
    return total
