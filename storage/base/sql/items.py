"""Statements on single items and small batches. Values are always bound, never written into the text."""

from typing import NamedTuple

from storage.postgres.caller import Access
from storage.postgres.sql import access as access_sql
from storage.postgres.sql.access import access
from storage.postgres.statements import Affected, NoRow, Params, Statement

# An item's own clock is the database's: one clock for all web processes.
LIVE = "(i.expires_at IS NULL OR i.expires_at > now())"


class FoundItem(NamedTuple):
    base_id: int | None
    allowed: bool
    value: str | None
    revision: int


class PutItems(NamedTuple):
    base_id: int | None
    allowed: bool
    written: int


class BaseAccess(NamedTuple):
    base_id: int | None
    allowed: bool


class ItemValue(NamedTuple):
    value: str


class ProcessNumber(NamedTuple):
    number: int


def get_item(caller: Access, base: str, key: str) -> Statement[FoundItem]:
    """Row: base_id, allowed, value as text or NULL, revision."""
    params = Params()
    head = access(caller, base, write=False, params=params)
    return Statement(
        f"""{head}
        SELECT a.base_id, a.allowed, i.value::text, i.revision
        FROM access a
        LEFT JOIN storage_item i ON a.allowed AND i.base_id = a.base_id AND i.key = {params.add(key)} AND {LIVE}
    """,
        params,
        FoundItem,
    )


def put_items(
    caller: Access, base: str, rows: list[tuple[str, str, int, float | None]], *, replace: bool
) -> Statement[PutItems]:
    """Store rows of key, whole item as JSON, its size in bytes, and `__expires` in seconds or None.

    `replace=False` keeps an item that is there, unless it has expired. Row: base_id, allowed, rows written. The rows
    are written in key order, so that two batches over the same keys wait for each other instead of deadlocking.
    """
    params = Params()
    head = access(caller, base, write=True, params=params)
    _, documents, sizes, expiries = (list(column) for column in zip(*rows, strict=True))
    # One JSON array, not an array of texts: the driver would escape every quotation mark of those one by one.
    items = f"[{','.join(documents)}]"
    person = "NULL" if caller.person_id is None else f"{params.add(caller.person_id)}::bigint"
    only_expired = "" if replace else "WHERE i.expires_at <= now()"
    return Statement(
        f"""{head}, written AS (
        INSERT INTO storage_item AS i (base_id, key, value, size_bytes, revision, changed_at, expires_at,
            changed_by_key, changed_by_person)
        SELECT a.base_id, n.item ->> 'key', n.item - 'key', n.size_bytes, nextval('storage_item_revision'), now(),
               to_timestamp(n.expires + 1), a.key_id, {person}
        FROM access a, ROWS FROM (
            jsonb_array_elements({params.add(items)}::jsonb),
            unnest({params.add(sizes)}::int[]),
            unnest({params.add(expiries)}::float8[])
        ) AS n(item, size_bytes, expires)
        WHERE a.allowed AND a.base_id IS NOT NULL
        ORDER BY (n.item ->> 'key') COLLATE "C"
        ON CONFLICT (base_id, key) DO UPDATE SET value = excluded.value, size_bytes = excluded.size_bytes,
            revision = excluded.revision, changed_at = excluded.changed_at, expires_at = excluded.expires_at,
            changed_by_key = excluded.changed_by_key, changed_by_person = excluded.changed_by_person
        {only_expired}
        RETURNING 1)
        SELECT base_id, allowed, (SELECT count(*) FROM written) FROM access
    """,
        params,
        PutItems,
    )


def delete_item(caller: Access, base: str, key: str) -> Statement[BaseAccess]:
    """Row: base_id, allowed."""
    params = Params()
    head = access(caller, base, write=True, params=params)
    return Statement(
        f"""{head}, deleted AS (
        DELETE FROM storage_item i USING access a
        WHERE a.allowed AND i.base_id = a.base_id AND i.key = {params.add(key)})
        SELECT base_id, allowed FROM access
    """,
        params,
        BaseAccess,
    )


def lock_item(base_id: int, key: str) -> Statement[ItemValue]:
    """Row: value as text; locked until the transaction ends."""
    statement = f"SELECT i.value::text FROM storage_item i WHERE i.base_id = $1 AND i.key = $2 AND {LIVE} FOR UPDATE"
    return Statement(statement, [base_id, key], ItemValue)


def replace_item(
    caller: Access, base: str, *, base_id: int, row: tuple[str, str, int, float | None]
) -> Statement[access_sql.ResolvedBase]:
    """Give a locked item a new value, if the caller may write now: the lock may have been waited for.

    The row is as in `put_items`. Row: as `resolve_base`.
    """
    params = Params()
    head = access_sql.access(caller, base, write=True, params=params)
    key, json, size_bytes, expires = row
    return Statement(
        f"""{head}, written AS (
            UPDATE storage_item i SET value = {params.add(json)}::jsonb - 'key', size_bytes = {params.add(size_bytes)}::int,
                expires_at = to_timestamp({params.add(expires)}::float8 + 1),
                revision = nextval('storage_item_revision'), changed_at = now(),
                changed_by_key = a.key_id, changed_by_person = {params.add(caller.person_id)}::bigint
            FROM access a WHERE a.allowed AND i.base_id = {params.add(base_id)}::bigint AND i.key = {params.add(key)}::text
        )
        SELECT base_id, allowed, key_id FROM access
    """,
        params,
        access_sql.ResolvedBase,
    )


def delete_expired(limit: int) -> Statement[Affected]:
    """Delete up to `limit` expired items that no one else is changing; a row for each."""
    return Statement(
        """
        DELETE FROM storage_item WHERE (base_id, key) IN (
            SELECT base_id, key FROM storage_item WHERE expires_at <= now()
            ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING 1
    """,
        [limit],
        Affected,
    )


def next_process_number() -> Statement[ProcessNumber]:
    """Row: a number that no living process has (see `storage/base/generated_keys.py`)."""
    return Statement("SELECT nextval('storage_process_number')", [], ProcessNumber)


def give_back_items() -> Statement[NoRow]:
    """Give the disk the room that deleted items have left at the end of their table, and let new ones use the rest. No row."""
    return Statement("VACUUM (TRUNCATE, SKIP_LOCKED) storage_item", [], NoRow)
