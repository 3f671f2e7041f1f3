"""Lines on their way to the log of Micros: collected, and handed on in batches by one thread. No app waits for a database.

The thread takes the secrets out of them as well. What there is too much of is left out and counted; after a while without a
database the oldest lines go first.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from storage.micro_host import Line
from storage.micro_masking import Masking

logger = logging.getLogger(__name__)

_GATHER_SECONDS = 0.4
_WAITING_MAX = 20_000
_BATCH = 2_000

Keep = Callable[[Sequence[Line]], object]


class Log:
    """`keep` stores a batch. It is called in a thread, and may raise, which has the batch tried again."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep
        self._waiting: deque[tuple[Line, Masking]] = deque()
        self._lost = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log")

    def add(self, line: Line, masking: Masking) -> None:
        """Add a line, whose secrets are taken out before it is stored; it returns at once."""
        if len(self._waiting) >= _WAITING_MAX:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append((line, masking))

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
                await asyncio.get_running_loop().run_in_executor(self._thread, self._mask_and_keep, batch)
            except Exception as error:
                self._put_back(batch)
                logger.warning("Lines of Micros could not be stored yet: %s", error)
                return
            if self._lost:
                logger.warning("%d lines of Micros were lost.", self._lost)
                self._lost = 0

    def _mask_and_keep(self, batch: Sequence[tuple[Line, Masking]]) -> None:
        self._keep([masking.line(line) for line, masking in batch])

    def _put_back(self, batch: Sequence[tuple[Line, Masking]]) -> None:
        room = _WAITING_MAX - len(self._waiting)
        self._lost += max(len(batch) - room, 0)
        self._waiting.extendleft(reversed(batch[-room:] if room else []))
