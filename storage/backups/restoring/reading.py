"""Reads what a backup has, compared with its hash: the backup's own files, the log, and the bytes of blobs."""

import hashlib
from collections.abc import Iterator

from storage.backups.faults import Damaged, Missing
from storage.backups.sql.restored import BlobToRestore
from storage.backups.targets import blobs as copies
from storage.backups.targets import manifest as manifests
from storage.backups.targets import wal
from storage.backups.targets.manifest import Manifest
from storage.backups.targets.places import Place
from storage.backups.targets.wal import Segment
from storage.s3 import blobs


def checked(place: Place, backup: Manifest, name: str) -> Iterator[bytes]:
    """A file of a backup. Raises Damaged, at its end at the latest, and Missing."""
    wanted = backup.file(name)
    if wanted is None:
        raise Damaged(f"The manifest of {backup.id} does not have {name}.")
    digest = hashlib.sha256()
    for chunk in place.open(name):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != wanted.sha256:
        raise Damaged(f"{place}/{name} is damaged: its SHA-256 is another one than in the manifest.")


def read_log(place: Place, segment: Segment) -> bytes:
    """A part of the log, or what has taken its place since it was listed, with more of it. Raises Damaged and Missing."""
    try:
        return _read_segment(place, segment)
    except Missing:
        near = (wal.read_segment(entry.name) for entry in place.entries(segment.path.rpartition("/")[0] + "/"))
        longer = wal.longest_of_each(each for each in near if each and each.name == segment.name)
        if segment.name not in longer:
            raise
        return _read_segment(place, longer[segment.name])


def _read_segment(place: Place, segment: Segment) -> bytes:
    packed = place.read(segment.path)
    if manifests.hash_of(packed) != segment.sha256:
        raise Damaged(f"{place}/{segment.path} is damaged: its SHA-256 is another one than in its name.")
    content = b"".join(copies.unpacked([packed], segment.path))
    if len(content) != segment.size_bytes:
        raise Damaged(f"{place}/{segment.path} is damaged: it has another length than in its name.")
    return content


def read_blob(place: Place, blob: BlobToRestore) -> bytes:
    """The bytes of a file's blob. Raises Damaged and Missing."""
    content = place.read(copies.path_of(blob.id))
    is_same = blob.md5 is None or hashlib.md5(content, usedforsecurity=False).hexdigest() == blob.md5
    if blob.sha256 is not None:
        is_same = hashlib.sha256(content).digest() == bytes(blob.sha256)
    if not is_same or len(content) != blob.size_bytes:
        file = f" It is of {blob.drive}/{blob.name}." if blob.name else ""
        raise Damaged(
            f"{place}/{copies.path_of(blob.id)} is damaged: its hash is another one than in the database.{file}"
        )
    return content


def owner_of(blob: BlobToRestore) -> blobs.Owner:
    """What its metadata says, as far as the database knows."""
    return blobs.Owner(blob.collection_id, blob.drive, blob.name, blob.content_type, "", blob.part, blob.is_manifest)
