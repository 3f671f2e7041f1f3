"""Reading a blob's bytes, from S3 or a copy: in large chunks for fast clients, in small ones for slow clients."""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator

from storage.errors import EngineUnreachable

# A chunk costs the same two dozen system calls and changes of thread whatever its size, which is most of what reading costs.
# Clients that are slow to take theirs get small ones, so that many of them hold little memory.
CHUNK_BYTES = 1_048_576
SLOW_CHUNK_BYTES = 65_536
_SLOW_SECONDS = 0.25


class Reading(ABC):
    """So many bytes. Iterate once; `close` ends it early."""

    def __init__(self, length: int) -> None:
        self._left = length
        self._taken_at = 0.0

    def __iter__(self) -> Iterator[bytes]:
        """Raises EngineUnreachable when they stop coming before the end."""
        try:
            size = CHUNK_BYTES
            while self._left > 0:
                # Not in a variable, so that its memory is freed as soon as the reader is done with it.
                yield self._take(size)
                size = SLOW_CHUNK_BYTES if time.monotonic() - self._taken_at > _SLOW_SECONDS else CHUNK_BYTES
        finally:
            self.close()

    def _take(self, size: int) -> bytes:
        chunk = self._read(min(size, self._left))
        if not chunk:
            raise EngineUnreachable()
        self._left -= len(chunk)
        self._taken_at = time.monotonic()
        return chunk

    @abstractmethod
    def _read(self, size: int) -> bytes:
        """Up to so many of the bytes that follow, none at the end. Raises EngineUnreachable."""

    @abstractmethod
    def close(self) -> None:
        """Close the source. Calling it again does nothing."""
