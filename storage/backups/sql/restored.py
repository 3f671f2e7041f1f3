"""Statements on a database that was just restored. They are sent over a connection of the restoring process's own."""

from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement

# How far numbers are moved on: more than any server has drawn since the moment that was restored, of versions 4,096 with each
# statement. Thousands of restores fit.
_VERSIONS, _REVISIONS = 1 << 46, 1 << 40


class BlobToRestore(NamedTuple):
    """A blob, and the file that it belongs to; the names are empty for what is no file's."""

    id: UUID
    size_bytes: int
    md5: str | None
    sha256: bytes | None
    collection_id: str
    drive: str
    name: str
    content_type: str
    part: int
    is_manifest: bool


def begin_new_line() -> Statement[NoRow]:
    """The restored database begins a life of its own: it has no target yet, and marks no blob as backed up in one. No row."""
    return Statement(
        """
        UPDATE storage_backupplan SET target = '', target_id = '', line = '', kept_until = NULL, kept_position = '',
            log_fault = '', log_fault_at = NULL, gap_at = NULL, told = ''
    """,
        [],
        NoRow,
    )


def end_runs() -> Statement[Affected]:
    """Backups and drills that were under way then are not now. A row for each."""
    return Statement(
        """
        UPDATE storage_backuprun SET started_at = coalesce(started_at, now()), ended_at = now(),
            fault = 'The server was restored from a backup'
        WHERE ended_at IS NULL RETURNING 1
    """,
        [],
        Affected,
    )


def forget_backups() -> Statement[NoRow]:
    """The backups that were made until then are in no target of the restored database. No row."""
    return Statement("UPDATE storage_backuprun SET details = details || '{\"removed\": true}'", [], NoRow)


def leave_garbage() -> Statement[NoRow]:
    """What no file needed any more has no bytes here: nothing has to be backed up of it, and the sweeper may go on. No row."""
    return Statement("UPDATE storage_blob SET size_bytes = NULL WHERE state = 'garbage'", [], NoRow)


def leap_versions() -> Statement[NoRow]:
    """Draw versions and revisions behind all that the server drew since: no number is given out twice. No row."""
    return Statement(
        f"""
        SELECT setval('storage_item_version', (last_value / 4096 + {_VERSIONS // 4096}) * 4096, true) FROM storage_item_version
        UNION ALL
        SELECT setval('storage_item_revision', last_value + {_REVISIONS}, true) FROM storage_item_revision
    """,
        [],
        NoRow,
    )


def begin_feeds() -> Statement[NoRow]:
    """The change feed of every Base begins behind that leap: cursors from before it get 410. History stays readable. No row."""
    return Statement(
        """
        INSERT INTO storage_historybeginning (base_id, version_id, at)
        SELECT 0, last_value + 4095, '-infinity' FROM storage_item_version
        ON CONFLICT (base_id) DO UPDATE SET version_id = excluded.version_id
    """,
        [],
        NoRow,
    )


def list_blobs() -> Statement[BlobToRestore]:
    """Rows: as of `find_blobs`."""
    return Statement(find_blobs(), [], BlobToRestore)


def count(table: str) -> str:
    """How many rows a table has: the text of the statement."""
    return f"SELECT count(*) FROM {table}"


def find_blobs() -> str:
    """Every live blob, with the file that it is of, by its id: the text of the statement; rows as `BlobToRestore`."""
    return """
        SELECT b.id, b.size_bytes, b.md5, b.backed_up_sha256, coalesce(d.collection_id, ''), coalesce(d.name, ''),
               coalesce(f.name, ''), coalesce(f.content_type, ''), coalesce(f.part, 0), coalesce(f.is_manifest, false)
        FROM storage_blob b
        LEFT JOIN (
            SELECT drive_id, name, content_type, u.blob_id, CASE WHEN cardinality(blob_ids) > 1 THEN u.part ELSE 0 END AS part,
                   false AS is_manifest
            FROM storage_file, unnest(blob_ids) WITH ORDINALITY AS u(blob_id, part)
            UNION ALL
            SELECT drive_id, name, content_type, manifest_id, 0, true FROM storage_file WHERE manifest_id IS NOT NULL
        ) f ON f.blob_id = b.id
        LEFT JOIN storage_drive d ON d.id = f.drive_id
        WHERE b.state = 'live' ORDER BY b.id
    """
