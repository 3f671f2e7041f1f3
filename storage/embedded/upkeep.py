"""What the watcher of the processes does besides: it bounds their logs, and looks after what a full disk needs and leaves behind.

No fault of any of it may end the watcher, which would end the server. Each is told once, and again when it is another.
"""

import logging
import time
from collections.abc import Callable, Iterable

from storage.embedded.process import Child
from storage.embedded.reserve import Reserve
from storage.embedded.stuck_journal import StuckJournal

logger = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1.0


class Upkeep:
    """The upkeep of one server; everything happens in the watcher's thread."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}
        self._looked_at = 0.0
        self._reserve: Reserve | None = None
        self._journal: StuckJournal | None = None

    def keep(self, reserve: Reserve) -> None:
        """Tend this room from now on, beginning at once: at a full disk the engines may need it to start."""
        self._reserve = reserve
        self.attempt("The room kept for a full disk", reserve.tend)

    def watch(self, journal: StuckJournal) -> None:
        """Look from now on whether SeaweedFS is stuck."""
        self._journal = journal

    def maintain(self, children: Iterable[Child]) -> None:
        """Do what is due. Call it often, while waiting as well; it raises nothing."""
        if self._reserve:
            # Each time, as deletes fail from the moment the disk is full until the room is there.
            self.attempt("The room kept for a full disk", self._reserve.tend)
        if time.monotonic() - self._looked_at > _LOOK_EVERY_SECONDS:
            self._looked_at = time.monotonic()
            if self._journal:
                # Before its log is bounded.
                self.attempt("The journal of SeaweedFS", self._journal.look)
            for child in children:
                self.attempt(f"The log of {child.name}", child.bound_log)

    def attempt(self, what: str, do: Callable[[], None]) -> None:
        """Do something, whatever comes of it."""
        try:
            do()
        except Exception as error:
            if self._told.get(what) != repr(error):
                self._told[what] = repr(error)
                logger.exception("%s could not be looked after. The server goes on.", what)
        else:
            self._told.pop(what, None)
