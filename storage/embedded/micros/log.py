"""Lines on their way to the log of Micros: collected, and handed on in batches by one thread. No app waits for a database.

What there is too much of is left out and counted; after a while without a database the oldest lines go first.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from storage.micro_host import Line

logger = logging.getLogger(__name__)

_GATHER_SECONDS = 0.4
_WAITING_MAX = 20_000
_BATCH = 2_000

Keep = Callable[[Sequence[Line]], object]


class Log:
    """`keep` stores a batch. It is called in a thread, and may raise, which has the batch tried again."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: deque[Line] = deque()
        self._lost = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")

    def add(self, line: Line) -> None:
        """Add a line; it returns at once."""
        if len(self._waiting) >= _WAITING_MAX:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(line)

    async def run(self) -> None:
        """Hand on what comes, until cancelled."""
        while True:
            await asyncio.sleep(_GATHER_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Hand on what there is, as far as it can be stored now."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(_BATCH, len(self._waiting)))]
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self._keep, batch)
            except Exception as error:
                self._put_back(batch)
                logger.warning("Lines of Micros could not be stored yet: %s", error)
                return
            if self._lost:
                logger.warning("%d lines of Micros were lost.", self._lost)
                self._lost = 0

    def _put_back(self, batch: Sequence[Line]) -> None:
        room = _WAITING_MAX - len(self._waiting)
        self._lost += max(len(batch) - room, 0)
        self._waiting.extendleft(reversed(batch[-room:] if room else []))
