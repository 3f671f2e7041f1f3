"""Statements on files: who may, what is stored under a name, and the life of blobs.

A statement that moves a blob from one state to the next names the state it leaves, so that of two who try one fails.
Where a row may be new, a lock comes in a statement of its own, before: each statement sees what was committed when it
began, and what it waited for would be missed.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.postgres.caller import Access
from storage.postgres.sql.access import access
from storage.postgres.statements import Affected, NoRow, Params, Statement


class DriveAccess(NamedTuple):
    drive_id: int | None
    allowed: bool


class FoundFile(NamedTuple):
    drive_id: int | None
    allowed: bool
    blob_ids: list[UUID] | None
    blob_sizes: list[int]
    size_bytes: int
    content_type: str
    etag: str
    changed_at: datetime


class Pointed(NamedTuple):
    drive_id: int | None
    allowed: bool
    is_there: bool


class LockedFiles(NamedTuple):
    drive_id: int | None
    allowed: bool
    names: list[str]


class NameList(NamedTuple):
    drive_id: int | None
    allowed: bool
    names: list[str]


def resolve_drive(caller: Access, drive: str, *, write: bool) -> Statement[DriveAccess]:
    """Row: drive_id, allowed."""
    params = Params()
    head = access(caller, drive, write=write, params=params, kind="drive")
    return Statement(f"{head} SELECT drive_id, allowed FROM access", params, DriveAccess)


def get_file(caller: Access, drive: str, name: str) -> Statement[FoundFile]:
    """Row: drive_id, allowed, blob ids or NULL, their sizes, size in bytes, content type, etag, changed_at."""
    params = Params()
    head = access(caller, drive, write=False, params=params, kind="drive")
    return Statement(
        f"""{head}
        SELECT a.drive_id, a.allowed, f.blob_ids, f.blob_sizes, f.size_bytes, f.content_type, f.etag, f.changed_at
        FROM access a
        LEFT JOIN storage_file f ON a.allowed AND f.drive_id = a.drive_id AND f.name = {params.add(name)}
    """,
        params,
        FoundFile,
    )


def reserve_blob(caller: Access, drive: str, blob_id: UUID) -> Statement[DriveAccess]:
    """Make a pending blob if the caller may write to this Drive. Row: drive_id, allowed."""
    params = Params()
    head = access(caller, drive, write=True, params=params, kind="drive")
    return Statement(
        f"""{head}, reserved AS (
        INSERT INTO storage_blob (id, state, changed_at)
        SELECT {params.add(blob_id)}::uuid, 'pending', now() FROM access WHERE allowed)
        SELECT drive_id, allowed FROM access
    """,
        params,
        DriveAccess,
    )


def lock_file(drive_id: int, name: str) -> Statement[NoRow]:
    """Wait until no other write to this name is running. The file need not exist.

    Also wait for renames and moves in the Drive (`lock_drive`), which then wait for this. No name is empty.
    """
    return Statement(
        """
        SELECT pg_advisory_xact_lock_shared(hashtextextended('', $1::bigint)),
               pg_advisory_xact_lock(hashtextextended($2::text, $1::bigint))
    """,
        [drive_id, name],
        NoRow,
    )


def reserve_blobs(blob_ids: list[UUID]) -> Statement[NoRow]:
    """Make pending blobs. No row."""
    return Statement(
        "INSERT INTO storage_blob (id, state, changed_at) SELECT id, 'pending', now() FROM unnest($1::uuid[]) AS n(id)",
        [blob_ids],
        NoRow,
    )


def take_blob(blob_id: UUID, size_bytes: int, md5: str, sha256: bytes | None) -> Statement[Affected]:
    """Make a pending blob live. A row, unless it was no longer pending."""
    return Statement(
        """
        UPDATE storage_blob SET state = 'live', size_bytes = $2, md5 = $3, sha256 = $4, changed_at = now()
        WHERE id = $1 AND state = 'pending' RETURNING 1
    """,
        [blob_id, size_bytes, md5, sha256],
        Affected,
    )


def discard_blobs(blob_ids: list[UUID]) -> Statement[NoRow]:
    """Pending blobs that will not be needed: the sweeper need not wait for them."""
    return Statement(
        "UPDATE storage_blob SET state = 'garbage', changed_at = now() WHERE id = ANY ($1) AND state = 'pending'",
        [blob_ids],
        NoRow,
    )


def point_file(
    caller: Access,
    drive: str,
    name: str,
    *,
    drive_id: int,
    blob_ids: list[UUID],
    blob_sizes: list[int],
    manifest_id: UUID | None,
    content_type: str,
    etag: str,
) -> Statement[Pointed]:
    """Let a name, locked by `lock_file`, mean these blobs, if the caller may write now; what it meant before is garbage.

    Row: as `resolve_drive`, and whether the Drive is still there; it cannot be deleted until the transaction ends. Without
    that, or the right, the transaction has to be undone.

    The file's time is that of this statement and not of the transaction's beginning (`now()`), which may have waited for
    the lock: who holds the Drive's lock afterwards and compares finds every later write later.

    `before` takes no lock of its own: it is read when the insert is through, and a row that this very statement has
    changed is passed over by a lock, while a plain read finds it as it was.
    """
    params = Params()
    head = access(caller, drive, write=True, params=params, kind="drive")
    its_id, its_name = f"{params.add(drive_id)}::bigint", f"{params.add(name)}::text"
    values = (
        f"{params.add(blob_ids)}::uuid[], {params.add(blob_sizes)}::int[], {params.add(manifest_id)}::uuid,"
        f" {params.add(sum(blob_sizes))}::bigint, {params.add(content_type)}::text, {params.add(etag)}::text"
    )
    return Statement(
        f"""{head}, place AS MATERIALIZED (
            SELECT id, clock_timestamp() AS moment FROM storage_drive WHERE id = {its_id} FOR KEY SHARE
        ), before AS (
            SELECT blob_ids || manifest_id AS ids FROM storage_file WHERE drive_id = {its_id} AND name = {its_name}
        ), garbage AS (
            UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM before WHERE b.id = ANY (before.ids)
        ), written AS (
            INSERT INTO storage_file AS f (drive_id, name, blob_ids, blob_sizes, manifest_id, size_bytes, content_type, etag,
                created_at, changed_at)
            SELECT p.id, {its_name}, {values}, p.moment, p.moment FROM place p JOIN access a ON a.allowed
            ON CONFLICT (drive_id, name) DO UPDATE SET blob_ids = excluded.blob_ids, blob_sizes = excluded.blob_sizes,
                manifest_id = excluded.manifest_id, size_bytes = excluded.size_bytes,
                content_type = excluded.content_type, etag = excluded.etag, changed_at = excluded.changed_at
            RETURNING 1
        )
        SELECT drive_id, allowed, EXISTS (SELECT FROM written) FROM access
    """,
        params,
        Pointed,
    )


def lock_files(caller: Access, drive: str, names: list[str]) -> Statement[LockedFiles]:
    """Lock those of the names that exist until the transaction ends, in one order for everybody.

    Row: drive_id, allowed, the names that are locked. A file that is written under another of them meanwhile is not.
    """
    params = Params()
    head = access(caller, drive, write=True, params=params, kind="drive")
    return Statement(
        f"""{head}, locked AS MATERIALIZED (
        SELECT f.name FROM access a
        JOIN storage_file f ON a.allowed AND f.drive_id = a.drive_id AND f.name = ANY ({params.add(names)}::text[])
        ORDER BY f.name FOR UPDATE OF f)
        SELECT drive_id, allowed, ARRAY(SELECT name FROM locked) FROM access
    """,
        params,
        LockedFiles,
    )


def delete_files(drive_id: int, names: list[str]) -> Statement[NoRow]:
    """Remove files; their blobs are garbage. No row.

    Several are locked already, by `lock_files` or with the whole Drive: locks taken here would be in no order, and two who
    delete the same files could each wait for the other.
    """
    return Statement(
        """
        WITH gone AS (
            DELETE FROM storage_file WHERE drive_id = $1 AND name = ANY ($2::text[]) RETURNING blob_ids || manifest_id AS ids
        )
        UPDATE storage_blob SET state = 'garbage', changed_at = now()
        WHERE id IN (SELECT unnest(ids) FROM gone)
    """,
        [drive_id, names],
        NoRow,
    )


def list_names(caller: Access, drive: str, *, limit: int, start: str, end: str | None) -> Statement[NameList]:
    """Names from `start` (included) to `end` (not). Row: drive_id, allowed, up to `limit` names by bytes, or NULL."""
    params = Params()
    head = access(caller, drive, write=False, params=params, kind="drive")
    within = _within(params, start, end)
    return Statement(
        f"""{head}
        SELECT a.drive_id, a.allowed, ARRAY(
            SELECT f.name FROM storage_file f WHERE a.allowed AND f.drive_id = a.drive_id AND {within}
            ORDER BY f.name LIMIT {params.add(limit)})
        FROM access a
    """,
        params,
        NameList,
    )


def list_entries(
    caller: Access, drive: str, *, limit: int, start: str, end: str | None, prefix: str
) -> Statement[NameList]:
    """As `list_names`, but names are cut after the first `/` that follows the prefix, and each such folder comes once.

    One step of the recursion looks up one entry in the primary key: behind a folder it goes on at the first name that
    cannot be in it (`0` follows `/`), so a folder costs the same whatever it holds. Behind a file it goes on with that
    name and the lowest character, which is in no name. Both lookups stand in a LATERAL with a limit of their own: joined
    the usual way, the first would sort all names that follow.
    """
    params = Params()
    head = access(caller, drive, write=False, params=params, kind="drive").replace("WITH", "WITH RECURSIVE", 1)
    depth = f"{params.add(len(prefix))}::int"
    entry = f"""
        CASE strpos(substr(n.name, {depth} + 1), '/') WHEN 0 THEN n.name
        ELSE left(n.name, {depth} + strpos(substr(n.name, {depth} + 1), '/')) END
    """
    upper = "" if end is None else f"AND f.name < {params.add(end)}::text"
    first, most = f"{params.add(start)}::text", f"{params.add(limit)}::int"
    return Statement(
        f"""{head}, entries (entry, position) AS (
            SELECT {entry}, 1 FROM access a CROSS JOIN LATERAL (
                SELECT f.name FROM storage_file f
                WHERE a.allowed AND f.drive_id = a.drive_id AND f.name >= {first} {upper}
                ORDER BY f.name LIMIT 1) n
            UNION ALL
            SELECT {entry}, e.position + 1
            FROM entries e CROSS JOIN access a CROSS JOIN LATERAL (
                SELECT f.name FROM storage_file f
                WHERE f.drive_id = a.drive_id {upper}
                AND f.name >= CASE right(e.entry, 1) WHEN '/' THEN left(e.entry, -1) || '0' ELSE e.entry || chr(1) END
                ORDER BY f.name LIMIT 1) n
            WHERE e.position < {most}
        )
        SELECT drive_id, allowed, ARRAY(SELECT entry FROM entries ORDER BY position) FROM access
    """,
        params,
        NameList,
    )


def _within(params: Params, start: str, end: str | None) -> str:
    upper = "" if end is None else f" AND f.name < {params.add(end)}::text"
    return f"f.name >= {params.add(start)}::text{upper}"
