"""A file that only takes room on the disk, so that there is some to give back when everybody else has filled it.

Deleting takes room before it gives any: PostgreSQL writes its log, SeaweedFS copies what is left of a volume. So when the disk is
nearly full the file goes, and comes back when there is room again.
"""

import logging
import os
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)

_NAME = "reserve"


class Reserve:
    """The file in one engines' home. `keep_free_bytes` is what has to be free besides for it to be made."""

    def __init__(self, home: Path, *, size_bytes: int, keep_free_bytes: int) -> None:
        self._path = home / _NAME
        self._size_bytes, self._keep_free_bytes = size_bytes, keep_free_bytes
        self._is_short = False
        self._is_in_vain = False

    def tend(self) -> None:
        """Make the file or remove it, as the disk allows. Raises OSError."""
        free = shutil.disk_usage(self._path.parent).free
        is_there = self._is_there()
        if free < self._size_bytes // 2 or (self._path.exists() and not self._size_bytes):
            self._path.unlink(missing_ok=True)
        elif not is_there and not self._is_in_vain and free > self._keep_free_bytes + self._size_bytes * 3 // 2:
            self._make()
        self._tell(free)

    def _tell(self, free: int) -> None:
        # Not at the same point: where writers come and go it would be told every second.
        is_short = free < self._keep_free_bytes * (9 if self._is_short else 8) // 8
        if is_short and not self._is_short:
            logger.error(
                "The disk with %s has %d MB left: nothing new is stored until there are %d. Reading and deleting go on.",
                self._path.parent,
                free // 1_048_576,
                self._keep_free_bytes // 1_048_576,
            )
        elif self._is_short and not is_short:
            logger.warning("The disk with %s has room again: writing goes on.", self._path.parent)
        self._is_short = is_short

    def _is_there(self) -> bool:
        """Whether the file takes its room; the copy of one in a backup may take none."""
        try:
            return self._path.stat().st_blocks * 512 >= self._size_bytes
        except FileNotFoundError:
            return False

    def _make(self) -> None:
        if not hasattr(os, "posix_fallocate") or not self._size_bytes:
            return
        self._path.unlink(missing_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size_bytes)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(descriptor)
        if not self._is_there():
            # ZFS for one, and whatever packs what it stores: made again and again, it would keep the disk busy for nothing.
            self._is_in_vain = True
            self._path.unlink()
            logger.warning(
                "No room can be kept on the disk with %s. Once others have filled it, deleting may be impossible.",
                self._path.parent,
            )
