"""Statements on which blobs are in the backup target."""

from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement


class ToBackUp(NamedTuple):
    id: UUID
    size_bytes: int
    md5: str | None
    sha256: bytes | None
    is_live: bool


class KnownBlob(NamedTuple):
    """`backed_up_sha256` is None while it is not in the server's own target."""

    id: UUID
    size_bytes: int
    md5: str | None
    sha256: bytes | None
    backed_up_sha256: bytes | None


def find_to_back_up(after: UUID, limit: int) -> Statement[ToBackUp]:
    """Rows: blobs that are not in the target yet, by their ids, from behind one on."""
    return Statement(
        """
        SELECT id, size_bytes, md5, sha256, state = 'live' FROM storage_blob
        WHERE backed_up_sha256 IS NULL AND size_bytes IS NOT NULL AND NOT state = 'pending' AND id > $1
        ORDER BY id LIMIT $2
    """,
        [after, limit],
        ToBackUp,
    )


def mark_backed_up(blob_ids: list[UUID], hashes: list[bytes]) -> Statement[NoRow]:
    """Note that blobs are in the target, and their SHA-256. No row."""
    return Statement(
        """
        UPDATE storage_blob b SET backed_up_sha256 = n.sha256
        FROM unnest($1::uuid[], $2::bytea[]) AS n(id, sha256) WHERE b.id = n.id
    """,
        [blob_ids, hashes],
        NoRow,
    )


def forget_marks(limit: int) -> Statement[Affected]:
    """Note of so many blobs that they are in no target: there is another one now. A row for each."""
    return Statement(
        """
        UPDATE storage_blob SET backed_up_sha256 = NULL
        WHERE id IN (SELECT id FROM storage_blob WHERE backed_up_sha256 IS NOT NULL LIMIT $1) RETURNING 1
    """,
        [limit],
        Affected,
    )


def list_blobs() -> Statement[KnownBlob]:
    """Rows: every blob that has bytes, by its id."""
    return Statement(
        """
        SELECT id, size_bytes, md5, sha256, backed_up_sha256 FROM storage_blob
        WHERE size_bytes IS NOT NULL AND NOT state = 'pending' ORDER BY id
    """,
        [],
        KnownBlob,
    )
