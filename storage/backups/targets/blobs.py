"""The bytes of files on their way into a target. They never change, so each is copied once, for all backups together."""

import hashlib
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import zstandard

from storage.backups.faults import Damaged
from storage.backups.sql import blobs as blobs_sql
from storage.backups.sql.blobs import KnownBlob, ToBackUp
from storage.backups.targets import manifest as manifests
from storage.backups.targets.manifest import Manifest
from storage.backups.targets.places import Place
from storage.errors import BlobMissing
from storage.postgres.database import run, snapshot
from storage.s3 import blobs

_BATCH = 200
# A target on another machine answers late, and a file on a disk is synced: some at once hide that.
_AT_ONCE = 4
_FIRST_ID = UUID(int=0)


class ListedBlob(NamedTuple):
    """A blob as a backup's list has it; the SHA-256 in hexadecimal digits."""

    id: UUID
    size_bytes: int
    sha256: str


@dataclass
class Copied:
    """What a round of copying did. `unreadable` are those whose bytes the bucket does not have as the database says."""

    blobs: int = 0
    size_bytes: int = 0
    unreadable: list[UUID] = field(default_factory=list)


def path_of(blob_id: UUID) -> str:
    """Where a blob is in a target."""
    return f"{manifests.BLOBS}{blob_id.hex[:2]}/{blob_id.hex[2:4]}/{blob_id.hex}"


def copy_new(place: Place, *, seconds: float = float("inf")) -> Copied:
    """Copy what is not in the server's own target yet, and note that it is there.

    It begins nothing after so many seconds. Raises BackupFault and EngineUnreachable.
    """
    done, last, ends_at = Copied(), _FIRST_ID, time.monotonic() + seconds
    with ThreadPoolExecutor(_AT_ONCE, "backup") as threads:
        while found := run(blobs_sql.find_to_back_up(last, _BATCH)):
            last = found[-1].id
            hashes = dict(zip(found, threads.map(lambda each: _copy(place, each), found), strict=True))
            there = {each.id: sha256 for each, sha256 in hashes.items() if sha256}
            run(blobs_sql.mark_backed_up(list(there), list(there.values())))
            done.blobs += len(there)
            done.size_bytes += sum(each.size_bytes for each in found if each.id in there)
            done.unreadable += [each.id for each in found if each.id not in there and each.is_live]
            if time.monotonic() > ends_at:
                break
    return done


def copy_missing(place: Place, there: dict[UUID, str]) -> Copied:
    """Copy to a target that is not the server's own what it does not have.

    `there` are those that it has, with the SHA-256 of each; what is copied is added. Raises BackupFault and EngineUnreachable.
    """
    done, known = Copied(), set(there)
    with ThreadPoolExecutor(_AT_ONCE, "backup") as threads:
        for batch in _batches(each for each in _rows() if each.id not in known):
            wanted = [ToBackUp(each.id, each.size_bytes, each.md5, each.sha256, True) for each in batch]
            for each, sha256 in zip(wanted, threads.map(lambda each: _copy(place, each), wanted), strict=True):
                if sha256:
                    there[each.id] = sha256.hex()
                    done.blobs += 1
                    done.size_bytes += each.size_bytes
                else:
                    done.unreadable.append(each.id)
    return done


def forget_marks() -> None:
    """There is another target now: nothing is in it. Raises EngineUnreachable."""
    while run(blobs_sql.forget_marks(10_000)):
        pass


class BlobList:
    """The list of a backup's blobs while it is written; afterwards how many they are."""

    def __init__(self, there: dict[UUID, str] | None) -> None:
        """`there`: the SHA-256 of those in a target that is not the server's own."""
        self._there = there
        self.blobs = 0
        self.size_bytes = 0

    def chunks(self) -> Iterator[bytes]:
        """Its lines, compressed. Raises EngineUnreachable."""
        compressor = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
        for batch in _batches(_rows()):
            lines = []
            for each in batch:
                sha256 = self._hash_of(each)
                if sha256:
                    lines.append(f"{each.id.hex} {each.size_bytes} {sha256}\n")
                    self.blobs += 1
                    self.size_bytes += each.size_bytes
            yield compressor.compress("".join(lines).encode())
        yield compressor.flush()

    def _hash_of(self, blob: KnownBlob) -> str | None:
        if self._there is not None:
            return self._there.get(blob.id)
        return blob.backed_up_sha256.hex() if blob.backed_up_sha256 else None


def read_list(place: Place, backup: Manifest) -> Iterator[ListedBlob]:
    """The blobs of a backup, by their ids. Raises Missing, Damaged and BackupFault."""
    name = f"{manifests.LISTS}{backup.id}.zst"
    rest = b""
    for chunk in unpacked(place.open(name), name):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            blob_id, size, sha256 = line.decode().split(" ")
            yield ListedBlob(UUID(blob_id), int(size), sha256)


def unpacked(chunks: Iterable[bytes], name: str) -> Iterator[bytes]:
    """What was compressed. Raises Damaged, and what `chunks` raises."""
    reader = zstandard.ZstdDecompressor().decompressobj()
    try:
        for chunk in chunks:
            yield reader.decompress(chunk)
    except zstandard.ZstdError as error:
        raise Damaged(f"{name} is damaged: {error}.") from error
    if not reader.eof:
        raise Damaged(f"{name} is damaged: its end is missing.")


def _copy(place: Place, blob: ToBackUp) -> bytes | None:
    """Copy a blob as it is stored; its SHA-256, or None when the bucket does not have it as the database says."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        if blob.size_bytes:
            for chunk in blobs.read(blob.id, start=0, length=blob.size_bytes, size_bytes=blob.size_bytes):
                md5.update(chunk)
                sha256.update(chunk)
                yield chunk
        is_same = blob.md5 in (None, md5.hexdigest()) and blob.sha256 in (None, sha256.digest())
        if not is_same:
            raise BlobMissing()

    try:
        place.put(path_of(blob.id), chunks())
    except BlobMissing:
        return None
    return sha256.digest()


def _rows() -> Iterator[KnownBlob]:
    with snapshot() as seen:
        yield from seen.rows(blobs_sql.list_blobs())


def _batches(rows: Iterable[KnownBlob]) -> Iterator[list[KnownBlob]]:
    batch: list[KnownBlob] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
