"""Statements of thumbnails: wanted by a page, made by the job worker. They are forgotten in `storage/drive/sql/blobs.py`."""

from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement

# Pictures by what their names or types say; what their bytes are, finds out who makes the small one.
_IS_PICTURE = r"(f.content_type LIKE 'image/%' OR f.name ~* '\.(png|jpe?g|gif|webp|avif)$')"


class Candidate(NamedTuple):
    name: str
    state: str | None


class MadeThumbnail(NamedTuple):
    thumb_id: UUID
    size_bytes: int


class WantedThumbnail(NamedTuple):
    blob_id: UUID
    blob_ids: list[UUID]
    blob_sizes: list[int]


def want_thumbnails(drive_id: int, names: list[str], *, size_max: int, waiting_max: int) -> Statement[Candidate]:
    """Ask for thumbnails of these files, as far as they are pictures of at most `size_max` bytes and not too many wait.

    Row: the name of each such file, and its thumbnail's state; NULL where it was not asked for.
    """
    return Statement(
        f"""
        WITH pictures AS (
            SELECT f.name, f.blob_ids, f.blob_sizes FROM storage_file f
            WHERE f.drive_id = $1 AND f.name = ANY ($2::text[]) AND f.size_bytes BETWEEN 1 AND $3
            AND {_IS_PICTURE}
        ), asked AS (
            INSERT INTO storage_thumbnail (blob_id, blob_ids, blob_sizes, state, size_bytes, attempts, asked_at)
            SELECT p.blob_ids[1], p.blob_ids, p.blob_sizes, 'wanted', 0, 0, now() FROM pictures p
            WHERE (SELECT count(*) FROM storage_thumbnail WHERE state = 'wanted') < $4
            ON CONFLICT DO NOTHING RETURNING blob_id, state
        )
        SELECT p.name, coalesce(a.state, t.state) FROM pictures p
        LEFT JOIN asked a ON a.blob_id = p.blob_ids[1] LEFT JOIN storage_thumbnail t ON t.blob_id = p.blob_ids[1]
    """,
        [drive_id, names, size_max, waiting_max],
        Candidate,
    )


def find_made(blob_id: UUID) -> Statement[MadeThumbnail]:
    """Row: the thumbnail of the file that begins with this blob, if it is made."""
    return Statement(
        "SELECT thumb_id, size_bytes FROM storage_thumbnail WHERE blob_id = $1 AND state = 'made'",
        [blob_id],
        MadeThumbnail,
    )


def take_wanted(attempts_max: int) -> Statement[WantedThumbnail]:
    """Count an attempt at the thumbnail that has waited longest; one with too many is given up. Row: what it is made of."""
    return Statement(
        """
        WITH given_up AS (
            UPDATE storage_thumbnail SET state = 'none' WHERE state = 'wanted' AND attempts >= $1
        )
        UPDATE storage_thumbnail SET attempts = attempts + 1 WHERE blob_id = (
            SELECT blob_id FROM storage_thumbnail WHERE state = 'wanted' AND attempts < $1
            ORDER BY attempts, asked_at LIMIT 1)
        RETURNING blob_id, blob_ids, blob_sizes
    """,
        [attempts_max],
        WantedThumbnail,
    )


def give_attempt_back(blob_id: UUID) -> Statement[NoRow]:
    """An attempt could not be made. No row."""
    return Statement("UPDATE storage_thumbnail SET attempts = attempts - 1 WHERE blob_id = $1", [blob_id], NoRow)


def note_made(blob_id: UUID, thumb_id: UUID, size_bytes: int) -> Statement[Affected]:
    """The thumbnail is made. A row, unless nobody wants it any more."""
    return Statement(
        """
        UPDATE storage_thumbnail SET state = 'made', thumb_id = $2, size_bytes = $3
        WHERE blob_id = $1 AND state = 'wanted' RETURNING 1
    """,
        [blob_id, thumb_id, size_bytes],
        Affected,
    )


def note_none(blob_id: UUID) -> Statement[NoRow]:
    """There is none to be had of this file. No row."""
    return Statement(
        "UPDATE storage_thumbnail SET state = 'none' WHERE blob_id = $1 AND state = 'wanted'", [blob_id], NoRow
    )
