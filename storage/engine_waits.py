"""How long a request may wait for the engines, all its waits together, so that a 503 comes within 5 seconds.

Each wait has an end of its own, but several in a row, each slow within its bound, would add up. So a thread that answers a
request begins with a budget. Whatever waits for PostgreSQL or S3, or for its turn at one of them, takes no longer than what is
left of it, and then takes off what it took. Threads that answer nobody, such as those of jobs and of downloads under way, have
no bound of this kind.

A thread may work on several requests in turns (`storage/postgres/gathering.py`): each has a context of its own.

An event loop waits for nobody. A request that is worked on there says so by its budget, and whatever would wait for an engine, or
for somebody who does, raises MustWait instead: then the request begins again in a thread.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf

from storage import limits


class MustWait(BaseException):
    """A request that is worked on in an event loop came to what has to be waited for. No error, so no Exception."""


class Budget:
    """What is `left` of a time, in seconds. One thread at a time uses it.

    `is_in_loop` says that it is that of a request in an event loop, where it `may_wait` only once there is no way back.
    """

    __slots__ = ("is_in_loop", "left", "may_wait")

    def __init__(self, seconds: float) -> None:
        self.left, self.is_in_loop, self.may_wait = seconds, False, True

    def begin(self, *, in_loop: bool) -> None:
        """The request begins, perhaps anew, in an event loop or in a thread."""
        self.is_in_loop, self.may_wait = in_loop, not in_loop

    def shorten(self, seconds: float) -> float:
        """How much of these a wait may take; 0 when too little is left for any engine to answer. Raises MustWait."""
        if not self.may_wait:
            raise MustWait
        left = self.left
        if left < limits.ENGINE_MIN_SECONDS:
            return 0.0
        return seconds if seconds < left else left

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Take off what is done inside takes."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.left -= time.monotonic() - began


_UNBOUNDED = Budget(inf)


_budget: ContextVar[Budget] = ContextVar("budget", default=_UNBOUNDED)


def begin(budget: Budget) -> None:
    """What this thread waits for counts towards this budget, until `end`."""
    _budget.set(budget)


def end() -> None:
    """From now on this thread may wait as long as each wait may take."""
    _budget.set(_UNBOUNDED)


def current() -> Budget:
    """This thread's; without a bound when it answers no request."""
    return _budget.get()


def will_wait() -> None:
    """What comes next may wait for others, or has to begin where one may. Raises MustWait in an event loop."""
    if not _budget.get().may_wait:
        raise MustWait


def no_way_back() -> None:
    """Something was done that must not be done twice: the request can't begin again, so it waits where it is, if at all."""
    _budget.get().may_wait = True


@contextmanager
def allowed(seconds: float) -> Iterator[None]:
    """A budget of its own for work that is long by its nature."""
    with counting_towards(Budget(seconds)):
        yield


@contextmanager
def counting_towards(budget: Budget) -> Iterator[None]:
    """What is waited for inside counts towards this budget."""
    before = _budget.get()
    _budget.set(budget)
    try:
        yield
    finally:
        _budget.set(before)
