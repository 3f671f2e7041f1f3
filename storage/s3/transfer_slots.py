"""How many files of a process may be on their way at once, and which of its threads may move them.

A thread takes a slot before it moves a file's bytes and keeps it until they are done, however slow the client or S3 is.
"""

import threading
from contextvars import ContextVar

from storage import engine_waits, limits
from storage.counting.engines import count_error
from storage.errors import EngineUnreachable


class NotHere(BaseException):
    """This thread is not for what waits for S3: the work has to begin again in another. No error, so no Exception."""


_may_move: ContextVar[bool] = ContextVar("may_move", default=True)
_places = threading.BoundedSemaphore(limits.TRANSFERS_AT_ONCE)


class Share:
    """A slot of a thread that moves a file. It is given back once, even if several places close it."""

    def __init__(self) -> None:
        self._given_back = threading.Lock()

    def give_back(self) -> None:
        """Give the slot back. Calling it again does nothing."""
        if self._given_back.acquire(blocking=False):
            _places.release()

    def __enter__(self) -> "Share":
        return self

    def __exit__(self, *_: object) -> None:
        self.give_back()


def let_this_thread_move(may_move: bool) -> None:
    """Say whether this thread may move files from now on; any may until this is said."""
    _may_move.set(may_move)


def take_share(wait_seconds: float = limits.SHARE_WAIT_SECONDS) -> Share:
    """Wait for a free slot. Raises EngineUnreachable when there is none in this time, and NotHere."""
    if not _may_move.get():
        raise NotHere
    budget = engine_waits.current()
    with budget.spending():
        is_ours = _places.acquire(timeout=budget.shorten(wait_seconds))
    if not is_ours:
        count_error("s3", "busy")
        raise EngineUnreachable("Too many files are on their way at the moment, please try again")
    return Share()
