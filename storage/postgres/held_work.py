"""The kinds of work that this thread has a lease on, looked at before each of its statements.

Renewing them, and their rows, are `work_leases.py`'s. No statement is sent for the look.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from storage.postgres.failures import OrmEngineUnreachable

# A clock that goes on while the machine is suspended, as the database's does.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class LeaseLost(OrmEngineUnreachable):
    """The work may be another's by now: it ends here, before it writes anything more."""


@dataclass(slots=True)
class Held:
    """A lease, and until when by `clock` it is ours for certain."""

    work: str
    holder: UUID
    good_until: float


class _ThisThread(threading.local):
    held: tuple[Held, ...] = ()


_this_thread = _ThisThread()


def clock() -> float:
    """Seconds since a moment that stays the same."""
    return time.clock_gettime(_CLOCK)


@contextmanager
def doing(held: Held) -> Iterator[None]:
    """What this thread does inside is done under this lease, and those around it."""
    before = _this_thread.held
    _this_thread.held = (*before, held)
    try:
        yield
    finally:
        _this_thread.held = before


def is_doing(work: str) -> bool:
    """Whether this thread has a lease on this work already."""
    return any(each.work == work for each in _this_thread.held)


def check() -> None:
    """Raises LeaseLost when this thread works under a lease that may have ended."""
    held = _this_thread.held
    if held and min(each.good_until for each in held) < clock():
        raise LeaseLost()
