"""How many requests to Micros are on their way at once in this process: to each of them, and to all together.

A Micro that hangs holds up its own callers, never those of others; and one that asks this server for data finds threads, as those
for Micros are apart from the others (`console/thread_kinds.py`).
"""

import threading
from collections import Counter

from storage import limits


class Slots:
    """Counts them."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, micro_id: str) -> bool:
        """Whether one more may begin; it has to be given back then."""
        with self._lock:
            is_full = self._taken[micro_id] >= limits.MICRO_REQUESTS_AT_ONCE
            if is_full or self._taken.total() >= limits.MICROS_REQUESTS_AT_ONCE:
                return False
            self._taken[micro_id] += 1
            return True

    def give_back(self, micro_id: str) -> None:
        """One has ended."""
        with self._lock:
            self._taken[micro_id] -= 1
            if not self._taken[micro_id]:
                del self._taken[micro_id]


slots = Slots()
