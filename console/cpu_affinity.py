"""The processors of each web worker.

The threads of a worker take turns running Python. When a turn goes to a thread on another processor, all that they share has
to be fetched from that one's caches, and to wake it takes longer: left to themselves two workers on two processors
answered a quarter fewer GETs.
"""

import os
import sys
from contextlib import suppress


def find_processors() -> list[int]:
    """The numbers of those that this process may use; none where a process cannot be kept to some (macOS)."""
    return sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []


def share_of(worker: int, *, workers: int, processors: list[int]) -> list[int]:
    """Those for a worker, by its number from 0 on: as many as there can be without sharing, at least one."""
    return processors[worker % len(processors) :: workers]


def keep_to(processors: list[int]) -> None:
    """This thread, and all that it starts, from now on."""
    if sys.platform == "linux":
        # Were they taken from us meanwhile, a worker somewhere is better than none.
        with suppress(OSError):
            os.sched_setaffinity(0, processors)
