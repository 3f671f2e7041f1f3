"""Drive: the operations on files (contract: section "Drive"). Uploads in parts are in uploads.py, S3 in blobs.py.

A file is a row that names blobs; writing one never touches bytes that are there. The order is what keeps every promise
(promises: "How files are written"): the blob's row is committed as pending, the object is put, and in one transaction the
name points at it and what it pointed at before is garbage. Whatever dies in between leaves a pending or garbage blob,
which the sweeper removes, and the file as it was.
"""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol
from uuid import UUID

from django.db import transaction

from storage import disk_space, limits, names
from storage.drive import content_types, drives, free_names
from storage.drive.failpoints import reach
from storage.drive.sql import files as files_sql
from storage.drive.sql import moves as moves_sql
from storage.errors import (
    EngineUnreachable,
    FileNotFound,
    InvalidInput,
    NamesTaken,
    StorageError,
)
from storage.postgres.caller import Access, allowed
from storage.postgres.database import engine_errors, run
from storage.s3 import blobs
from storage.s3.cache import copies
from storage.s3.reading import Reading
from storage.s3.transfer_slots import take_share

# What happens to an existing file with the name: it is replaced, both are kept, or the write fails.
IfExists = Literal["replace", "keep-both", "fail"]

# To point a file's name at its bytes while its Drive is deleted or emptied.
_ATTEMPTS = 3


class Content(Protocol):
    """The bytes of a file or part on their way in."""

    content_type: str | None

    def open(self) -> tuple[int, Iterator[blobs.Bytes]]:
        """Their number, and the bytes in chunks, each of which need be good only until the next is asked for.

        Raises, or the chunks do, when fewer arrive: nothing is stored then.
        """


class InMemory:
    """Content that is already in memory."""

    def __init__(self, body: bytes) -> None:
        self.content_type: str | None = None
        self._body = body

    def open(self) -> tuple[int, Iterator[bytes]]:
        return len(self._body), iter([self._body])


class Stored(NamedTuple):
    """A blob that is in the bucket."""

    id: UUID
    size_bytes: int
    md5: str
    sha256: bytes | None = None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file at one moment; its bytes can be read even when the name points to another file later."""

    size_bytes: int
    content_type: str
    etag: str
    changed_at: datetime
    blob_ids: list[UUID]
    blob_sizes: list[int]


@dataclass(frozen=True, slots=True)
class Page:
    """Names in byte order, and the name to continue from when more follow."""

    names: list[str]
    last: str | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """The deleted names in request order, and why others failed."""

    deleted: list[str]
    failed: dict[str, str]


def put_file(*, access: Access, drive: str, name: str, content: Content, if_exists: IfExists = "replace") -> str:
    """Store or replace a whole file. Returns the stored name, which differs only with "keep-both".

    Raises InvalidInput (the name), NamesTaken, what `content` raises, EngineUnreachable and DiskFull; nothing has
    changed then.
    """
    disk_space.check_space_for_files()
    names.check_file_name(name)
    blob_id = uuid.uuid4()
    drive_id = allowed(run(files_sql.reserve_blob(access, drive, blob_id))).drive_id
    with discarded_on_error(blob_id):
        content_type = content.content_type or content_types.guess(name)
        owner = blobs.Owner(access.collection_id, drive, name, content_type)
        stored = store(blob_id, content, owner)
        with engine_errors(), transaction.atomic():
            take(stored)
            place = find_place(drive_id, name, if_exists=if_exists)
            point_file(
                access, drive, place, drive_id=drive_id, parts=[stored], manifest=None, content_type=content_type
            )
            reach("file-before-commit")
    reach("file-after-commit")
    return place


def get_file(*, access: Access, drive: str, name: str) -> StoredFile:
    """A file's metadata. Raises InvalidInput (the name) and FileNotFound."""
    names.check_file_name(name)
    _, _, blob_ids, blob_sizes, size_bytes, content_type, etag, changed_at = allowed(
        run(files_sql.get_file(access, drive, name))
    )
    if blob_ids is None:
        raise FileNotFound()
    return StoredFile(size_bytes, content_type, etag, changed_at, blob_ids, blob_sizes)


class Download:
    """Part of a file's bytes on their way out, from as many blobs as it takes. Iterate once, and always `close`.

    The bytes are those of the file that was asked for: garbage is kept longer than a download takes.
    """

    def __init__(self, file: StoredFile, *, start: int, length: int, may_come_again: bool = False) -> None:
        """Begins to read. `may_come_again`: whether a copy on this disk is worth it, as others may ask for the file too.

        Raises EngineUnreachable and BlobMissing.
        """
        self._file = file
        self._may_come_again = may_come_again
        self._spans = cut_spans(file.blob_sizes, start=start, length=length)
        self._share = take_share()
        self._reading: Reading | None = None
        try:
            if self._spans:
                self._reading = self._open(self._spans[0])
        except BaseException:
            self._share.give_back()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """Raises EngineUnreachable or BlobMissing when the bytes end too soon."""
        try:
            for number, span in enumerate(self._spans):
                if number > 0:
                    self._reading = self._open(span)
                if self._reading is not None:
                    yield from self._reading
        finally:
            self.close()

    def close(self) -> None:
        """Stop reading."""
        if self._reading is not None:
            self._reading.close()
        self._share.give_back()

    def _open(self, span: "Span") -> Reading:
        blob_id, size_bytes = self._file.blob_ids[span.blob], self._file.blob_sizes[span.blob]
        if self._may_come_again:
            copy = copies.read(blob_id, start=span.start, length=span.length, size_bytes=size_bytes)
            if copy is not None:
                return copy
        return blobs.read(blob_id, start=span.start, length=span.length, size_bytes=size_bytes)


def read_start(file: StoredFile, length: int) -> bytes:
    """The first bytes of a file, fewer than asked for when it has no more. Raises EngineUnreachable and BlobMissing."""
    with closing(Download(file, start=0, length=min(length, file.size_bytes))) as download:
        return b"".join(download)


def list_chosen(*, drive_id: int, names_given: list[str], ranges: list[tuple[str, str]]) -> dict[str, StoredFile]:
    """The files of these names and from each range's start (included) to its end (not), by name.

    Raises InvalidInput when there are more than 100,000.
    """
    most = limits.ZIP_MAX_FILES
    rows = run(moves_sql.list_chosen(drive_id, names_given, ranges, most + 1))
    if len(rows) > most:
        raise InvalidInput(f"More than {most:,} files are too many for one zip: take the folders one by one")
    return {row.name: StoredFile(*row[1:]) for row in rows}


class Span(NamedTuple):
    """The bytes to take of one of a file's blobs."""

    blob: int
    start: int
    length: int


def cut_spans(sizes: list[int], *, start: int, length: int) -> list[Span]:
    """What to take of which blob to get `length` bytes from `start`, in order; blobs that add nothing are left out."""
    spans, position, end = [], 0, start + length
    for index, size in enumerate(sizes):
        low, high = max(start, position), min(end, position + size)
        if low < high:
            spans.append(Span(index, low - position, high - low))
        position += size
    return spans


def list_files(
    *, access: Access, drive: str, limit: int, prefix: str = "", last: str = "", recursive: bool = True
) -> Page:
    """Up to `limit` names that start with `prefix`, after `last`.

    Without `recursive` a name is cut after the first `/` that follows the prefix; each such folder comes once and
    counts as a name. Raises InvalidInput for a prefix or last that no name could be.
    """
    names.check_name_part(prefix)
    names.check_name_part(last)
    limit = min(limit, limits.NAMES_PER_LIST)
    start, end = find_bounds(prefix=prefix, last=last, recursive=recursive)
    if recursive:
        statement = files_sql.list_names(access, drive, limit=limit + 1, start=start, end=end)
    else:
        statement = files_sql.list_entries(access, drive, limit=limit + 1, start=start, end=end, prefix=prefix)
    found = allowed(run(statement)).names
    return Page(found[:limit], found[limit - 1] if len(found) > limit else None)


def find_bounds(*, prefix: str, last: str, recursive: bool) -> tuple[str, str | None]:
    """Where a listing begins (included) and ends (not; None: with the Drive), by bytes.

    Names hold no control character, so the first name that could follow `a` is not below `a` and U+0001; and behind
    the folder `a/` goes on what is not below `a0`, as `0` comes next to `/`.
    """
    start = last + "\x01" if last else ""
    if not recursive and last.startswith(prefix):
        folder, slash, _ = last[len(prefix) :].partition("/")
        if slash:
            start = f"{prefix}{folder}0"
    return max(start, prefix), names.end_of_prefix(prefix)


def delete_files(*, access: Access, drive: str, names_given: list[object]) -> Deleted:
    """Remove 1 to 1,000 files in one transaction. A missing file counts as deleted; one that is written meanwhile may stay.

    Raises InvalidInput when there are none or too many, one is not a text, or every name is invalid.
    """
    if not 1 <= len(names_given) <= limits.NAMES_PER_DELETE:
        raise InvalidInput(
            "Bad names", f"A delete takes 1 to {limits.NAMES_PER_DELETE} names, this one has {len(names_given)}"
        )
    good, failed = [], {}
    for name in dict.fromkeys(_texts(names_given)):
        try:
            good.append(names.check_file_name(name))
        except InvalidInput:
            failed[name] = "invalid name"
    if not good:
        raise InvalidInput("Bad names", "Every name is invalid")
    with engine_errors(), transaction.atomic():
        locked = allowed(run(files_sql.lock_files(access, drive, good)))
        if locked.drive_id is not None:
            # Once more, as the locks may have been waited for.
            check_access(access=access, name=drive, write=True)
            # What came under another of the names since then is a later file.
            run(files_sql.delete_files(locked.drive_id, locked.names))
            reach("delete-before-commit")
    return Deleted(good, failed)


def check_access(*, access: Access, name: str, write: bool) -> None:
    """Raises Unauthorized or Forbidden unless the caller may read (or write) this Drive."""
    allowed(run(files_sql.resolve_drive(access, name, write=write)))


# What uploads.py writes with, too


@contextmanager
def discarded_on_error(blob_id: UUID) -> Iterator[None]:
    """Leave a pending blob to the sweeper when its write fails. One that has become live meanwhile stays."""
    try:
        yield
    except BaseException:
        with suppress(StorageError):
            run(files_sql.discard_blobs([blob_id]))
        raise


def store(blob_id: UUID, content: Content, owner: blobs.Owner) -> Stored:
    """Put the object of a pending blob, its bytes as they arrive. Raises DiskFull, as all that is stored goes through here."""
    disk_space.check_space_for_files()
    reach("blob-pending")
    with take_share():
        length, chunks = content.open()
        hashes = blobs.put(blob_id, length=length, chunks=chunks, owner=owner)
    reach("blob-put")
    return Stored(blob_id, length, *hashes)


def take(stored: Stored) -> None:
    """In the caller's transaction: the blob belongs to something now. Raises EngineUnreachable when it was given up."""
    if not run(files_sql.take_blob(*stored)):
        raise EngineUnreachable()


def point_file(
    access: Access,
    drive: str,
    name: str,
    *,
    drive_id: int | None,
    parts: list[Stored],
    manifest: UUID | None,
    content_type: str,
) -> None:
    """In the caller's transaction: point the name at these blobs, if the caller may write now. The first file creates the Drive.

    The right is asked for again here, as the bytes may have been on their way for long; and a Drive that was deleted or
    emptied on the way is looked for anew. Raises Unauthorized, also when the collection was deleted in the meantime, Forbidden,
    and EngineUnreachable.
    """
    for _ in range(_ATTEMPTS):
        if drive_id is None:
            drive_id = drives.ensure_drive(collection_id=access.collection_id, name=drive)
        run(files_sql.lock_file(drive_id, name))
        statement = files_sql.point_file(
            access,
            drive,
            name,
            drive_id=drive_id,
            blob_ids=[part.id for part in parts],
            blob_sizes=[part.size_bytes for part in parts],
            manifest_id=manifest,
            content_type=content_type,
            etag=make_etag([part.md5 for part in parts]),
        )
        if allowed(run(statement)).is_there:
            return
        drive_id = None
    raise EngineUnreachable("The Drive was deleted again and again in the meantime, please try again")


def find_place(drive_id: int | None, name: str, *, if_exists: IfExists) -> str:
    """In the caller's transaction: the name that a file is to get, held for it until the transaction ends.

    Raises NamesTaken when the file must not be there and is, InvalidInput when its name is too long to add a number.
    """
    if if_exists == "replace" or drive_id is None:
        return name
    run(files_sql.lock_file(drive_id, name))
    if not run(moves_sql.find_existing(drive_id, [name])):
        return name
    if if_exists == "fail":
        raise NamesTaken([name])
    while True:
        candidate = names.check_file_name(free_names.find_free_name(drive_id, name))
        run(files_sql.lock_file(drive_id, candidate))
        if not run(moves_sql.find_existing(drive_id, [candidate])):
            return candidate


def make_etag(md5s: list[str]) -> str:
    """One blob's MD5, or that of all their MD5s and their number, as S3 has it for objects of several parts."""
    if len(md5s) == 1:
        return md5s[0]
    return f"{hashlib.md5(bytes.fromhex(''.join(md5s)), usedforsecurity=False).hexdigest()}-{len(md5s)}"


def _texts(given: list[object]) -> list[str]:
    if not all(isinstance(name, str) for name in given):
        raise InvalidInput("Bad names", "A name is not a text")
    return [str(name) for name in given]
