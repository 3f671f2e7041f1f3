"""Statements that rename, move, delete and restore files: rows change, blobs stay.

A change of many names first locks the Drive with `lock_drive`; a write of one name shares that lock (see
`storage/drive/sql/files.py`). Without it, a write to a name could take the blobs of a file that has just moved away for
its own old ones, and make them garbage.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement, Total

_FILE = "size_bytes, content_type, etag, blob_ids, blob_sizes, manifest_id, created_at, changed_at"

# What a deletion takes: a file that was written before it was asked for, under a name that it has not set aside yet. What
# is there under such a name came later, though it may be older: it was moved there, or brought back. The look-up stands
# alone, so that no plan joins all that were set aside for each batch.
_OLD = """changed_at <= {asked_at}::timestamptz AND (
            SELECT d.name FROM storage_deletedfile d WHERE d.deletion_id = {deletion} AND d.name = f.name) IS NULL"""


class DriveId(NamedTuple):
    id: int


class FileName(NamedTuple):
    name: str


class Held(NamedTuple):
    files: int
    size_bytes: int


class ChosenFile(NamedTuple):
    name: str
    size_bytes: int
    content_type: str
    etag: str
    changed_at: datetime
    blob_ids: list[UUID]
    blob_sizes: list[int]


def lock_drive(drive_id: int) -> Statement[NoRow]:
    """Wait for all writes to names of this Drive, and block new ones until the transaction ends."""
    return Statement("SELECT pg_advisory_xact_lock(hashtextextended('', $1::bigint))", [drive_id], NoRow)


def hold_drive(drive_id: int) -> Statement[Affected]:
    """A row if the Drive still exists; it cannot be deleted until the transaction ends."""
    return Statement("SELECT 1 FROM storage_drive WHERE id = $1 FOR KEY SHARE", [drive_id], Affected)


def find_drive(collection_id: str, name: str) -> Statement[DriveId]:
    """Row: id."""
    return Statement(
        "SELECT id FROM storage_drive WHERE collection_id = $1 AND name = $2", [collection_id, name], DriveId
    )


def find_existing(drive_id: int, names: list[str]) -> Statement[FileName]:
    """Rows: those of the names that are files."""
    return Statement(
        "SELECT name FROM storage_file WHERE drive_id = $1 AND name = ANY ($2::text[]) ORDER BY name",
        [drive_id, names],
        FileName,
    )


def list_names_within(drive_id: int, start: str, end: str | None, limit: int) -> Statement[FileName]:
    """Rows: up to `limit` names of files from `start` (included) to `end` (not), in order."""
    upper = "" if end is None else "AND name < $4::text"
    return Statement(
        f"SELECT name FROM storage_file WHERE drive_id = $1 AND name >= $2::text {upper} ORDER BY name LIMIT $3",
        [drive_id, start, limit, *([] if end is None else [end])],
        FileName,
    )


def rename_files(drive_id: int, names: list[str], new_names: list[str]) -> Statement[Affected]:
    """Give files of a locked Drive other names, which must be free; their share links follow. A row for each that existed."""
    return Statement(
        """
        WITH linked AS (
            UPDATE storage_sharelink l SET file_name = n.new
            FROM unnest($2::text[], $3::text[]) AS n(old, new), storage_file f
            WHERE l.drive_id = $1 AND l.file_name = n.old
            AND f.drive_id = $1 AND f.name = n.old AND f.created_at = l.file_created_at
        )
        UPDATE storage_file f SET name = n.new FROM unnest($2::text[], $3::text[]) AS n(old, new)
        WHERE f.drive_id = $1 AND f.name = n.old RETURNING 1
    """,
        [drive_id, names, new_names],
        Affected,
    )


def count_within(drive_id: int, names: list[str], ranges: list[tuple[str, str]]) -> Statement[Held]:
    """Row: how many files these names and these ranges of names are, and their size in bytes. They must not overlap."""
    starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
    return Statement(
        """
        SELECT coalesce(sum(part.files), 0)::bigint, coalesce(sum(part.size_bytes), 0)::bigint FROM (
            SELECT count(*) AS files, sum(size_bytes) AS size_bytes FROM storage_file
            WHERE drive_id = $1 AND name = ANY ($2::text[])
            UNION ALL
            SELECT held.files, held.size_bytes FROM unnest($3::text[], $4::text[]) AS r(low, high) CROSS JOIN LATERAL (
                SELECT count(*) AS files, sum(f.size_bytes) AS size_bytes FROM storage_file f
                WHERE f.drive_id = $1 AND f.name >= r.low AND f.name < r.high
            ) held
        ) part
    """,
        [drive_id, names, starts, ends],
        Held,
    )


def list_chosen(drive_id: int, names: list[str], ranges: list[tuple[str, str]], limit: int) -> Statement[ChosenFile]:
    """Up to `limit` files of these names and ranges.

    Row: name, size in bytes, content type, etag, changed_at, blob ids, their sizes.
    """
    starts, ends = [start for start, _ in ranges], [end for _, end in ranges]
    return Statement(
        """
        SELECT name, size_bytes, content_type, etag, changed_at, blob_ids, blob_sizes FROM (
            SELECT f.* FROM storage_file f WHERE f.drive_id = $1 AND f.name = ANY ($2::text[])
            UNION ALL
            SELECT held.* FROM unnest($3::text[], $4::text[]) AS r(low, high) CROSS JOIN LATERAL (
                SELECT f.* FROM storage_file f WHERE f.drive_id = $1 AND f.name >= r.low AND f.name < r.high
            ) held
        ) chosen ORDER BY name LIMIT $5
    """,
        [drive_id, names, starts, ends, limit],
        ChosenFile,
    )


def lock_deletion(deletion_id: int) -> Statement[Affected]:
    """Lock a deletion until the transaction ends. A row if there is one."""
    return Statement("SELECT 1 FROM storage_filedeletion WHERE id = $1 FOR UPDATE", [deletion_id], Affected)


def set_files_aside(deletion_id: int, drive_id: int, names: list[str], asked_at: object) -> Statement[Total]:
    """Let files of a locked Drive be deleted ones of this deletion, if they are still to be. Row: how many."""
    return Statement(
        f"""
        WITH gone AS (
            DELETE FROM storage_file f WHERE drive_id = $2 AND name = ANY ($3::text[])
            AND {_OLD.format(asked_at="$4", deletion="$1")} RETURNING name, {_FILE}
        ), kept AS (
            INSERT INTO storage_deletedfile (deletion_id, name, {_FILE}) SELECT $1, name, {_FILE} FROM gone RETURNING 1
        )
        SELECT count(*) FROM kept
    """,
        [deletion_id, drive_id, names, asked_at],
        Total,
    )


def list_old_names_within(
    deletion_id: int, drive_id: int, start: str, end: str | None, asked_at: object, limit: int
) -> Statement[FileName]:
    """As `list_names_within`, of files that this deletion is still to set aside."""
    upper = "" if end is None else "AND name < $6::text"
    return Statement(
        f"""
        SELECT name FROM storage_file f WHERE drive_id = $2 AND name >= $3::text {upper}
        AND {_OLD.format(asked_at="$4", deletion="$1")} ORDER BY name LIMIT $5
    """,
        [deletion_id, drive_id, start, asked_at, limit, *([] if end is None else [end])],
        FileName,
    )


def find_old_existing(
    deletion_id: int, drive_id: int, names: list[str], asked_at: object, limit: int
) -> Statement[FileName]:
    """Rows: up to `limit` of the names that are files which this deletion is still to set aside."""
    return Statement(
        f"""
        SELECT name FROM storage_file f WHERE drive_id = $2 AND name = ANY ($3::text[])
        AND {_OLD.format(asked_at="$4", deletion="$1")} ORDER BY name LIMIT $5
    """,
        [deletion_id, drive_id, names, asked_at, limit],
        FileName,
    )


def list_deleted(deletion_id: int, limit: int) -> Statement[FileName]:
    """Rows: up to `limit` names of deleted files."""
    return Statement(
        "SELECT name FROM storage_deletedfile WHERE deletion_id = $1 ORDER BY name LIMIT $2",
        [deletion_id, limit],
        FileName,
    )


def restore_files(deletion_id: int, drive_id: int, names: list[str], new_names: list[str]) -> Statement[Affected]:
    """Let deleted files be files of a locked Drive again, under names that must be free; share links follow. A row for each."""
    return Statement(
        f"""
        WITH back AS (
            DELETE FROM storage_deletedfile d USING unnest($3::text[], $4::text[]) AS n(old, new)
            WHERE d.deletion_id = $1 AND d.name = n.old RETURNING n.new AS new_name, d.*
        ), linked AS (
            UPDATE storage_sharelink l SET file_name = back.new_name FROM back
            WHERE l.drive_id = $2 AND l.file_name = back.name AND l.file_created_at = back.created_at
            AND back.new_name <> back.name
        )
        INSERT INTO storage_file (drive_id, name, {_FILE}) SELECT $2, new_name, {_FILE} FROM back RETURNING 1
    """,
        [deletion_id, drive_id, names, new_names],
        Affected,
    )


def forget_deleted(deletion_id: int, limit: int) -> Statement[Total]:
    """Remove up to `limit` deleted files for good: their blobs are garbage. Row: how many."""
    return Statement(
        """
        WITH gone AS (
            DELETE FROM storage_deletedfile WHERE (deletion_id, name) IN (
                SELECT deletion_id, name FROM storage_deletedfile WHERE deletion_id = $1 LIMIT $2)
            RETURNING blob_ids || manifest_id AS ids
        ), garbage AS (
            UPDATE storage_blob SET state = 'garbage', changed_at = now() WHERE id IN (SELECT unnest(ids) FROM gone)
        )
        SELECT count(*) FROM gone
    """,
        [deletion_id, limit],
        Total,
    )


def forget_damaged(blob_ids: list[UUID]) -> Statement[NoRow]:
    """Remove deleted files that are made of any of these blobs: they could not be restored. No row."""
    return Statement(
        """
        WITH gone AS (
            DELETE FROM storage_deletedfile WHERE (deletion_id, name) IN (
                SELECT f.deletion_id, f.name
                FROM (SELECT deletion_id, name, unnest(blob_ids) AS blob_id FROM storage_deletedfile) f
                JOIN unnest($1::uuid[]) AS asked(id) ON asked.id = f.blob_id)
            RETURNING blob_ids || manifest_id AS ids
        )
        UPDATE storage_blob SET state = 'garbage', changed_at = now() WHERE id IN (SELECT unnest(ids) FROM gone)
    """,
        [blob_ids],
        NoRow,
    )
