"""Whether the operations on one key could have happened one after the other (Wing & Gong, memoised as in Lowe's and porcupine).

Each operation takes effect at one moment between its beginning and its end, and what it was answered follows from all that took
effect before it. An operation whose answer nobody heard has no end: it takes effect at any moment after its beginning, or never.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

# What each of them asks of a state and was answered is the model's business.
Step = Callable[[Any, "Operation"], Hashable]
IMPOSSIBLE = object()
# More are looked at in no history of these tests; it keeps one that is full of unknown ones from taking hours.
_MOST_STATES = 500_000


class TooManyOrders(Exception):
    """There are so many that it was not found out."""


@dataclass(frozen=True)
class Operation:
    """One operation on one key: `answer` is None when nobody heard it, and `ended` is endless then. Times are in seconds.

    One that `changes` nothing, as its answer says, is of no importance without that answer.
    """

    client: int
    asked: Any
    answer: Any
    began: float
    ended: float
    changes: bool = True

    @property
    def is_known(self) -> bool:
        return self.ended != inf


class _Search:
    """Goes on from orders that are possible so far, and comes to none twice that leaves no more to choose from.

    `done` and `used` are bits: the operations with an answer that have happened, and those without. Of two ways to the same state
    with the same operations done, the one that used fewer of the others can do all that the other can.
    """

    def __init__(self, operations: Sequence[Operation], step: Step) -> None:
        self._known = sorted((each for each in operations if each.is_known), key=lambda each: each.ended)
        self._unknown = sorted(
            (each for each in operations if not each.is_known and each.changes), key=lambda each: each.began
        )
        self._step = step
        self._seen: dict[tuple[int, Hashable], list[int]] = {}

    def is_possible(self, state: Hashable) -> bool:
        all_done = (1 << len(self._known)) - 1
        waiting = [(0, 0, state)]
        looked_at = 0
        while waiting:
            done, used, state = waiting.pop()
            if done == all_done:
                return True
            if not self._is_new(done, used, state):
                continue
            looked_at += 1
            if looked_at > _MOST_STATES:
                raise TooManyOrders
            # The last is looked at first: what has an answer happened, the others may not have.
            waiting += reversed(self._next(done, used, state))
        return False

    def _is_new(self, done: int, used: int, state: Hashable) -> bool:
        before = self._seen.setdefault((done, state), [])
        if any(less & used == less for less in before):
            return False
        before[:] = [more for more in before if more & used != used]
        before.append(used)
        return True

    def _next(self, done: int, used: int, state: Hashable) -> list[tuple[int, int, Hashable]]:
        """What may happen next: all that began before the first end of what has not happened yet."""
        left = [place for place in range(len(self._known)) if not done >> place & 1]
        first_end = self._known[left[0]].ended
        found = []
        for place in left:
            operation = self._known[place]
            if operation.began <= first_end:
                after = self._step(state, operation)
                if after is not IMPOSSIBLE:
                    found.append((done | 1 << place, used, after))
        alike = set()
        for place, operation in enumerate(self._unknown):
            # Of several that ask for the same, the first can do all that the others can.
            if operation.began <= first_end and not used >> place & 1 and operation.asked not in alike:
                alike.add(operation.asked)
                after = self._step(state, operation)
                if after is not IMPOSSIBLE and after != state:
                    found.append((done, used | 1 << place, after))
        return found


def is_linearizable(operations: Sequence[Operation], step: Step, state: Hashable = None) -> bool:
    """Whether some order explains every answer.

    `step` gives the state after an operation, or IMPOSSIBLE where its answer does not fit the state before it. Of an operation
    without an answer it gives what it would do. Raises TooManyOrders.
    """
    return _Search(operations, step).is_possible(state)
