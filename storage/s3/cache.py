"""Copies of blobs on this machine's disk, of those that downloads ask for more than once: they save asking S3.

A blob never changes and its id is never used again, so a whole copy is right, whatever becomes of the files. Who may read a
file was decided before anybody asks here. A copy is made in the background, by a thread of the process that was asked twice,
and moved to its place when it is whole; it is used for a day at most, and goes early when there are too many or its blob
is deleted. Losing all of them costs nothing but time.
"""

import logging
import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings

from storage import disk_space, limits
from storage.errors import EngineUnreachable, StorageError
from storage.s3 import blobs
from storage.s3.reading import Reading

logger = logging.getLogger(__name__)

_NEW = "new-"
# So much a copy counts for at the least: a folder of a million tiny files would be slow to look through.
_LEAST_BYTES = 16_384
_ASKED_MAX = 20_000
_WAITING_MAX = 64
# The job that tidies them is done by one node of several, and a deletion is known to one: each looks after its own as well.
_TIDY_SECONDS = 3_600.0


class Copies:
    """The copies in one folder that several processes share."""

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        """With no bytes there are no copies."""
        self._folder = folder
        self._max_bytes = max_bytes
        self._asked: dict[UUID, None] = {}
        self._wanted: queue.Queue[tuple[UUID, int]] = queue.Queue(_WAITING_MAX)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._made_bytes = 0

    def read(self, blob_id: UUID, *, start: int, length: int, size_bytes: int) -> Reading | None:
        """Begin to read part of a blob from its copy. None when there is no copy; the second request makes one."""
        if not self._max_bytes:
            return None
        try:
            file = self._place(blob_id).open("rb", buffering=0)
        except OSError:
            self._ask(blob_id, size_bytes)
            return None
        about = os.fstat(file.fileno())
        if about.st_size != size_bytes or about.st_mtime < time.time() - limits.COPY_KEPT_SECONDS:
            file.close()
            self.forget([blob_id])
            return None
        return _FromCopy(file, start, length)

    def open_whole(self, blob_id: UUID) -> IO[bytes] | None:
        """The copy of a blob, whatever its age, for somebody who compares its bytes. None when there is none; none is made."""
        try:
            return self._place(blob_id).open("rb")
        except OSError:
            return None

    def forget(self, blob_ids: Iterable[UUID]) -> None:
        """Remove the copies of blobs that are gone."""
        for blob_id in blob_ids:
            with suppress(OSError):
                self._place(blob_id).unlink()

    def clear(self) -> None:
        """Remove all copies: their room is wanted for something else."""
        for _, _, path in self._found():
            with suppress(OSError):
                Path(path).unlink()

    def tidy(self) -> None:
        """Remove copies that are too old, and the oldest until the others are within the limit."""
        found = sorted(self._found())
        total = sum(size for _, size, _ in found)
        for made_at, size, path in found:
            if total <= self._max_bytes and made_at > time.time() - limits.COPY_KEPT_SECONDS:
                break
            with suppress(OSError):
                Path(path).unlink()
            total -= size

    def _ask(self, blob_id: UUID, size_bytes: int) -> None:
        if blob_id not in self._asked:
            # Another thread may change the dictionary meanwhile; then only the note of one request is lost.
            with suppress(RuntimeError, KeyError, StopIteration):
                if len(self._asked) >= _ASKED_MAX:
                    del self._asked[next(iter(self._asked))]
            self._asked[blob_id] = None
            return
        with suppress(queue.Full):
            self._wanted.put_nowait((blob_id, size_bytes))
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_copying, name="copies", daemon=True)
                self._thread.start()

    def _keep_copying(self) -> None:
        while True:
            try:
                self._copy(*self._wanted.get(timeout=_TIDY_SECONDS))
                if self._made_bytes > self._max_bytes // 16:
                    self._made_bytes = 0
                    self.tidy()
            except queue.Empty:
                self.tidy()
            except (StorageError, OSError) as error:
                logger.warning("A copy of a blob could not be made: %s", error)
            except Exception:
                # This thread is the only one of its kind in its process.
                logger.exception("A copy of a blob could not be made")

    def _copy(self, blob_id: UUID, size_bytes: int) -> None:
        place = self._place(blob_id)
        if place.exists() or size_bytes > self._max_bytes // 16:
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not disk_space.has_room_for_copies(size_bytes):
            return
        descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=_NEW)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in blobs.read(blob_id, start=0, length=size_bytes, size_bytes=size_bytes):
                    file.write(chunk)
                # After the machine has crashed, too, a file of the right length has the right bytes.
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self._made_bytes += max(size_bytes, _LEAST_BYTES)

    def _place(self, blob_id: UUID) -> Path:
        return self._folder / blob_id.hex[:2] / blob_id.hex

    def _found(self) -> Iterator[tuple[float, int, str]]:
        """When it was made, its size and path: of each copy, and of each that was begun."""
        with suppress(FileNotFoundError):
            for shelf in os.scandir(self._folder):
                for entry in os.scandir(shelf.path):
                    with suppress(FileNotFoundError):
                        about = entry.stat()
                        yield about.st_mtime, max(about.st_size, _LEAST_BYTES), entry.path


class _FromCopy(Reading):
    """A copy's bytes while they are read."""

    def __init__(self, file: IO[bytes], start: int, length: int) -> None:
        super().__init__(length)
        self._file = file
        file.seek(start)

    def _read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise EngineUnreachable() from error

    def close(self) -> None:
        self._file.close()


copies = Copies(settings.DATA / "copies", max_bytes=settings.CACHE_MB * 1_048_576)
