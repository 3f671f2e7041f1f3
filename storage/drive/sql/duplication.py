"""Statements that copy a whole Drive: its files listed, and each stored anew with blobs of its own."""

from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement, Total


class Held(NamedTuple):
    files: int
    size_bytes: int


class ListedFile(NamedTuple):
    name: str
    size_bytes: int
    content_type: str
    etag: str
    blob_ids: list[UUID] | None
    blob_sizes: list[int]
    manifest_id: UUID | None


class BlobHashes(NamedTuple):
    id: UUID
    md5: str
    sha256: bytes | None


def count_all(drive_id: int) -> Statement[Held]:
    """Row: how many files a Drive has, and their size in bytes."""
    return Statement(
        "SELECT count(*), coalesce(sum(size_bytes), 0)::bigint FROM storage_file WHERE drive_id = $1", [drive_id], Held
    )


def list_all(duplication_id: UUID, drive_id: int) -> Statement[Held]:
    """Note the names of all files of a Drive at this moment. Row: how many there are, and their size in bytes."""
    return Statement(
        """
        WITH held AS MATERIALIZED (SELECT name, size_bytes FROM storage_file WHERE drive_id = $2), noted AS (
            INSERT INTO storage_filetocopy (duplication_id, name) SELECT $1, name FROM held
        )
        SELECT count(*), coalesce(sum(size_bytes), 0)::bigint FROM held
    """,
        [duplication_id, drive_id],
        Held,
    )


def copy_folders(drive_id: int, into: int) -> Statement[NoRow]:
    """Make the folders that somebody made by hand in a Drive in another as well. No row."""
    return Statement(
        """
        INSERT INTO storage_folder (drive_id, path, created_at) SELECT $2, path, now() FROM storage_folder
        WHERE drive_id = $1 ON CONFLICT DO NOTHING
    """,
        [drive_id, into],
        NoRow,
    )


def next_files(duplication_id: UUID, drive_id: int, limit: int) -> Statement[ListedFile]:
    """Rows: up to `limit` of the listed names in their order, each with its file, whose blobs are NULL when it is gone."""
    return Statement(
        """
        SELECT l.name, f.size_bytes, f.content_type, f.etag, f.blob_ids, f.blob_sizes, f.manifest_id
        FROM storage_filetocopy l LEFT JOIN storage_file f ON f.drive_id = $2 AND f.name = l.name
        WHERE l.duplication_id = $1 ORDER BY l.name LIMIT $3
    """,
        [duplication_id, drive_id, limit],
        ListedFile,
    )


def find_hashes(blob_ids: list[UUID]) -> Statement[BlobHashes]:
    """Rows: id, MD5, SHA-256 (if it is known by now) of those of the blobs that are known, and whose bytes are."""
    return Statement(
        "SELECT id, md5, sha256 FROM storage_blob WHERE id = ANY ($1::uuid[]) AND md5 IS NOT NULL",
        [blob_ids],
        BlobHashes,
    )


def hold_collection(collection_id: str) -> Statement[Affected]:
    """A row if there is the collection; it cannot be deleted until the transaction ends."""
    return Statement("SELECT 1 FROM storage_collection WHERE id = $1 FOR KEY SHARE", [collection_id], Affected)


def hold_drive(collection_id: str, drive_id: int) -> Statement[Affected]:
    """A row if the Drive is in this collection; it can't be moved, renamed, emptied or deleted until the transaction ends."""
    return Statement(
        "SELECT 1 FROM storage_drive WHERE id = $2 AND collection_id = $1 FOR KEY SHARE",
        [collection_id, drive_id],
        Affected,
    )


def add_file(
    drive_id: int,
    name: str,
    *,
    blob_ids: list[UUID],
    blob_sizes: list[int],
    manifest_id: UUID | None,
    content_type: str,
    etag: str,
) -> Statement[NoRow]:
    """Make a file under a free name of a locked Drive. No row.

    Its times are those of this statement, as a deletion of all that was there before it must not take it along.
    """
    return Statement(
        """
        INSERT INTO storage_file (drive_id, name, blob_ids, blob_sizes, manifest_id, size_bytes, content_type, etag,
            created_at, changed_at)
        SELECT $1, $2, $3::uuid[], $4::int[], $5::uuid, $6, $7, $8, moment, moment
        FROM (SELECT clock_timestamp() AS moment) n
    """,
        [drive_id, name, blob_ids, blob_sizes, manifest_id, sum(blob_sizes), content_type, etag],
        NoRow,
    )


def take_blobs(
    blob_ids: list[UUID], sizes: list[int], md5s: list[str], sha256s: list[bytes | None]
) -> Statement[Affected]:
    """Make pending blobs live. A row for each that was still pending."""
    return Statement(
        """
        UPDATE storage_blob b SET state = 'live', size_bytes = n.size_bytes, md5 = n.md5, sha256 = n.sha256,
            changed_at = now()
        FROM unnest($1::uuid[], $2::int[], $3::text[], $4::bytea[]) AS n(id, size_bytes, md5, sha256)
        WHERE b.id = n.id AND b.state = 'pending' RETURNING 1
    """,
        [blob_ids, sizes, md5s, sha256s],
        Affected,
    )


def forget_listed(duplication_id: UUID, names: list[str]) -> Statement[NoRow]:
    """Take names off the list. No row."""
    return Statement(
        "DELETE FROM storage_filetocopy WHERE duplication_id = $1 AND name = ANY ($2::text[])",
        [duplication_id, names],
        NoRow,
    )


def forget_list(duplication_id: UUID, limit: int) -> Statement[Total]:
    """Take up to `limit` names off the list. Row: how many."""
    return Statement(
        """
        WITH gone AS (
            DELETE FROM storage_filetocopy WHERE duplication_id = $1 AND name IN (
                SELECT name FROM storage_filetocopy WHERE duplication_id = $1 LIMIT $2)
            RETURNING 1)
        SELECT count(*) FROM gone
    """,
        [duplication_id, limit],
        Total,
    )


def forget_lost_lists(limit: int) -> Statement[Total]:
    """Forget up to `limit` names that no duplication is to copy any more. Row: how many."""
    return Statement(
        """
        WITH gone AS (
            DELETE FROM storage_filetocopy WHERE (duplication_id, name) IN (
                SELECT l.duplication_id, l.name FROM storage_filetocopy l
                WHERE NOT EXISTS (SELECT FROM storage_duplication d WHERE d.id = l.duplication_id) LIMIT $1)
            RETURNING 1)
        SELECT count(*) FROM gone
    """,
        [limit],
        Total,
    )
