"""Carries a plan out: several files at a time, and what goes wrong with one holds up no other.

What would go wrong with every file ends it at once: a lost connection, a right that is missing, a full disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Callable, Optional

from deta.cli.drives.plan import Step
from deta.errors import BadRequest, DetaError, FileChanged, NotFound

PARALLEL_FILES = 8
# A large file has threads of its own, and so much of it is in memory.
LARGE_BYTES = 10 * 1024 * 1024


@dataclass
class Outcome:
    """Files that were moved, their bytes, and the names of those that could not be, with the reason."""

    moved: int = 0
    size: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def carry_out(
    steps: Iterable[Step], move: Callable[[Step], None], *, done: Callable[[Step, Optional[str]], object]
) -> Outcome:
    """Move every file; `done` hears of each, with the reason where it failed. Raises DetaError for what concerns all of them."""
    outcome = Outcome()
    ordered = sorted(steps, key=lambda step: step.size > LARGE_BYTES)
    small = [step for step in ordered if step.size <= LARGE_BYTES]
    _in_parallel(iter(small), PARALLEL_FILES, move, outcome, done)
    _in_parallel(iter(ordered[len(small) :]), 1, move, outcome, done)
    return outcome


def _in_parallel(
    steps: Iterable[Step],
    threads_wanted: int,
    move: Callable[[Step], None],
    outcome: Outcome,
    done: Callable[[Step, Optional[str]], object],
) -> None:
    waiting = iter(steps)
    with ThreadPoolExecutor(threads_wanted) as threads:
        running: dict[Future[None], Step] = {}
        try:
            while True:
                for step in islice(waiting, 2 * threads_wanted - len(running)):
                    running[threads.submit(move, step)] = step
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    step = running.pop(future)
                    why = _why_failed(future)
                    if why is None:
                        outcome.moved += 1
                        outcome.size += step.size
                    else:
                        outcome.failed[step.name] = why
                    done(step, why)
        finally:
            for future in running:
                future.cancel()


def _why_failed(future: Future[None]) -> Optional[str]:
    try:
        future.result()
    except (FileChanged, BadRequest, NotFound) as error:
        return ". ".join(error.errors[1:] or error.errors) or str(error)
    except OSError as error:
        if isinstance(error, DetaError):
            raise
        return error.strerror or str(error)
    return None
