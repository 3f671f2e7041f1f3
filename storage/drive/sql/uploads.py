"""Statements on uploads in parts. What takes turns locks the upload's row first, in a statement of its own."""

from typing import Literal, NamedTuple
from uuid import UUID

from storage.drive.sql.files import DriveAccess
from storage.postgres.caller import Access
from storage.postgres.sql.access import access
from storage.postgres.statements import NoRow, Params, Statement


class PersonUpload(NamedTuple):
    file_name: str
    size_bytes: int
    if_exists: Literal["replace", "keep-both", "fail"]
    has_ended: bool
    stored_name: str | None


class OpenUpload(NamedTuple):
    id: str
    file_name: str


class ReservedPart(NamedTuple):
    drive_id: int | None
    allowed: bool
    is_open: bool


class FoundUpload(NamedTuple):
    drive_id: int | None
    allowed: bool
    id: str | None
    has_ended: bool
    content_type: str | None


class LockedUpload(NamedTuple):
    content_type: str | None


class StoredPart(NamedTuple):
    number: int
    blob_id: UUID
    size_bytes: int
    md5: str


def start_upload(
    caller: Access, drive: str, *, upload_id: str, name: str, content_type: str | None
) -> Statement[DriveAccess]:
    """Row: drive_id, allowed."""
    params = Params()
    head = access(caller, drive, write=True, params=params, kind="drive")
    values = [params.add(each) for each in (upload_id, caller.collection_id, drive, name, content_type)]
    return Statement(
        f"""{head}, started AS (
        INSERT INTO storage_upload (id, collection_id, drive_name, file_name, content_type, touched_at)
        SELECT {", ".join(f"{value}::text" for value in values)}, now() FROM access WHERE allowed)
        SELECT drive_id, allowed FROM access
    """,
        params,
        DriveAccess,
    )


def start_person_upload(
    caller: Access,
    drive: str,
    *,
    upload_id: str,
    name: str,
    content_type: str | None,
    size_bytes: int,
    if_exists: str,
    fingerprint: str | None,
) -> Statement[NoRow]:
    """As `start_upload`, with what an upload from the console knows beforehand. No row."""
    return Statement(
        """
        INSERT INTO storage_upload (id, collection_id, drive_name, file_name, content_type, person_id, size_bytes, if_exists,
            fingerprint, touched_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now())
    """,
        [
            upload_id,
            caller.collection_id,
            drive,
            name,
            content_type,
            caller.person_id,
            size_bytes,
            if_exists,
            fingerprint,
        ],
        NoRow,
    )


def find_person_upload(caller: Access, drive: str, upload_id: str) -> Statement[PersonUpload]:
    """Row: the file's name, size in bytes, what to do if it exists, whether it has ended, the name it was stored under."""
    return Statement(
        """
        SELECT file_name, size_bytes, if_exists, ended_at IS NOT NULL, stored_name FROM storage_upload
        WHERE id = $1 AND person_id = $2 AND collection_id = $3 AND drive_name = $4
    """,
        [upload_id, caller.person_id, caller.collection_id, drive],
        PersonUpload,
    )


def resume_person_upload(
    caller: Access, drive: str, *, size_bytes: int, if_exists: str, fingerprint: str
) -> Statement[OpenUpload]:
    """Touch the youngest open upload of this person's for the same file, if there is one. Row: id, the file's name."""
    return Statement(
        """
        UPDATE storage_upload SET touched_at = now() WHERE id = (
            SELECT id FROM storage_upload
            WHERE person_id = $1 AND fingerprint = $2 AND collection_id = $3 AND drive_name = $4 AND size_bytes = $5
            AND if_exists = $6 AND ended_at IS NULL ORDER BY touched_at DESC LIMIT 1)
        RETURNING id, file_name
    """,
        [caller.person_id, fingerprint, caller.collection_id, drive, size_bytes, if_exists],
        OpenUpload,
    )


def reserve_part(caller: Access, drive: str, *, upload_id: str, name: str, blob_id: UUID) -> Statement[ReservedPart]:
    """Make a pending blob if there is such an open upload. Row: drive_id, allowed, whether there is."""
    params = Params()
    head = access(caller, drive, write=True, params=params, kind="drive")
    return Statement(
        f"""{head}, found AS MATERIALIZED (
            SELECT u.id FROM access a JOIN storage_upload u ON a.allowed AND {_is_it(params, caller, drive, upload_id, name)}
            WHERE u.ended_at IS NULL
        ), reserved AS (
            INSERT INTO storage_blob (id, state, changed_at) SELECT {params.add(blob_id)}::uuid, 'pending', now() FROM found
        )
        SELECT drive_id, allowed, EXISTS (SELECT FROM found) FROM access
    """,
        params,
        ReservedPart,
    )


def find_upload(caller: Access, drive: str, *, upload_id: str, name: str) -> Statement[FoundUpload]:
    """Row: drive_id, allowed, the upload's id or NULL, whether it has ended, its content type or NULL."""
    params = Params()
    head = access(caller, drive, write=True, params=params, kind="drive")
    return Statement(
        f"""{head}
        SELECT a.drive_id, a.allowed, u.id, u.ended_at IS NOT NULL, u.content_type FROM access a
        LEFT JOIN storage_upload u ON a.allowed AND {_is_it(params, caller, drive, upload_id, name)}
    """,
        params,
        FoundUpload,
    )


def lock_upload(upload_id: str, content_type: str | None = None) -> Statement[LockedUpload]:
    """Touch an upload that has not ended, and lock it until the transaction ends. Row: its content type or NULL.

    The type given here counts when the upload has none yet.
    """
    return Statement(
        """
        UPDATE storage_upload SET touched_at = now(), content_type = coalesce(content_type, $2::text)
        WHERE id = $1 AND ended_at IS NULL RETURNING content_type
    """,
        [upload_id, content_type],
        LockedUpload,
    )


def put_part(upload_id: str, number: int, blob_id: UUID) -> Statement[NoRow]:
    """Let a part of a locked upload mean this blob; what it meant before is garbage. No row."""
    return Statement(
        """
        WITH garbage AS (
            UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM storage_part p
            WHERE p.upload_id = $1 AND p.number = $2 AND b.id = p.blob_id
        )
        INSERT INTO storage_part (upload_id, number, blob_id) VALUES ($1, $2, $3)
        ON CONFLICT (upload_id, number) DO UPDATE SET blob_id = excluded.blob_id
    """,
        [upload_id, number, blob_id],
        NoRow,
    )


def get_parts(upload_id: str) -> Statement[StoredPart]:
    """Rows by number: number, blob id, size in bytes, MD5."""
    return Statement(
        """
        SELECT p.number, b.id, b.size_bytes, b.md5 FROM storage_part p JOIN storage_blob b ON b.id = p.blob_id
        WHERE p.upload_id = $1 ORDER BY p.number
    """,
        [upload_id],
        StoredPart,
    )


def end_upload(upload_id: str, stored_name: str) -> Statement[NoRow]:
    """A locked upload has ended; its parts' blobs belong to the file of this name now. No row."""
    return Statement(
        """
        WITH gone AS (DELETE FROM storage_part WHERE upload_id = $1)
        UPDATE storage_upload SET ended_at = now(), stored_name = $2 WHERE id = $1
    """,
        [upload_id, stored_name],
        NoRow,
    )


def drop_upload(upload_id: str) -> Statement[NoRow]:
    """Remove a locked upload; its parts' blobs are garbage. No row."""
    return Statement(
        """
        WITH gone AS (DELETE FROM storage_part WHERE upload_id = $1 RETURNING blob_id),
        garbage AS (
            UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM gone WHERE b.id = gone.blob_id
        )
        DELETE FROM storage_upload WHERE id = $1
    """,
        [upload_id],
        NoRow,
    )


def _is_it(params: Params, caller: Access, drive: str, upload_id: str, name: str) -> str:
    return (
        f"u.id = {params.add(upload_id)}::text AND u.collection_id = {params.add(caller.collection_id)}::text"
        f" AND u.drive_name = {params.add(drive)}::text AND u.file_name = {params.add(name)}::text"
        # A person's upload is theirs alone; one that an app began with a data key is everybody's who may write.
        f" AND (u.person_id IS NULL OR u.person_id = {params.add(caller.person_id)}::int)"
    )


def drop_parts(upload_ids: list[str]) -> Statement[NoRow]:
    """Remove the parts of archives; their blobs are garbage. No row."""
    return Statement(
        """
        WITH gone AS (DELETE FROM storage_part WHERE upload_id = ANY ($1) RETURNING blob_id)
        UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM gone WHERE b.id = gone.blob_id
    """,
        [upload_ids],
        NoRow,
    )
