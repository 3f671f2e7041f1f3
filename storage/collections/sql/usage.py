"""Statements that count what collections hold, and read the counts."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.statements import Affected, Statement, Total


class CollectionUsage(NamedTuple):
    id: str
    name: str
    created_at: datetime
    role: str | None
    bases: int
    items: int
    drives: int
    files: int
    size_bytes: int
    last_used_at: datetime | None
    total: int


class DestinationRow(NamedTuple):
    kind: str
    collection_id: str
    collection_name: str
    name: str
    role: str
    id: str


def count_writes() -> Statement[Total]:
    """Row: a number that changes whenever items, Bases, files or Drives do. Postgres keeps it anyway, for its vacuum."""
    return Statement(
        """
        SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables
        WHERE relname IN ('storage_item', 'storage_base', 'storage_file', 'storage_drive')
    """,
        [],
        Total,
    )


def count_items() -> Statement[Affected]:
    """Count every Base in one pass over the items, and keep the figures that have changed. A row for each of those.

    A Base that is being deleted is waited for, and then is none. Items are counted by themselves: where they are distributed over
    several servers, no row is locked in one statement with them.
    """
    return Statement(
        """
        WITH counted AS MATERIALIZED (
            SELECT base_id, count(*) AS items, sum(size_bytes) AS size_bytes, max(changed_at) AS changed_at
            FROM storage_item WHERE expires_at IS NULL OR expires_at > now() GROUP BY base_id
        )
        INSERT INTO storage_basefigures AS f (base_id, items, size_bytes, changed_at)
        SELECT b.id, coalesce(i.items, 0), coalesce(i.size_bytes, 0), i.changed_at
        FROM storage_base b LEFT JOIN counted i ON i.base_id = b.id
        ORDER BY b.id
        FOR KEY SHARE OF b
        ON CONFLICT (base_id) DO UPDATE SET items = excluded.items, size_bytes = excluded.size_bytes,
            changed_at = excluded.changed_at
        WHERE (f.items, f.size_bytes, f.changed_at) IS DISTINCT FROM
            (excluded.items, excluded.size_bytes, excluded.changed_at)
        RETURNING 1
    """,
        [],
        Affected,
    )


def count_files() -> Statement[Affected]:
    """Count every Drive in one pass over the files, as `count_items` does."""
    return Statement(
        """
        INSERT INTO storage_drivefigures AS g (drive_id, files, size_bytes, changed_at)
        SELECT d.id, coalesce(f.files, 0), coalesce(f.size_bytes, 0), f.changed_at
        FROM storage_drive d
        LEFT JOIN (
            SELECT drive_id, count(*) AS files, sum(size_bytes) AS size_bytes, max(changed_at) AS changed_at
            FROM storage_file GROUP BY drive_id
        ) f ON f.drive_id = d.id
        ORDER BY d.id
        FOR KEY SHARE OF d
        ON CONFLICT (drive_id) DO UPDATE SET files = excluded.files, size_bytes = excluded.size_bytes,
            changed_at = excluded.changed_at
        WHERE (g.files, g.size_bytes, g.changed_at) IS DISTINCT FROM
            (excluded.files, excluded.size_bytes, excluded.changed_at)
        RETURNING 1
    """,
        [],
        Affected,
    )


def list_collections(person_id: int | None, search: str, *, offset: int, limit: int) -> Statement[CollectionUsage]:
    """A page of the collections that a person is a member of (None: all) and whose name contains `search`, by name.

    Row: id, name, created_at, role or NULL, Bases, items, Drives, files, size_bytes, when last changed or used or
    NULL, and how many there are on all pages.
    """
    return Statement(
        """
        SELECT c.id, c.name, c.created_at, c.role, b.bases, b.items, d.drives, d.files, b.size_bytes + d.size_bytes,
               greatest(b.changed_at, d.changed_at, used.last_used_at), c.total
        FROM (
            SELECT c.id, c.name, c.created_at, m.role, count(*) OVER () AS total
            FROM storage_collection c
            LEFT JOIN storage_membership m ON m.collection_id = c.id AND m.person_id = $1::int
            WHERE c.scratch_of IS NULL AND ($1::int IS NULL OR m.id IS NOT NULL) AND strpos(lower(c.name), lower($2::text)) > 0
            ORDER BY lower(c.name), c.id OFFSET $3 LIMIT $4
        ) c
        CROSS JOIN LATERAL (
            SELECT count(*) AS bases, coalesce(sum(f.items), 0)::bigint AS items,
                   coalesce(sum(f.size_bytes), 0)::bigint AS size_bytes, max(f.changed_at) AS changed_at
            FROM storage_base b LEFT JOIN storage_basefigures f ON f.base_id = b.id WHERE b.collection_id = c.id
        ) b
        CROSS JOIN LATERAL (
            SELECT count(*) AS drives, coalesce(sum(f.files), 0)::bigint AS files,
                   coalesce(sum(f.size_bytes), 0)::bigint AS size_bytes, max(f.changed_at) AS changed_at
            FROM storage_drive d LEFT JOIN storage_drivefigures f ON f.drive_id = d.id WHERE d.collection_id = c.id
        ) d
        CROSS JOIN LATERAL (
            SELECT max(u.last_used_at) AS last_used_at
            FROM storage_datakey k JOIN storage_datakeyuse u ON u.data_key_id = k.id WHERE k.collection_id = c.id
        ) used
        ORDER BY lower(c.name), c.id
    """,
        [person_id, search, offset, limit],
        CollectionUsage,
    )


def search_destinations(person_id: int | None, words: list[str], *, limit: int) -> Statement[DestinationRow]:
    """Collections, Bases, Drives and Micros of a person (None: everybody's) whose path contains every word. Row: kind,
    collection's id and name, own name, the person's role, a Micro's id. Those whose own name starts
    with the first word come first.
    """
    return Statement(
        """
        SELECT kind, place.collection_id, collection_name, name, coalesce(role, 'owner'), place.id FROM (
            SELECT 'collection' AS kind, c.id AS collection_id, c.name AS collection_name, c.name AS name, '' AS id,
                   lower(c.name || ' ' || c.id) AS path
            FROM storage_collection c WHERE c.scratch_of IS NULL
            UNION ALL
            SELECT 'base', c.id, c.name, b.name, '', lower(c.name || ' ' || b.name || ' base')
            FROM storage_base b JOIN storage_collection c ON c.id = b.collection_id AND c.scratch_of IS NULL
            UNION ALL
            SELECT 'drive', c.id, c.name, d.name, '', lower(c.name || ' ' || d.name || ' drive')
            FROM storage_drive d JOIN storage_collection c ON c.id = d.collection_id AND c.scratch_of IS NULL
            UNION ALL
            SELECT 'micro', c.id, c.name, a.name, a.id, lower(c.name || ' ' || a.name || ' ' || a.subdomain || ' micro')
            FROM storage_micro a JOIN storage_collection c ON c.id = a.collection_id AND c.scratch_of IS NULL
        ) place
        LEFT JOIN storage_membership m ON m.person_id = $1::int AND m.collection_id = place.collection_id
        WHERE ($1::int IS NULL OR m.id IS NOT NULL)
          AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS word WHERE strpos(path, lower(word)) = 0)
        ORDER BY NOT starts_with(lower(name), lower(coalesce(($2::text[])[1], ''))), length(path), path, place.collection_id
        LIMIT $3
    """,
        [person_id, words, limit],
        DestinationRow,
    )
