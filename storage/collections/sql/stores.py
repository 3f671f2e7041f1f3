"""Statements on a Base or Drive as a whole: a new id for an emptied one, and what belongs to it by its name."""

from typing import Literal, NamedTuple

from storage.postgres.statements import NoRow, Statement, Total

Kind = Literal["base", "drive"]


class NewId(NamedTuple):
    id: int


def renumber(kind: Kind, store_id: int) -> Statement[NewId]:
    """Give a locked Base or Drive, of which no figures are kept, an id that nothing hangs on yet. Row: the id."""
    table = f"storage_{kind}"
    return Statement(
        f"""
        WITH drawn AS MATERIALIZED (SELECT nextval(pg_get_serial_sequence('{table}', 'id')) AS id)
        UPDATE {table} s SET id = d.id FROM drawn d WHERE s.id = $1 RETURNING s.id
    """,
        [store_id],
        NewId,
    )


def number_back(kind: Kind, store_id: int, old_id: int) -> Statement[NewId]:
    """Give it the id back that it had before. Row: the id."""
    return Statement(f"UPDATE storage_{kind} SET id = $2 WHERE id = $1 RETURNING id", [store_id, old_id], NewId)


def rename_in_keys(kind: Kind, collection_id: str, name: str, new_name: str) -> Statement[NoRow]:
    """Let the data keys that may use one Base or Drive by its name use it by its new one. No row."""
    column = f"{kind}_names"
    return Statement(
        f"""
        UPDATE storage_datakey SET {column} = array_replace({column}, $2::text, $3::text)
        WHERE collection_id = $1 AND $2::text = ANY ({column})
    """,
        [collection_id, name, new_name],
        NoRow,
    )


def count_some(kind: Kind, store_id: int) -> Statement[Total]:
    """Row: 1 when the Base or Drive holds anything, else 0."""
    within = {
        "base": "SELECT 1 FROM storage_item WHERE base_id = $1",
        "drive": "SELECT 1 FROM storage_file WHERE drive_id = $1 UNION ALL SELECT 1 FROM storage_folder WHERE drive_id = $1",
    }[kind]
    return Statement(f"SELECT count(*) FROM (SELECT 1 FROM ({within}) held LIMIT 1) one", [store_id], Total)


def move_items(base_id: int, into: int, limit: int) -> Statement[Total]:
    """Move up to `limit` items into another Base, where the later of two with one key stays. Row: how many were there."""
    return Statement(
        """
        WITH taken AS (
            DELETE FROM storage_item WHERE (base_id, key) IN (
                SELECT base_id, key FROM storage_item WHERE base_id = $1 ORDER BY key LIMIT $3)
            RETURNING *
        ), given AS (
            INSERT INTO storage_item AS i (base_id, key, value, size_bytes, revision, changed_at, expires_at, changed_by_key,
                changed_by_person)
            SELECT $2, key, value, size_bytes, revision, changed_at, expires_at, changed_by_key, changed_by_person
            FROM taken ORDER BY key
            ON CONFLICT (base_id, key) DO UPDATE SET value = excluded.value, size_bytes = excluded.size_bytes,
                revision = excluded.revision, changed_at = excluded.changed_at, expires_at = excluded.expires_at,
                changed_by_key = excluded.changed_by_key, changed_by_person = excluded.changed_by_person
            WHERE i.changed_at <= excluded.changed_at
        )
        SELECT count(*) FROM taken
    """,
        [base_id, into, limit],
        Total,
    )
