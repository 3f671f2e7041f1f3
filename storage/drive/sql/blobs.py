"""Statements of the sweeper and of `reconcile`, on blobs as such. Ages are counted by the database's clock."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement

# The blobs of files, of files that were deleted but may come back, of parts, and of thumbnails.
_REFERENCED = """
    SELECT unnest(blob_ids || manifest_id) FROM storage_file
    UNION ALL SELECT unnest(blob_ids || manifest_id) FROM storage_deletedfile
    UNION ALL SELECT blob_id FROM storage_part
    UNION ALL SELECT thumb_id FROM storage_thumbnail WHERE thumb_id IS NOT NULL
"""


class BlobId(NamedTuple):
    id: UUID


class OrphanedObject(NamedTuple):
    id: UUID
    size_bytes: int
    modified_at: datetime


class MissingBlob(NamedTuple):
    id: UUID
    size_bytes: int


class FileOfBlob(NamedTuple):
    collection_id: str
    drive: str
    name: str
    drive_id: int


def abandon_pending_blobs(age_seconds: int) -> Statement[Affected]:
    """Pending blobs this old are garbage from now on; a write that still wants one fails. A row for each."""
    return Statement(
        """
        UPDATE storage_blob SET state = 'garbage', changed_at = now()
        WHERE state = 'pending' AND changed_at < now() - make_interval(secs => $1) RETURNING 1
    """,
        [age_seconds],
        Affected,
    )


def drop_old_uploads(age_seconds: int, limit: int) -> Statement[Affected]:
    """Forget uploads untouched this long, ended ones too; the blobs of open ones are garbage. A row for each."""
    return Statement(
        """
        WITH old AS MATERIALIZED (
            SELECT id FROM storage_upload WHERE touched_at < now() - make_interval(secs => $1)
            ORDER BY touched_at LIMIT $2 FOR UPDATE SKIP LOCKED
        ), gone AS (
            DELETE FROM storage_part USING old WHERE upload_id = old.id RETURNING blob_id
        ), garbage AS (
            UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM gone WHERE b.id = gone.blob_id
        )
        DELETE FROM storage_upload u USING old WHERE u.id = old.id RETURNING 1
    """,
        [age_seconds, limit],
        Affected,
    )


def find_garbage(
    age_seconds: int, limit: int, *, spares_archives: bool = True, backup_wait_seconds: int = 0
) -> Statement[BlobId]:
    """Rows: ids of blobs that have been garbage this long, oldest first.

    One that had bytes and is not in the backups yet waits for that, no longer than `backup_wait_seconds`.

    An export reads one moment of the collection for as long as it takes, so what became garbage after it began stays.
    Five minutes are for the writes that were under way then: their time is that of their beginning. Unless `spares_archives`,
    only an export that goes to the reader of a command keeps anything: one that is stored would find no room anyway.
    """
    return Statement(
        """
        SELECT id FROM storage_blob WHERE state = 'garbage' AND changed_at < now() - make_interval(secs => $1)
        AND changed_at < (SELECT coalesce(min(started_at), 'infinity') - interval '5 minutes' FROM storage_export
                          WHERE state = 'running' AND (is_direct OR $3))
        AND (backed_up_sha256 IS NOT NULL OR size_bytes IS NULL OR changed_at < now() - make_interval(secs => $4))
        ORDER BY changed_at LIMIT $2
    """,
        [age_seconds, limit, spares_archives, backup_wait_seconds],
        BlobId,
    )


def forget_garbage(blob_ids: list[UUID]) -> Statement[NoRow]:
    """Remove the rows of garbage whose objects are gone. No row."""
    return Statement("DELETE FROM storage_blob WHERE id = ANY ($1) AND state = 'garbage'", [blob_ids], NoRow)


def put_off_garbage(blob_ids: list[UUID]) -> Statement[NoRow]:
    """Let garbage wait as long as if it had become that now. No row."""
    return Statement(
        "UPDATE storage_blob SET changed_at = now() WHERE id = ANY ($1) AND state = 'garbage'", [blob_ids], NoRow
    )


def make_seen() -> Statement[NoRow]:
    """Make the session's own table `seen`, empty, of what a listing of the bucket says. No row."""
    return Statement(
        "CREATE TEMP TABLE IF NOT EXISTS seen (id uuid PRIMARY KEY, size_bytes bigint, modified_at timestamptz)",
        [],
        NoRow,
    )


def empty_seen() -> Statement[NoRow]:
    """Forget an earlier listing. No row."""
    return Statement("TRUNCATE seen", [], NoRow)


def note_seen(ids: list[UUID], sizes: list[int], modified: list[datetime]) -> Statement[NoRow]:
    """Enter objects of the listing. No row."""
    return Statement(
        """
        INSERT INTO seen SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[]) ON CONFLICT DO NOTHING
    """,
        [ids, sizes, modified],
        NoRow,
    )


def find_orphans() -> Statement[OrphanedObject]:
    """Rows: id, size in bytes, when last modified of listed objects that no blob's row knows."""
    return Statement(
        """
        SELECT id, size_bytes, modified_at FROM seen
        WHERE NOT EXISTS (SELECT FROM storage_blob b WHERE b.id = seen.id) ORDER BY modified_at
    """,
        [],
        OrphanedObject,
    )


def find_missing() -> Statement[MissingBlob]:
    """Rows: id, size in bytes of live blobs that the listing does not have, or has with another size."""
    return Statement(
        """
        SELECT b.id, b.size_bytes FROM storage_blob b LEFT JOIN seen ON seen.id = b.id
        WHERE b.state = 'live' AND seen.size_bytes IS DISTINCT FROM b.size_bytes ORDER BY b.id
    """,
        [],
        MissingBlob,
    )


def discard_unreferenced() -> Statement[BlobId]:
    """Live blobs that nothing refers to are garbage from now on. A row with the id of each."""
    return Statement(
        f"""
        UPDATE storage_blob b SET state = 'garbage', changed_at = now()
        FROM (
            SELECT id FROM storage_blob WHERE state = 'live'
            EXCEPT ({_REFERENCED})
        ) loose
        WHERE b.id = loose.id AND b.state = 'live' RETURNING b.id
    """,
        [],
        BlobId,
    )


def find_unreferenced() -> Statement[BlobId]:
    """Rows: ids of live blobs that nothing refers to."""
    return Statement(
        f"""
        SELECT id FROM storage_blob WHERE state = 'live'
        EXCEPT ({_REFERENCED})
    """,
        [],
        BlobId,
    )


def find_files_of(blob_ids: list[UUID]) -> Statement[FileOfBlob]:
    """Rows: collection id, Drive's name, file's name, Drive's id of the files made of any of these blobs."""
    return Statement(
        """
        SELECT DISTINCT d.collection_id, d.name, f.name, d.id
        FROM unnest($1::uuid[]) AS asked(id)
        JOIN (SELECT drive_id, name, unnest(blob_ids) AS blob_id FROM storage_file) f ON f.blob_id = asked.id
        JOIN storage_drive d ON d.id = f.drive_id ORDER BY d.collection_id, d.name, f.name
    """,
        [blob_ids],
        FileOfBlob,
    )


def drop_parts_of(blob_ids: list[UUID]) -> Statement[NoRow]:
    """Let open uploads forget the parts that are these blobs, which are garbage then. No row."""
    return Statement(
        """
        WITH gone AS (DELETE FROM storage_part WHERE blob_id = ANY ($1) RETURNING blob_id)
        UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM gone WHERE b.id = gone.blob_id
    """,
        [blob_ids],
        NoRow,
    )


def adopt_blob(blob_id: UUID, size_bytes: int, md5: str, sha256: bytes | None) -> Statement[Affected]:
    """Enter a blob that is in the bucket but was not known. A row, unless it is known by now."""
    return Statement(
        """
        INSERT INTO storage_blob (id, state, size_bytes, md5, sha256, changed_at) VALUES ($1, 'live', $2, $3, $4, now())
        ON CONFLICT DO NOTHING RETURNING 1
    """,
        [blob_id, size_bytes, md5, sha256],
        Affected,
    )


def forget_thumbnails(blob_ids: list[UUID]) -> Statement[NoRow]:
    """Forget the thumbnails of files that began with these blobs, which are gone: theirs are garbage. No row."""
    return Statement(
        """
        WITH gone AS (DELETE FROM storage_thumbnail WHERE blob_id = ANY ($1) RETURNING thumb_id)
        UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM gone WHERE b.id = gone.thumb_id
    """,
        [blob_ids],
        NoRow,
    )


def drop_thumbnails_of(thumb_ids: list[UUID]) -> Statement[NoRow]:
    """Let thumbnails that are these blobs be made anew when they are wanted again. No row."""
    return Statement("DELETE FROM storage_thumbnail WHERE thumb_id = ANY ($1)", [thumb_ids], NoRow)
