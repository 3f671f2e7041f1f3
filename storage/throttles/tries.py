"""Counts tries of what is limited, such as passwords: before each is made, for all processes and nodes together.

The counts are in the database, so they last through restarts. Who is counted goes into a hash that is keyed with the
server's secret: people type passwords into the field for the name, and no such text is kept. What a right try had taken is
given back by whoever made it. The sweeper deletes windows that are over, and bounds the rest.
"""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.crypto import salted_hmac

from storage import limits
from storage.postgres.database import run, run_one
from storage.throttles import sql as throttles_sql


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


def take_try(counters: Sequence[Counter]) -> int:
    """Count a try under several limits, before it is made. 0 when it may be made, else the seconds to wait.

    A try that may not be made is not counted. Raises EngineUnreachable and DiskFull.
    """
    asked = {counter.digest: counter.limit for counter in counters}
    statement = throttles_sql.take_tries(
        list(asked), [limit.tries for limit in asked.values()], [limit.seconds for limit in asked.values()]
    )
    taken = {bytes(row.who) for row in run(statement)}
    if len(taken) == len(asked):
        return 0
    if taken:
        run(throttles_sql.give_back(list(taken)))
    return run_one(throttles_sql.find_wait(list(asked.keys() - taken))).seconds or 1


def give_back(counters: Sequence[Counter]) -> None:
    """The try was right, or could not be made: it does not count. Raises EngineUnreachable."""
    run(throttles_sql.give_back([counter.digest for counter in counters]))


def forget_tries(counters: Sequence[Counter]) -> None:
    """Begin the counters anew. Raises EngineUnreachable."""
    run(throttles_sql.forget([counter.digest for counter in counters]))


def sweep_tries() -> int:
    """Delete windows that are over, and bound what is left. Returns how many rows went. Raises EngineUnreachable."""
    return run_one(throttles_sql.sweep(limits.THROTTLE_ROWS_MAX)).total
