"""How many streams there may be in a process: of all together, and of one data key or person."""

import threading
from collections import Counter
from collections.abc import Hashable

from console.error_status import StreamsBusy, TooManyStreams
from storage import limits

_lock = threading.Lock()
_taken: Counter[Hashable] = Counter()


class Place:
    """One of the places; it is given back once, however often that is said."""

    def __init__(self, who: Hashable) -> None:
        """Raises TooManyStreams when they have as many as one may, and StreamsBusy when all are taken."""
        with _lock:
            if _taken[who] >= limits.STREAMS_OF_ONE:
                raise TooManyStreams()
            if _taken.total() >= limits.STREAMS_MAX:
                raise StreamsBusy()
            _taken[who] += 1
        self._who: Hashable | None = who

    def give_back(self) -> None:
        """It is free again."""
        with _lock:
            if self._who is not None:
                _taken[self._who] -= 1
                if not _taken[self._who]:
                    del _taken[self._who]
                self._who = None


def taken() -> int:
    """How many are taken."""
    with _lock:
        return _taken.total()
