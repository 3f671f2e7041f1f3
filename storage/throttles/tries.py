"""Counts tries of what is limited, such as passwords: before each is made, for all processes and nodes together.

The counts are in the database, so they last through restarts. Who is counted goes into a hash that is keyed with the
server's secret: people type passwords into the field for the name, and no such text is kept. The sweeper deletes windows that
are over, and bounds the rest.

A try counts when it was wrong, and only then. What a right one took is given back, and so is what one took that broke off before
it was judged, as at a full disk or without a database: who is right is not kept waiting for what the server could not do. Nobody
gets a try for nothing by keeping the disk full: what cannot be counted is not tried, and a wrong one counts though its answer
breaks off.
"""

from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

from django.utils.crypto import salted_hmac

from storage import limits
from storage.errors import DiskFull, EngineUnreachable
from storage.postgres.database import run, run_one
from storage.throttles import owed
from storage.throttles import sql as throttles_sql
from storage.throttles.sql import TakenTry


class Limit(NamedTuple):
    """At most so many `tries` within `seconds`, counted from the first of them. `kind` tells limits apart."""

    kind: str
    tries: int
    seconds: int


class Counter(NamedTuple):
    """What is counted under a limit: for example an address, or an address and a name."""

    limit: Limit
    who: tuple[str, ...]

    @property
    def digest(self) -> bytes:
        """What stands in the database for it, 32 bytes."""
        told_apart = "".join(f"{len(part)}:{part}" for part in self.who)
        return salted_hmac(f"homeport.throttle.{self.limit.kind}", told_apart, algorithm="sha256").digest()


class Try:
    """One try. `wait_seconds` is 0 when it may be made, and else nothing was counted.

    What breaks off within `with` was not judged wrong: it is given back. Whatever is done for a wrong one comes after it.
    """

    def __init__(self, taken: Sequence[TakenTry], *, wait_seconds: int = 0) -> None:
        self.wait_seconds = wait_seconds
        self._taken = taken

    def __enter__(self) -> "Try":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.give_back()

    def give_back(self) -> None:
        """It was right, or could not be made. What the database does not take now, it is told later."""
        owed.give_back(self._taken)
        self._taken = ()

    def succeed(self, *, forgets: Sequence[Counter]) -> None:
        """It was right: begin the counters `forgets` anew, where that can be written, and give back what it took."""
        with suppress(DiskFull, EngineUnreachable):
            forget_tries(forgets)
        self.give_back()


def take_try(counters: Sequence[Counter]) -> Try:
    """Count a try under several limits, before it is made. One that may not be made is not counted.

    Raises EngineUnreachable and DiskFull: then it may not be made either.
    """
    owed.settle()
    asked = {counter.digest: counter.limit for counter in counters}
    taken = run(
        throttles_sql.take_tries(
            list(asked), [limit.tries for limit in asked.values()], [limit.seconds for limit in asked.values()]
        )
    )
    if len(taken) == len(asked):
        return Try(taken)
    owed.give_back(taken)
    used_up = list(asked.keys() - {bytes(each.who) for each in taken})
    return Try((), wait_seconds=run_one(throttles_sql.find_wait(used_up)).seconds or 1)


def forget_tries(counters: Sequence[Counter]) -> None:
    """Begin the counters anew. Raises EngineUnreachable."""
    run(throttles_sql.forget([counter.digest for counter in counters]))


def sweep_tries() -> int:
    """Delete windows that are over, and bound what is left. Returns how many rows went. Raises EngineUnreachable."""
    return run_one(throttles_sql.sweep(limits.THROTTLE_ROWS_MAX)).total
