"""How many downloads by share links go on at once in a process: those who have a link may be anybody, and slow on purpose.

However many there are, people and apps find a turn to move files (`storage/s3/transfer_slots.py`).
"""

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from storage import limits
from storage.errors import EngineUnreachable

_lock = threading.Lock()
_downloads: Counter[int] = Counter()


class Place:
    """A download's place, given back once, even if several parts of its answer are closed."""

    def __init__(self, link_id: int) -> None:
        """Raises EngineUnreachable, which says to come again, when the link, or all of them, have as many as they may."""
        with _lock:
            if (
                _downloads[link_id] >= limits.SHARE_DOWNLOADS_OF_ONE_LINK
                or _downloads.total() >= limits.SHARE_DOWNLOADS_AT_ONCE
            ):
                raise EngineUnreachable("Many people are downloading this at the moment, please try again")
            _downloads[link_id] += 1
        self._link_id: int | None = link_id

    def give_back(self) -> None:
        """Give the place back. Calling it again does nothing."""
        with _lock:
            if self._link_id is not None:
                _downloads[self._link_id] -= 1
                if not _downloads[self._link_id]:
                    del _downloads[self._link_id]
            self._link_id = None


class HeldWhileSent:
    """The body of an answer, which keeps a place until it is closed."""

    def __init__(self, body: Any, place: Place) -> None:
        """`body`: as Django has it, iterated once."""
        self._body, self._place = body, place

    def __iter__(self) -> Iterator[Any]:
        return iter(self._body)

    def close(self) -> None:
        self._place.give_back()
