"""Statements of the scrubber. Times are the database's."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement


class KnownBlob(NamedTuple):
    """A live blob and what is known of its bytes."""

    id: UUID
    size_bytes: int
    md5: str | None
    sha256: bytes | None


class Round(NamedTuple):
    """How far the round is; `age_seconds` since it began, `counted_seconds` since all were counted, None if they never were."""

    position: UUID | None
    blobs: int
    size_bytes: int
    all_blobs: int
    all_bytes: int
    age_seconds: float
    counted_seconds: float | None


class UseOfBlob(NamedTuple):
    """What a blob is part of: a file by its names, or `part_of` in words."""

    collection_id: str
    drive_name: str
    name: str
    content_type: str
    number: int | None
    manifest_id: UUID | None
    part_of: str


class ListedParts(NamedTuple):
    blob_ids: list[UUID]


class FoundDamage(NamedTuple):
    blob_id: UUID
    kind: str
    collection_id: str
    drive_name: str
    name: str
    part_of: str
    found_at: datetime


def find_round() -> Statement[Round]:
    """Row: the round that is on, which this begins if there never was one."""
    return Statement(
        """
        WITH first AS (INSERT INTO storage_scrubround (id, blobs, size_bytes, all_blobs, all_bytes)
                       VALUES (1, 0, 0, 0, 0) ON CONFLICT DO NOTHING)
        SELECT r.position, coalesce(r.blobs, 0), coalesce(r.size_bytes, 0), coalesce(r.all_blobs, 0),
               coalesce(r.all_bytes, 0), coalesce(extract(epoch FROM now() - r.started_at), 0)::float8,
               extract(epoch FROM now() - r.counted_at)::float8
        FROM (SELECT 1) one LEFT JOIN storage_scrubround r ON true
    """,
        [],
        Round,
    )


def count_all() -> Statement[NoRow]:
    """Count all live blobs, for the pace. No row."""
    return Statement(
        """
        UPDATE storage_scrubround r SET all_blobs = n.blobs, all_bytes = n.bytes, counted_at = now()
        FROM (SELECT count(*) AS blobs, coalesce(sum(size_bytes), 0) AS bytes FROM storage_blob WHERE state = 'live') n
    """,
        [],
        NoRow,
    )


def find_next(after: UUID | None, limit: int) -> Statement[KnownBlob]:
    """Rows: live blobs in the order of their ids, from the one after this on."""
    return Statement(
        """
        SELECT id, size_bytes, md5, sha256 FROM storage_blob
        WHERE state = 'live' AND id > coalesce($1::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY id LIMIT $2
    """,
        [after, limit],
        KnownBlob,
    )


def advance(before: UUID | None, position: UUID, blobs: int, size_bytes: int) -> Statement[Affected]:
    """So many more were read. A row, unless another scrubber has gone on from there meanwhile."""
    return Statement(
        """
        UPDATE storage_scrubround SET position = $2, blobs = blobs + $3, size_bytes = size_bytes + $4
        WHERE position IS NOT DISTINCT FROM $1::uuid RETURNING 1
    """,
        [before, position, blobs, size_bytes],
        Affected,
    )


def begin_round(before: UUID | None) -> Statement[NoRow]:
    """All were read: begin again. No row."""
    return Statement(
        """
        UPDATE storage_scrubround SET position = NULL, blobs = 0, size_bytes = 0, last_ended_at = now(), started_at = now()
        WHERE position IS NOT DISTINCT FROM $1::uuid
    """,
        [before],
        NoRow,
    )


def learn_hash(blob_id: UUID, md5: str, sha256: bytes) -> Statement[NoRow]:
    """Note the SHA-256 of an older blob whose MD5 is as it was. No row."""
    return Statement(
        """
        UPDATE storage_blob SET sha256 = $3, md5 = $2
        WHERE id = $1 AND state = 'live' AND sha256 IS NULL AND coalesce(md5, $2) = $2
    """,
        [blob_id, md5, sha256],
        NoRow,
    )


def find_blob(blob_id: UUID) -> Statement[KnownBlob]:
    """Row: the blob, if it is live."""
    return Statement(
        "SELECT id, size_bytes, md5, sha256 FROM storage_blob WHERE id = $1 AND state = 'live'", [blob_id], KnownBlob
    )


def find_twins(blob: KnownBlob) -> Statement[KnownBlob]:
    """Rows: up to three other live blobs with the same bytes, such as those of a copied Drive. Reads the whole table."""
    return Statement(
        """
        SELECT id, size_bytes, md5, sha256 FROM storage_blob
        WHERE state = 'live' AND id <> $1 AND size_bytes = $2
        AND (sha256 = $3::bytea OR ((sha256 IS NULL OR $3::bytea IS NULL) AND md5 = $4)) LIMIT 3
    """,
        [blob.id, blob.size_bytes, blob.sha256, blob.md5],
        KnownBlob,
    )


def find_uses(blob_id: UUID) -> Statement[UseOfBlob]:
    """Rows: what a blob is part of, files first. Reads whole tables, as nothing is indexed by blob."""
    return Statement(
        """
        SELECT d.collection_id, d.name, f.name, f.content_type, array_position(f.blob_ids, $1::uuid), f.manifest_id, ''
        FROM storage_file f JOIN storage_drive d ON d.id = f.drive_id
        WHERE $1::uuid = ANY (f.blob_ids) OR f.manifest_id = $1
        UNION ALL
        SELECT d.collection_id, d.name, f.name, f.content_type, array_position(f.blob_ids, $1::uuid), f.manifest_id,
               'a deleted file that can be restored'
        FROM storage_deletedfile f JOIN storage_filedeletion g ON g.id = f.deletion_id
        JOIN storage_drive d ON d.id = g.drive_id
        WHERE $1::uuid = ANY (f.blob_ids) OR f.manifest_id = $1
        UNION ALL
        SELECT u.collection_id, u.drive_name, u.file_name, '', p.number, NULL, 'an upload that is not finished'
        FROM storage_part p JOIN storage_upload u ON u.id = p.upload_id WHERE p.blob_id = $1
        UNION ALL
        SELECT e.collection_id, '', '', '', p.number, NULL, 'an export or a snapshot'
        FROM storage_part p JOIN storage_export e ON replace(e.id::text, '-', '') = p.upload_id WHERE p.blob_id = $1
        UNION ALL
        SELECT '', '', '', '', p.number, NULL, 'an import or the code of a Micro'
        FROM storage_part p WHERE p.blob_id = $1
        LIMIT 20
    """,
        [blob_id],
        UseOfBlob,
    )


def find_listed(manifest_id: UUID) -> Statement[ListedParts]:
    """Rows: the blobs that this manifest lists, in order; from the files whose manifest it is. Reads whole tables."""
    return Statement(
        """
        SELECT blob_ids FROM storage_file WHERE manifest_id = $1
        UNION ALL SELECT blob_ids FROM storage_deletedfile WHERE manifest_id = $1 LIMIT 1
    """,
        [manifest_id],
        ListedParts,
    )


def drop_thumbnail(blob_id: UUID) -> Statement[Affected]:
    """Let a thumbnail that is this blob be made anew when it is wanted again. A row, if it is one."""
    return Statement(
        """
        WITH gone AS (DELETE FROM storage_thumbnail WHERE thumb_id = $1 RETURNING thumb_id)
        UPDATE storage_blob b SET state = 'garbage', changed_at = now() FROM gone WHERE b.id = gone.thumb_id RETURNING 1
    """,
        [blob_id],
        Affected,
    )


def note_damage(blob_id: UUID, kind: str, use: UseOfBlob) -> Statement[Affected]:
    """Note what is wrong with a live blob, since when, and what it is part of. A row, unless it is no longer live."""
    return Statement(
        """
        INSERT INTO storage_damagedblob AS d (blob_id, kind, collection_id, drive_name, name, part_of, healed_from)
        SELECT b.id, $2, $3, $4, $5, $6, '' FROM storage_blob b WHERE b.id = $1 AND b.state = 'live'
        ON CONFLICT (blob_id) DO UPDATE SET kind = excluded.kind, collection_id = excluded.collection_id,
            drive_name = excluded.drive_name, name = excluded.name, part_of = excluded.part_of,
            found_at = CASE WHEN d.healed_at IS NULL THEN d.found_at ELSE now() END, tried_at = now(),
            healed_at = NULL, healed_from = ''
        RETURNING 1
    """,
        [blob_id, kind, use.collection_id, use.drive_name, use.name, use.part_of],
        Affected,
    )


def note_healed(blob_id: UUID, healed_from: str) -> Statement[Affected]:
    """A damaged blob is as it was. A row, if it was noted as damaged."""
    return Statement(
        """
        UPDATE storage_damagedblob SET healed_at = now(), tried_at = now(), healed_from = $2
        WHERE blob_id = $1 AND healed_at IS NULL RETURNING 1
    """,
        [blob_id, healed_from],
        Affected,
    )


def find_to_retry(age_seconds: int, limit: int) -> Statement[KnownBlob]:
    """Rows: damaged blobs that were not tried for so long."""
    return Statement(
        """
        SELECT b.id, b.size_bytes, b.md5, b.sha256 FROM storage_damagedblob d JOIN storage_blob b ON b.id = d.blob_id
        WHERE d.healed_at IS NULL AND b.state = 'live' AND d.tried_at <= now() - make_interval(secs => $1)
        ORDER BY d.tried_at LIMIT $2
    """,
        [age_seconds, limit],
        KnownBlob,
    )


def forget_damages(kept_seconds: int) -> Statement[NoRow]:
    """Forget those whose blob is not used any more, and those that were healed this long ago. No row."""
    return Statement(
        """
        DELETE FROM storage_damagedblob d WHERE d.healed_at < now() - make_interval(secs => $1)
        OR NOT EXISTS (SELECT FROM storage_blob b WHERE b.id = d.blob_id AND b.state = 'live')
    """,
        [kept_seconds],
        NoRow,
    )


def find_damages(limit: int, collection_id: str | None = None) -> Statement[FoundDamage]:
    """Rows: what is damaged now and not healed, of one collection or of all, the oldest first."""
    return Statement(
        """
        SELECT d.blob_id, d.kind, d.collection_id, d.drive_name, d.name, d.part_of, d.found_at
        FROM storage_damagedblob d JOIN storage_blob b ON b.id = d.blob_id AND b.state = 'live'
        WHERE d.healed_at IS NULL AND ($2::text IS NULL OR d.collection_id = $2) ORDER BY d.found_at, d.blob_id LIMIT $1
    """,
        [limit, collection_id],
        FoundDamage,
    )
