"""Statements for a person's edits: several items at once, each compared with its earlier state, and the receipts of saves."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from storage.base.sql.items import EXPIRED_WHEN_MET, LIVE
from storage.postgres.sql.access import and_not_kept, by_person, noted_by
from storage.postgres.statements import Affected, NoRow, Statement, Total

Row = tuple[str, str, int, float | None]

_STATE = "i.key, i.value::text, i.revision, i.changed_at, i.changed_by_key, i.changed_by_person"


class StoredItem(NamedTuple):
    key: str
    value: str
    revision: int
    changed_at: datetime
    changed_by_key: int | None
    changed_by_person: int | None


class Written(NamedTuple):
    key: str
    revision: int
    changed_at: datetime


class Receipt(NamedTuple):
    base_id: int
    person_id: int | None
    digest: bytes
    results: str


def lock_items(base_id: int, keys: list[str]) -> Statement[StoredItem]:
    """Rows in key order, locked until the transaction ends: key, value as text, revision, changed_at, data key, person."""
    return Statement(
        f"""
        SELECT {_STATE} FROM storage_item i WHERE i.base_id = $1 AND i.key = ANY ($2::text[]) AND {LIVE}
        ORDER BY i.key FOR UPDATE
    """,
        [base_id, keys],
        StoredItem,
    )


def hold_base(base_id: int) -> Statement[Affected]:
    """A row if the Base still exists; it is not deleted, emptied or renamed until the transaction ends."""
    return Statement("SELECT 1 FROM storage_base WHERE id = $1 FOR KEY SHARE", [base_id], Affected)


def get_items(base_id: int, keys: list[str]) -> Statement[StoredItem]:
    """Rows in key order, as in `lock_items`."""
    return Statement(
        f"SELECT {_STATE} FROM storage_item i WHERE i.base_id = $1 AND i.key = ANY ($2::text[]) AND {LIVE} ORDER BY i.key",
        [base_id, keys],
        StoredItem,
    )


def store_items(base_id: int, rows: list[Row], *, person_id: int | None, replace: bool) -> Statement[Written]:
    """Store rows of key, whole item as JSON, size in bytes, `__expires` or None; a row for each one stored: key, revision,
    changed_at.

    `replace=True` is for items that are locked; without it an item that is there is kept, unless it has expired.
    """
    keys, documents, sizes, expiries = (list(column) for column in zip(*rows, strict=True))
    only_expired = "" if replace else f"WHERE {EXPIRED_WHEN_MET}"
    return Statement(
        f"""
        INSERT INTO storage_item AS i
            (base_id, key, value, size_bytes, revision, changed_at, expires_at, changed_by_key, changed_by_person)
        SELECT $1, n.key, n.item::jsonb - 'key', n.size_bytes, nextval('storage_item_revision'), now(),
               to_timestamp(n.expires + 1), NULL, $6::bigint
        FROM unnest($2::text[], $3::text[], $4::int[], $5::float8[]) AS n(key, item, size_bytes, expires)
        ORDER BY n.key COLLATE "C"
        ON CONFLICT (base_id, key) DO UPDATE SET value = excluded.value, size_bytes = excluded.size_bytes,
            revision = excluded.revision, changed_at = excluded.changed_at, expires_at = excluded.expires_at,
            changed_by_key = NULL, changed_by_person = excluded.changed_by_person
        {only_expired}
        RETURNING key, revision, changed_at
    """,
        [base_id, keys, documents, sizes, expiries, person_id],
        Written,
    )


def delete_items(base_id: int, keys: list[str], *, person_id: int | None, keeps_history: bool) -> Statement[NoRow]:
    """Delete locked items. No row."""
    return Statement(
        f"""
        DELETE FROM storage_item WHERE base_id = $1 AND key = ANY ($2::text[]) AND {noted_by("$3::text")}
        {and_not_kept(keeps_history)}
    """,
        [base_id, keys, by_person(person_id)],
        NoRow,
    )


def take_receipt(
    save_id: UUID, batch: int, *, base_id: int, person_id: int | None, digest: bytes
) -> Statement[Affected]:
    """Begin a batch. One row when it is new, none when it was applied before. Waits while another process applies it."""
    return Statement(
        """
        INSERT INTO storage_savereceipt (save_id, batch, base_id, person_id, digest) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT DO NOTHING RETURNING true
    """,
        [save_id, batch, base_id, person_id, digest],
        Affected,
    )


def get_receipt(save_id: UUID, batch: int) -> Statement[Receipt]:
    """Row: base_id, person or NULL, digest, results as JSON text."""
    return Statement(
        "SELECT base_id, person_id, digest, results FROM storage_savereceipt WHERE save_id = $1 AND batch = $2",
        [save_id, batch],
        Receipt,
    )


def keep_results(save_id: UUID, batch: int, results: str) -> Statement[NoRow]:
    """Complete a receipt. No row."""
    return Statement(
        "UPDATE storage_savereceipt SET results = $3 WHERE save_id = $1 AND batch = $2",
        [save_id, batch, results],
        NoRow,
    )


def forget_receipts(age_seconds: int) -> Statement[Total]:
    """Delete receipts older than that. Row: how many."""
    return Statement(
        """
        WITH gone AS (DELETE FROM storage_savereceipt WHERE made_at < now() - make_interval(secs => $1) RETURNING 1)
        SELECT count(*) FROM gone
    """,
        [age_seconds],
        Total,
    )
