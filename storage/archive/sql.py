"""Statements of exports and imports: one moment of a collection read from end to end, and many rows written at once."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.base.sql.items import EXPIRED_WHEN_MET, LIVE
from storage.postgres.sql.access import by_person, noted_by
from storage.postgres.statements import Statement, Total


class IdAndName(NamedTuple):
    id: int
    name: str


class ItemText(NamedTuple):
    key: str
    value: str


class ExportedFile(NamedTuple):
    name: str
    size_bytes: int
    content_type: str
    etag: str
    changed_at: datetime
    blob_ids: list[UUID]
    blob_sizes: list[int]


class ExportedMicro(NamedTuple):
    id: str
    name: str
    runtime: str
    subdomain: str
    domains: list[str]
    has_sign_in: bool
    is_recorded: bool
    is_kept_warm: bool
    idle_minutes: int
    sealed_variables: bytes
    deployment_id: UUID | None
    deployed_runtime: str | None
    schedule: str | None
    schedule_seconds: int | None


class Imported(NamedTuple):
    written: int
    known: int
    is_there: bool


class AttributeType(NamedTuple):
    name: str
    type: str


class Clock(NamedTuple):
    now: datetime


class Removed(NamedTuple):
    last: str | None
    removed: int


def list_exported_bases(collection_id: str) -> Statement[IdAndName]:
    """Rows: id, name of a collection's Bases, by name."""
    return Statement(
        "SELECT id, name FROM storage_base WHERE collection_id = $1 ORDER BY name", [collection_id], IdAndName
    )


def list_exported_drives(collection_id: str) -> Statement[IdAndName]:
    """Rows: id, name of a collection's Drives, by name."""
    return Statement(
        "SELECT id, name FROM storage_drive WHERE collection_id = $1 ORDER BY name", [collection_id], IdAndName
    )


def list_exported_micros(collection_id: str) -> Statement[ExportedMicro]:
    """Rows: a collection's Micros by name, each with its domains, its schedule and the deployment that serves."""
    return Statement(
        """
        SELECT m.id, m.name, m.runtime, m.subdomain,
            ARRAY (SELECT d.name FROM storage_microdomain d WHERE d.micro_id = m.id ORDER BY d.id),
            m.has_sign_in, m.is_recorded, m.is_kept_warm, m.idle_minutes, m.sealed_variables, m.deployment_id, s.runtime,
            c.expression, c.limit_seconds
        FROM storage_micro m LEFT JOIN storage_deployment s ON s.id = m.deployment_id
            LEFT JOIN storage_microschedule c ON c.micro_id = m.id
        WHERE m.collection_id = $1 ORDER BY m.name COLLATE "C"
    """,
        [collection_id],
        ExportedMicro,
    )


def read_items(base_id: int) -> Statement[ItemText]:
    """Rows by key: key and value as text of all items of a Base that have not expired."""
    return Statement(
        f"SELECT i.key, i.value::text FROM storage_item i WHERE i.base_id = $1 AND {LIVE} ORDER BY i.key",
        [base_id],
        ItemText,
    )


def read_files(drive_id: int) -> Statement[ExportedFile]:
    """Rows by name: name, size in bytes, content type, etag, changed_at, blob ids, their sizes of all files of a Drive."""
    return Statement(
        """
        SELECT name, size_bytes, content_type, etag, changed_at, blob_ids, blob_sizes FROM storage_file
        WHERE drive_id = $1 ORDER BY name
    """,
        [drive_id],
        ExportedFile,
    )


def count_exported(collection_id: str) -> Statement[Total]:
    """Row: the bytes of a collection's items and files, as last counted."""
    return Statement(
        """
        SELECT coalesce((SELECT sum(f.size_bytes) FROM storage_base b JOIN storage_basefigures f ON f.base_id = b.id
                         WHERE b.collection_id = $1), 0)::bigint
               + coalesce((SELECT sum(g.size_bytes) FROM storage_drive d JOIN storage_drivefigures g ON g.drive_id = d.id
                           WHERE d.collection_id = $1), 0)::bigint
    """,
        [collection_id],
        Total,
    )


# Of the item that is there; one without a moment is live.
_EXPIRED = f"coalesce({EXPIRED_WHEN_MET}, false)"
# What becomes of an item that is there, by the way of the import; one that has expired counts for nothing.
_ON_CONFLICT = {
    "merge": """
        value = excluded.value, size_bytes = excluded.size_bytes, expires_at = excluded.expires_at
    """,
    # What was found and locked before is part of what is written; this is for what came since.
    "update": f"""
        value = CASE WHEN NOT {_EXPIRED} THEN i.value || excluded.value ELSE excluded.value END,
        size_bytes = CASE WHEN NOT {_EXPIRED} THEN greatest(i.size_bytes, excluded.size_bytes) ELSE excluded.size_bytes END,
        expires_at = CASE WHEN NOT {_EXPIRED} THEN coalesce(excluded.expires_at, i.expires_at) ELSE excluded.expires_at END
    """,
    "add": """
        value = excluded.value, size_bytes = excluded.size_bytes, expires_at = excluded.expires_at
    """,
}


def import_items(
    base_id: int,
    rows: list[tuple[str, str, int, float | None]],
    *,
    since: datetime | None,
    way: str,
    person_id: int | None,
) -> Statement[Imported]:
    """Store rows as `put_items` takes them, no key twice, in a Base that cannot go until the transaction ends.

    None is older than `since`, not even if the clock was set back. Of items that are there: "merge" replaces them, "update" sets
    the attributes of the row, "add" leaves them.

    Row: how many were written, how many were there before, and whether the Base is there.
    """
    _, documents, sizes, expiries = (list(column) for column in zip(*rows, strict=True))
    only = f"WHERE {_EXPIRED}" if way == "add" else ""
    return Statement(
        f"""
        WITH place AS MATERIALIZED (
            SELECT id FROM storage_base WHERE id = $1 FOR KEY SHARE
        ), given AS MATERIALIZED (
            SELECT n.item ->> 'key' AS key, n.item - 'key' AS value, n.size_bytes, to_timestamp(n.expires + 1) AS expires_at
            FROM ROWS FROM (
                jsonb_array_elements($2::jsonb), unnest($3::int[]), unnest($4::float8[])
            ) AS n(item, size_bytes, expires)
        ), known AS (
            SELECT count(*) AS total FROM given g JOIN place p ON true
            JOIN storage_item i ON i.base_id = $1 AND i.key = g.key AND {LIVE}
        ), written AS (
            INSERT INTO storage_item AS i
                (base_id, key, value, size_bytes, revision, changed_at, expires_at, changed_by_person)
            SELECT $1, g.key, g.value, g.size_bytes, nextval('storage_item_revision'),
                greatest(now(), $5::timestamptz), g.expires_at, $6::bigint
            FROM place p CROSS JOIN given g ORDER BY g.key COLLATE "C"
            ON CONFLICT (base_id, key) DO UPDATE SET {_ON_CONFLICT[way]},
                revision = excluded.revision, changed_at = excluded.changed_at,
                changed_by_key = NULL, changed_by_person = excluded.changed_by_person
            {only}
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM written), known.total, EXISTS (SELECT 1 FROM place) FROM known
    """,
        [base_id, f"[{','.join(documents)}]", sizes, expiries, since, person_id],
        Imported,
    )


def lock_items(base_id: int, keys: list[str]) -> Statement[ItemText]:
    """Rows: key and value as text of those of these items that are there, locked until the transaction ends."""
    return Statement(
        f"""
        SELECT i.key, i.value::text FROM storage_item i WHERE i.base_id = $1 AND i.key = ANY ($2::text[]) AND {LIVE}
        ORDER BY i.key COLLATE "C" FOR UPDATE
    """,
        [base_id, keys],
        ItemText,
    )


def count_known_items(base_id: int, keys: list[str]) -> Statement[Total]:
    """Row: how many of these keys are of items that are there."""
    return Statement(
        f"SELECT count(*) FROM storage_item i WHERE i.base_id = $1 AND i.key = ANY ($2::text[]) AND {LIVE}",
        [base_id, keys],
        Total,
    )


def count_attribute_types(base_id: int, limit: int) -> Statement[AttributeType]:
    """Rows: name and type of JSON of the attributes in the first `limit` items, null left out."""
    return Statement(
        f"""
        SELECT e.key, jsonb_typeof(e.value) FROM (
            SELECT i.value FROM storage_item i WHERE i.base_id = $1 AND {LIVE} ORDER BY i.key LIMIT $2
        ) AS looked_at, jsonb_each(looked_at.value) AS e
        WHERE jsonb_typeof(e.value) <> 'null' GROUP BY 1, 2
    """,
        [base_id, limit],
        AttributeType,
    )


def read_clock() -> Statement[Clock]:
    """Row: the time by the database's clock."""
    return Statement("SELECT clock_timestamp()", [], Clock)


def find_known_files(drive_id: int, names: list[str]) -> Statement[Total]:
    """Row: how many of these names are files of a Drive."""
    return Statement(
        "SELECT count(*) FROM storage_file WHERE drive_id = $1 AND name = ANY ($2::text[])", [drive_id, names], Total
    )


def delete_older_items(
    base_id: int, *, before: datetime | None, last: str, limit: int, person_id: int | None
) -> Statement[Removed]:
    """Of the next `limit` items after the key `last`, delete those last written before a time.

    Revisions would not tell: each session takes some ahead, so that a later write may have the lower one. Row: the last
    key looked at or NULL, and how many went.
    """
    return Statement(
        f"""
        WITH looked_at AS MATERIALIZED (
            SELECT key, changed_at FROM storage_item WHERE base_id = $1 AND key > $2 ORDER BY key LIMIT $4
        ), gone AS (
            DELETE FROM storage_item i USING looked_at l
            WHERE i.base_id = $1 AND i.key = l.key AND l.changed_at < $3 AND i.changed_at < $3 AND {noted_by("$5::text")}
            RETURNING 1
        )
        SELECT max(key), (SELECT count(*) FROM gone) FROM looked_at
    """,
        [base_id, last, before, limit, by_person(person_id)],
        Removed,
    )


def delete_older_files(drive_id: int, *, before: datetime | None, last: str, limit: int) -> Statement[Removed]:
    """As `delete_older_items`, of files; their blobs are garbage."""
    return Statement(
        """
        WITH looked_at AS MATERIALIZED (
            SELECT name, changed_at FROM storage_file WHERE drive_id = $1 AND name > $2 ORDER BY name LIMIT $4
        ), gone AS (
            DELETE FROM storage_file f USING looked_at l
            WHERE f.drive_id = $1 AND f.name = l.name AND l.changed_at < $3 AND f.changed_at < $3
            RETURNING f.blob_ids || f.manifest_id AS ids
        ), garbage AS (
            UPDATE storage_blob SET state = 'garbage', changed_at = now() WHERE id IN (SELECT unnest(ids) FROM gone)
        )
        SELECT max(name), (SELECT count(*) FROM gone) FROM looked_at
    """,
        [drive_id, last, before, limit],
        Removed,
    )
