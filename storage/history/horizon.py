"""How far the change feed may go.

Versions are read in the order of their ids. These are drawn while an item's row is locked, so those of one key grow in the order
of its changes; but transactions commit in any order, so when an id is there a lower one may still be on its way. A reader who
went on behind the higher one would never see the lower.

So a line is drawn: the last id that was given out, then the number of a transaction that begins after it. As soon as all
transactions with lower numbers have ended, every version up to the line can be read, or never will be. It also waits until the
log that was written by then is on the disk (and on the standby's, where commits wait for one): what a crash takes back is drawn
again, and must not have been passed by.

A transaction that runs for long holds the feed of every Base up, whatever it does and in whichever database of the server, and so
does one that was prepared for a two-phase commit and forgotten. Nothing is lost by that.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass

from storage.history.sql import horizon as horizon_sql
from storage.postgres.database import run_one

# What writes at the moment mostly has ended after a few of these.
_LOOKS, _LOOK_SECONDS = 5, 0.005
# While a transaction runs for long, lines would come together without end.
_LINES_KEPT = 32


@dataclass(frozen=True, slots=True)
class Horizon:
    """Every version up to `settled` can be read, or never will be; `drawn` is the last id that was given out.

    The versions above `settled` came into being after `settled_at` (of the monotonic clock).
    """

    settled: int
    drawn: int
    settled_at: float


@dataclass(frozen=True, slots=True)
class _Line:
    """Versions up to `drawn` are settled when all transactions below this one have ended, and so much of the log is on the
    disk.
    """

    drawn: int
    transaction: int
    written: int
    at: float


class _Known:
    """What this process knows. Each call asks the database, so that whoever asks after a write sees it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settled, self._settled_at = 0, time.monotonic()
        self._lines: deque[_Line] = deque()

    def find(self) -> Horizon:
        at = time.monotonic()
        with self._lock:
            # With enough lines waiting there is no reason to draw more; what was drawn is looked up all the same.
            is_full = len(self._lines) >= _LINES_KEPT
            settled = self._settled
        found = run_one(horizon_sql.draw_line(_NO_LINE if is_full else settled))
        with self._lock:
            if found.drawn < self._settled:
                # Another database: one that was restored.
                self._settled, self._settled_at = 0, at
                self._lines.clear()
            if found.transaction is not None and found.written is not None:
                self._lines.append(_Line(found.drawn, found.transaction, found.written, at))
        for look in range(_LOOKS):
            if self._has_reached(found.drawn):
                break
            if look:
                time.sleep(_LOOK_SECONDS)
            self._settle(run_one(horizon_sql.read_progress()))
        with self._lock:
            return Horizon(self._settled, found.drawn, self._settled_at)

    def _has_reached(self, drawn: int) -> bool:
        with self._lock:
            return self._settled >= drawn or not self._lines

    def _settle(self, progress: horizon_sql.Progress) -> None:
        with self._lock:
            for line in list(self._lines):
                if line.transaction <= progress.oldest and line.written <= progress.flushed:
                    self._lines.remove(line)
                    if line.drawn > self._settled:
                        self._settled, self._settled_at = line.drawn, line.at


# Above every id.
_NO_LINE = 2**63 - 1

_known = _Known()


def find_horizon() -> Horizon:
    """How far every version can be read now, and how far they go. Raises EngineUnreachable.

    What was written before the call is within it, unless another transaction runs for longer than a moment. Not for use inside
    a transaction, which would wait for itself.
    """
    return _known.find()
