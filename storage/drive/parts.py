"""The bytes of archives, and of files out of archives, in the bucket: written as they come, read from anywhere.

They take the way of a file's bytes (`storage/drive/files.py`): a pending blob, its object, then one transaction that makes it
live and says whose it is. An archive's blobs are parts under its id, like those of an upload, so the sweeper and `reconcile`
know them.
"""

import bisect
import io
import itertools
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID

from storage import limits
from storage.drive import files
from storage.drive.files import Stored
from storage.drive.sql import files as files_sql
from storage.drive.sql import uploads as uploads_sql
from storage.postgres.database import run
from storage.s3 import blobs
from storage.s3.reading import Reading

# Skipping so much by reading on is quicker than asking S3 anew.
_SKIPPED_BYTES = 262_144


def archive_owner(collection_id: str, archive_id: UUID, number: int) -> blobs.Owner:
    """What an archive's object says of itself: that it is no Drive's, so that a rebuilt index has no file of it."""
    return blobs.Owner(collection_id, "", "archive", "application/zip", archive_id.hex, number)


class _Chunks:
    """Bytes that are here, as content to store."""

    content_type: str | None = None

    def __init__(self, chunks: list[bytes]) -> None:
        self._chunks = chunks

    def open(self) -> tuple[int, Iterator[bytes]]:
        return sum(map(len, self._chunks)), iter(self._chunks)


def hold(body: bytes) -> _Chunks:
    """Bytes as content to store."""
    return _Chunks([body])


class PartWriter:
    """Cuts bytes into blobs and puts several at a time, while more is read.

    `owner` says whose the blob of a number (from 1) is. Each that is in the bucket is handed to `commit` in order, in the
    thread that writes. Use it as a context: what is not committed when it ends by an error is left to the sweeper.
    """

    def __init__(self, owner: Callable[[int], blobs.Owner], commit: Callable[[int, Stored], None]) -> None:
        self._owner, self._commit = owner, commit
        self._chunks: list[bytes] = []
        self._held_bytes = 0
        self._number = 0
        self._under_way: deque[tuple[int, UUID, Future[Stored]]] = deque()
        self._threads = ThreadPoolExecutor(limits.ARCHIVE_PUTS_AT_ONCE, thread_name_prefix="archive-put")

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        if kind is not None and self._under_way:
            run(files_sql.discard_blobs([blob_id for _, blob_id, _ in self._under_way]))

    def write(self, chunk: bytes) -> None:
        """Take more bytes. Raises what `commit` raises, EngineUnreachable and DiskFull."""
        self._chunks.append(chunk)
        self._held_bytes += len(chunk)
        if self._held_bytes >= limits.ARCHIVE_PART_BYTES:
            self._put()

    def finish(self) -> None:
        """Put the rest and commit all. Of no bytes at all there is one part, an empty one."""
        if self._chunks or self._number == 0:
            self.cut()
        self.settle()

    @property
    def holds(self) -> bool:
        """Whether there are bytes that are not in a part yet."""
        return bool(self._chunks)

    def cut(self) -> None:
        """End the part here: what is written from now on goes into another."""
        self._put()

    def drop(self) -> None:
        """Drop bytes that are not in a part yet."""
        self._chunks, self._held_bytes = [], 0

    def settle(self) -> None:
        """Wait for the running parts, and commit them."""
        while self._under_way:
            self._settle_one()

    def _put(self) -> None:
        if len(self._under_way) >= limits.ARCHIVE_PUTS_AT_ONCE:
            self._settle_one()
        blob_id = reserve()
        self._number += 1
        content, self._chunks, self._held_bytes = _Chunks(self._chunks), [], 0
        storing = self._threads.submit(files.store, blob_id, content, self._owner(self._number))
        self._under_way.append((self._number, blob_id, storing))

    def _settle_one(self) -> None:
        number, _, storing = self._under_way[0]
        self._commit(number, storing.result())
        self._under_way.popleft()


class PartReader(io.RawIOBase):
    """The bytes of parts as one file that can be read from anywhere. Wrap it in `io.BufferedReader`.

    One request to S3 runs on for as long as what is read follows what was read before.
    """

    def __init__(self, parts: list[Stored], on_read: Callable[[], None] = lambda: None) -> None:
        """`on_read` is called with every piece, to renew the lease during a long read."""
        super().__init__()
        self._on_read = on_read
        self._parts = [part for part in parts if part.size_bytes]
        self._starts = [0, *itertools.accumulate(part.size_bytes for part in self._parts)]
        self._position = 0
        self._reading: Reading | None = None
        self._chunks: Iterator[bytes] = iter(())
        self._chunk = memoryview(b"")
        self._chunk_at = 0  # where the bytes that are left of the chunk belong

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(origin + offset, 0)
        return self._position

    def readinto(self, target: Any) -> int:
        """Raises EngineUnreachable and BlobMissing."""
        if self._position >= self._starts[-1] or not len(target):
            return 0
        self._on_read()
        self._go_there()
        taken = min(len(target), len(self._chunk))
        target[:taken] = self._chunk[:taken]
        self._drop(taken)
        self._position += taken
        return taken

    def close(self) -> None:
        self._end_request()
        super().close()

    def _go_there(self) -> None:
        """Have a chunk that begins at the position."""
        if not 0 <= self._position - self._chunk_at <= _SKIPPED_BYTES:
            self._end_request()
        while self._reading is not None:
            self._drop(min(self._position - self._chunk_at, len(self._chunk)))
            if self._chunk:
                return
            chunk = next(self._chunks, None)
            if chunk is None:
                self._end_request()
            else:
                self._chunk = memoryview(chunk)
        self._ask()

    def _ask(self) -> None:
        index = bisect.bisect_right(self._starts, self._position) - 1
        part, start = self._parts[index], self._position - self._starts[index]
        self._reading = blobs.read(part.id, start=start, length=part.size_bytes - start, size_bytes=part.size_bytes)
        self._chunks = iter(self._reading)
        self._chunk, self._chunk_at = memoryview(next(self._chunks)), self._position

    def _drop(self, count: int) -> None:
        self._chunk, self._chunk_at = self._chunk[count:], self._chunk_at + count

    def _end_request(self) -> None:
        if self._reading is not None:
            self._reading.close()
        self._reading, self._chunk = None, memoryview(b"")


def reserve() -> UUID:
    """A pending blob."""
    blob_id = uuid.uuid4()
    run(files_sql.reserve_blobs([blob_id]))
    return blob_id


def get_parts(archive_id: UUID) -> list[Stored]:
    """The parts of an archive, in order."""
    return [Stored(*row[1:]) for row in run(uploads_sql.get_parts(archive_id.hex))]


def drop_parts(*archive_ids: UUID) -> None:
    """Turn archives' blobs into garbage; the sweeper deletes them."""
    run(uploads_sql.drop_parts([archive_id.hex for archive_id in archive_ids]))
