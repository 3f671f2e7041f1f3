"""How many streams there may be in a process: of all together, and of one data key or person."""

import threading
from collections import Counter
from collections.abc import Hashable

from console.error_status import StreamsBusy, TooManyStreams
from storage import limits

# One that is forgotten may be given back at any moment, even while this thread takes another.
_lock = threading.RLock()
_taken: Counter[Hashable] = Counter()


class Place:
    """One of the places; it is given back once, however often that is said, and when its stream is lost on its way."""

    _who: Hashable | None = None

    def __init__(self, who: Hashable) -> None:
        """Raises TooManyStreams when they have as many as one may, and StreamsBusy when all are taken."""
        with _lock:
            if _taken[who] >= limits.STREAMS_OF_ONE:
                raise TooManyStreams()
            if _taken.total() >= limits.STREAMS_MAX:
                raise StreamsBusy()
            _taken[who] += 1
        self._who = who

    def give_back(self) -> None:
        """It is free again."""
        with _lock:
            if self._who is not None:
                _taken[self._who] -= 1
                if not _taken[self._who]:
                    del _taken[self._who]
                self._who = None

    def __del__(self) -> None:
        self.give_back()


def taken() -> int:
    """How many are taken."""
    with _lock:
        return _taken.total()
