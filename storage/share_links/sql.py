"""Statements of share links. Whether one has expired is decided by the database's clock."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.postgres.statements import Affected, NoRow, Statement, Total


class FoundLink(NamedTuple):
    id: int
    file_name: str
    password: str
    expires_at: datetime
    size_bytes: int
    content_type: str
    etag: str
    changed_at: datetime
    blob_ids: list[UUID]
    blob_sizes: list[int]


class ListedLink(NamedTuple):
    id: int
    file_name: str
    prefix: str
    has_password: bool
    made_by: str | None
    created_at: datetime
    expires_at: datetime
    downloads: int
    last_used_at: datetime | None
    state: str


# A file is the one that was shared while it has the name and is as old: what was deleted and stored anew is another.
_ITS_FILE = "f.drive_id = l.drive_id AND f.name = l.file_name AND f.created_at = l.file_created_at"
_STATE = """CASE WHEN l.revoked_at IS NOT NULL THEN 'revoked' WHEN l.expires_at <= now() THEN 'expired'
    WHEN f.name IS NULL THEN 'deleted' ELSE 'active' END"""


def find_link(digest: bytes) -> Statement[FoundLink]:
    """Row: the link of this digest and its file, if both are good and their Drive is not set aside."""
    return Statement(
        f"""
        SELECT l.id, l.file_name, l.password, l.expires_at,
            f.size_bytes, f.content_type, f.etag, f.changed_at, f.blob_ids, f.blob_sizes
        FROM storage_sharelink l JOIN storage_file f ON {_ITS_FILE} JOIN storage_drive d ON d.id = l.drive_id
        WHERE l.digest = $1 AND l.revoked_at IS NULL AND l.expires_at > now()
    """,
        [digest],
        FoundLink,
    )


def count_download(link_id: int) -> Statement[Affected]:
    """Count one more download. A row, unless the link has ended in the meantime."""
    return Statement(
        """
        UPDATE storage_sharelink SET downloads = downloads + 1, last_used_at = now()
        WHERE id = $1 AND revoked_at IS NULL AND expires_at > now() AND drive_id IN (SELECT id FROM storage_drive)
        RETURNING 1
    """,
        [link_id],
        Affected,
    )


def list_links(drive_id: int, limit: int) -> Statement[ListedLink]:
    """Rows: up to `limit` links of a Drive, the newest first, and their state: active, expired, revoked, deleted (the file)."""
    return Statement(
        f"""
        SELECT l.id, l.file_name, l.prefix, l.password <> '', u.username, l.created_at, l.expires_at, l.downloads,
            l.last_used_at, {_STATE}
        FROM storage_sharelink l LEFT JOIN storage_file f ON {_ITS_FILE} LEFT JOIN auth_user u ON u.id = l.made_by_id
        WHERE l.drive_id = $1 ORDER BY l.created_at DESC, l.id DESC LIMIT $2
    """,
        [drive_id, limit],
        ListedLink,
    )


def count_links(drive_id: int) -> Statement[Total]:
    """Row: how many links of a Drive are kept, those that have ended among them."""
    return Statement("SELECT count(*) FROM storage_sharelink WHERE drive_id = $1", [drive_id], Total)


def forget_links(kept_seconds: int) -> Statement[NoRow]:
    """Forget links that ended so long ago. No row."""
    return Statement(
        """
        DELETE FROM storage_sharelink WHERE least(expires_at, revoked_at) < now() - make_interval(secs => $1)
    """,
        [kept_seconds],
        NoRow,
    )
