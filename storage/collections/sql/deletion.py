"""Statements that remove the contents of a deleted collection, a batch at a time."""

from storage.postgres.sql.access import and_not_kept, by_person, noted_by
from storage.postgres.statements import Statement, Total


def delete_items_of(base_id: int, limit: int, *, person_id: int | None, keeps_history: bool) -> Statement[Total]:
    """Delete up to `limit` items of a Base, as a person asked. Row: how many."""
    return Statement(
        f"""
        WITH deleted AS (
            DELETE FROM storage_item WHERE (base_id, key) IN (
                SELECT base_id, key FROM storage_item WHERE base_id = $1 LIMIT $2)
                AND {noted_by("$3::text")} {and_not_kept(keeps_history)}
            RETURNING 1)
        SELECT count(*) FROM deleted
    """,
        [base_id, limit, by_person(person_id)],
        Total,
    )


def delete_files_of(drive_id: int, limit: int) -> Statement[Total]:
    """Delete up to `limit` files of a Drive; their blobs are garbage. Row: how many files."""
    return Statement(
        """
        WITH deleted AS (
            DELETE FROM storage_file WHERE (drive_id, name) IN (
                SELECT drive_id, name FROM storage_file WHERE drive_id = $1 LIMIT $2)
            RETURNING blob_ids || manifest_id AS ids
        ), garbage AS (
            UPDATE storage_blob SET state = 'garbage', changed_at = now() WHERE id IN (SELECT unnest(ids) FROM deleted)
        )
        SELECT count(*) FROM deleted
    """,
        [drive_id, limit],
        Total,
    )


def delete_deleted_files_of(drive_id: int, limit: int) -> Statement[Total]:
    """As `delete_files_of`, of files that were deleted and could still have come back."""
    return Statement(
        """
        WITH deleted AS (
            DELETE FROM storage_deletedfile WHERE (deletion_id, name) IN (
                SELECT d.deletion_id, d.name FROM storage_deletedfile d
                JOIN storage_filedeletion g ON g.id = d.deletion_id WHERE g.drive_id = $1 LIMIT $2)
            RETURNING blob_ids || manifest_id AS ids
        ), garbage AS (
            UPDATE storage_blob SET state = 'garbage', changed_at = now() WHERE id IN (SELECT unnest(ids) FROM deleted)
        )
        SELECT count(*) FROM deleted
    """,
        [drive_id, limit],
        Total,
    )


def delete_folders_of(drive_id: int, limit: int) -> Statement[Total]:
    """Delete up to `limit` folders of a Drive that were made by hand. Row: how many."""
    return Statement(
        """
        WITH deleted AS (
            DELETE FROM storage_folder WHERE (drive_id, path) IN (
                SELECT drive_id, path FROM storage_folder WHERE drive_id = $1 LIMIT $2)
            RETURNING 1)
        SELECT count(*) FROM deleted
    """,
        [drive_id, limit],
        Total,
    )
