"""Where the bytes of a damaged blob come from, and how they take its place.

They are compared before they are put, and read back after. The object keeps its key, so that no file, part or manifest has to
be changed: S3 replaces an object whole, and until then the old one stays. A download that is reading the damaged object either
ends with its bytes or breaks off; it is never told that it has all when it has not.
"""

import logging
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import IO

from storage.backups import ownership, plans
from storage.backups.faults import BackupFault
from storage.backups.targets import blobs as backups
from storage.errors import BlobMissing, StorageError
from storage.postgres.database import run
from storage.s3 import blobs
from storage.s3.blobs import Hashing, Owner
from storage.s3.cache import copies
from storage.s3.transfer_slots import take_share
from storage.scrubbing import sql
from storage.scrubbing.checking import is_right
from storage.scrubbing.sql import KnownBlob, UseOfBlob

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 1_048_576
# Smaller ones stay in memory.
_IN_MEMORY_BYTES = 8 * 1_048_576

Source = Callable[[KnownBlob], Iterable[Iterable[bytes]]]


def heal(blob: KnownBlob, use: UseOfBlob) -> str | None:
    """Put a damaged blob's bytes back from wherever the right ones are; where they came from in words, or None.

    Raises EngineUnreachable and DiskFull.
    """
    for name, find in SOURCES.items():
        for content in _found(name, find, blob):
            with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as kept:
                if _take(blob, content, name, kept):
                    _put(blob, use, kept)
                    return name
    return None


def _found(name: str, find: Source, blob: KnownBlob) -> Iterator[Iterable[bytes]]:
    try:
        yield from find(blob)
    except (StorageError, BackupFault, OSError) as error:
        logger.warning("%s of blob %s could not be had: %s", name, blob.id, error)


def _take(blob: KnownBlob, content: Iterable[bytes], name: str, kept: "IO[bytes]") -> bool:
    """Whether the content was there and right; it is in `kept` then."""
    hashing, size_bytes = Hashing(), 0
    try:
        for chunk in hashing.watch(content):
            size_bytes += len(chunk)
            if size_bytes > blob.size_bytes:
                return False
            kept.write(chunk)
    except (StorageError, BackupFault, OSError) as error:
        logger.warning("%s of blob %s could not be read: %s", name, blob.id, error)
        return False
    return size_bytes == blob.size_bytes and is_right(blob, hashing.found())


def _put(blob: KnownBlob, use: UseOfBlob, kept: "IO[bytes]") -> None:
    kept.seek(0)
    with take_share():
        blobs.put(blob.id, length=blob.size_bytes, chunks=_chunks(kept), owner=_owner(blob, use))
        if not is_right(blob, blobs.find_hashes(blob.id, blob.size_bytes)):
            raise BlobMissing()
    copies.forget([blob.id])


def _chunks(file: "IO[bytes]") -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk


def _owner(blob: KnownBlob, use: UseOfBlob) -> Owner:
    """What the object's metadata says, or what the database knows of it where that is lost."""
    known = blobs.find_owner(blob.id)
    if known:
        return known
    is_manifest = use.manifest_id == blob.id
    is_part = bool(use.manifest_id) and not is_manifest
    return Owner(
        use.collection_id,
        use.drive_name,
        use.name,
        use.content_type,
        upload_id=(use.manifest_id or uuid.uuid4()).hex if is_part else "",
        part=(use.number or 0) if is_part else 0,
        is_manifest=is_manifest,
    )


# Where the bytes may be


def _cached(blob: KnownBlob) -> Iterator[Iterable[bytes]]:
    file = copies.open_whole(blob.id)
    if file:
        with file:
            yield _chunks(file)
            # They were not the right ones: nobody is to download them.
            copies.forget([blob.id])


def _twins(blob: KnownBlob) -> Iterator[Iterable[bytes]]:
    for twin in run(sql.find_twins(blob)):
        yield blobs.read(twin.id, start=0, length=twin.size_bytes, size_bytes=twin.size_bytes)


def _backed_up(blob: KnownBlob) -> Iterator[Iterable[bytes]]:
    """From the server's own target of backups, as far as it has one."""
    row = plans.read_row()
    plan = plans.read_plan(row)
    if plan.target and row.target_id:
        yield ownership.open_own(plan, row).open(backups.path_of(blob.id))


def _manifest(blob: KnownBlob) -> Iterator[Iterable[bytes]]:
    """A manifest only lists what the database lists as well."""
    for listed in run(sql.find_listed(blob.id)):
        yield [blobs.write_manifest(listed.blob_ids)]


SOURCES: dict[str, Source] = {
    "the list of its parts": _manifest,
    "a copy on this machine": _cached,
    "another file with the same bytes": _twins,
    "a backup": _backed_up,
}
