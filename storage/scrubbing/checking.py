"""What is wrong with one blob: it is read from S3 itself, past every copy, and compared with what is known of it."""

from enum import StrEnum

from storage.errors import BlobMissing, EngineUnreachable
from storage.postgres.database import run
from storage.s3 import blobs
from storage.s3.blobs import Hashes
from storage.s3.transfer_slots import take_share
from storage.scrubbing import sql
from storage.scrubbing.sql import KnownBlob


class Damage(StrEnum):
    """What can be wrong with a blob."""

    MISSING = "missing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


def find_damage(blob: KnownBlob) -> Damage | None:
    """Read a blob and compare its hash; one whose SHA-256 was not known has it from now on, if its MD5 is right.

    What looks damaged is read twice, so that no fault on the way is taken for one. Raises EngineUnreachable when S3 is away.
    """
    return _look(blob) and _look(blob)


def is_right(blob: KnownBlob, found: Hashes) -> bool:
    """Whether bytes with these hashes are the blob's."""
    return found.sha256 == blob.sha256 if blob.sha256 else blob.md5 in (None, found.md5)


def _look(blob: KnownBlob) -> Damage | None:
    try:
        with take_share():
            found = blobs.find_hashes(blob.id, blob.size_bytes)
    except BlobMissing:
        return Damage.MISSING if blobs.find_size(blob.id) is None else Damage.CHANGED
    except EngineUnreachable:
        # An S3 that notices by itself what is wrong with an object breaks off, or says that it has failed.
        if blobs.find_fault() is not None:
            raise
        return Damage.UNREADABLE
    if not is_right(blob, found):
        return Damage.CHANGED
    if blob.sha256 is None:
        run(sql.learn_hash(blob.id, found.md5, found.sha256))
    return None
