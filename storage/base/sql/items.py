"""Statements on single items and small batches. Values are always bound, never written into the text."""

from functools import cache
from typing import NamedTuple

from storage.base.expected import Expected
from storage.postgres.caller import Access
from storage.postgres.sql.access import access, and_not_kept, by_person, noted_by
from storage.postgres.statements import Affected, NoRow, Params, Statement

# An item's own clock is the database's: one clock for all web processes.
LIVE = "(i.expires_at IS NULL OR i.expires_at > now())"
# Where a row meets one that is there: what is written has this moment, and a database that is spread over several servers takes
# no function there that says another thing each time (docs/citus.md).
EXPIRED_WHEN_MET = "i.expires_at <= excluded.changed_at"


class FoundItem(NamedTuple):
    base_id: int | None
    allowed: bool
    value: str | None
    revision: int


class PutItems(NamedTuple):
    base_id: int | None
    allowed: bool
    keys: list[str] | None
    revisions: list[int] | None


class ReplacedItem(NamedTuple):
    base_id: int | None
    allowed: bool
    revision: int | None


class DeletedItem(NamedTuple):
    base_id: int | None
    allowed: bool
    deleted: bool


class BaseOfExpired(NamedTuple):
    base_id: int


class LockedItem(NamedTuple):
    value: str
    revision: int


# A row of the writing statements: key, whole item as JSON, its size in bytes, and `__expires` in seconds or None.
Row = tuple[str, str, int, float | None]


# With a `base_id` a statement is about the items of the Base that has this id, which leads it to the one server of several that
# has them, and does nothing when the Base has another by now (`storage/base/base_ids.py`). Without, it finds the id itself.


def get_item(caller: Access, base: str, key: str, base_id: int | None = None) -> Statement[FoundItem]:
    """Row: base_id, allowed, value as text or NULL, revision."""
    params = Params()
    head = access(caller, base, write=False, params=params)
    within = _within(base_id, params)
    return Statement(_get_item(head, within, params.add(key)), params, FoundItem)


@cache
def _get_item(head: str, within: str, key: str) -> str:
    return f"""{head}
        SELECT a.base_id, a.allowed, i.value::text, i.revision
        FROM access a
        LEFT JOIN storage_item i ON a.allowed AND {within} AND i.key = {key} AND {LIVE}
    """


def _within(base_id: int | None, params: Params) -> str:
    """The condition that the item `i` is the Base's of `access a`."""
    if base_id is None:
        return "i.base_id = a.base_id"
    known = f"{params.add(base_id)}::bigint"
    return f"i.base_id = {known} AND a.base_id = {known}"


def put_items(
    caller: Access,
    base: str,
    rows: list[Row],
    base_id: int | None = None,
    *,
    replace: bool,
    spares: dict[str, tuple[str, ...]] | None = None,
) -> Statement[PutItems]:
    """Store rows. `replace=False` keeps an item that is there, unless it has expired.

    A key in `spares` is a drawn one, which never replaces anything: where it is taken, the first of its spares that is not is
    taken in its stead, all of them having as many. The rows are written in key order, so that two batches over the same keys
    wait for each other instead of deadlocking.

    Row: base_id, allowed, and of what was written the keys and the revisions, both NULL for nothing.
    """
    params = Params()
    head = access(caller, base, write=True, params=params)
    # One JSON array, not an array of texts: the driver would escape every quotation mark of those one by one. Of numbers it makes
    # an array in several steps for each; what Postgres reads as one is written here.
    items = params.add(f"[{','.join([json for _, json, _, _ in rows])}]")
    sizes = params.add(f"{{{','.join([str(size_bytes) for _, _, size_bytes, _ in rows])}}}")
    expiries = params.add(f"{{{','.join(['NULL' if at is None else repr(at) for _, _, _, at in rows])}}}")
    person = "NULL" if caller.person_id is None else f"{params.add(caller.person_id)}::bigint"
    into = _Into("a.base_id", "a.base_id IS NOT NULL", person)
    if base_id is not None:
        known = f"{params.add(base_id)}::bigint"
        into = _Into(known, f"a.base_id = {known}", person)
    if not spares:
        return Statement(_put_items(head, items, sizes, expiries, into, replace), params, PutItems)
    drawn = params.add(list(spares))
    rounds = [params.add(list(keys)) for keys in zip(*spares.values(), strict=True)]
    return Statement(_put_items(head, items, sizes, expiries, into, replace, drawn, *rounds), params, PutItems)


@cache
def _put_items(head: str, items: str, sizes: str, expiries: str, into: "_Into", replace: bool, *drawn: str) -> str:
    """The text, of placeholders; `drawn` are those of the keys that were drawn, and of each round of spares."""
    given = f"""ROWS FROM (
            jsonb_array_elements({items}::jsonb), unnest({sizes}::int[]), unnest({expiries}::float8[])
        ) AS n(item, size_bytes, expires)"""
    only = [] if replace else [EXPIRED_WHEN_MET]
    again, written = "", "written"
    if drawn:
        only.append(f"i.key <> ALL ({drawn[0]}::text[])")
        again, written = _take_spares(given, drawn, into=into)
    return f"""{head}, written AS (
        {_insert("n.item ->> 'key'", into)}
        FROM access a, {given}
        WHERE a.allowed AND {into.is_there}
        ORDER BY (n.item ->> 'key') COLLATE "C"
        ON CONFLICT (base_id, key) DO UPDATE SET value = excluded.value, size_bytes = excluded.size_bytes,
            revision = excluded.revision, changed_at = excluded.changed_at, expires_at = excluded.expires_at,
            changed_by_key = excluded.changed_by_key, changed_by_person = excluded.changed_by_person
        {"WHERE " + " AND ".join(only) if only else ""}
        RETURNING key, revision){again}
        SELECT a.base_id, a.allowed, w.keys, w.revisions
        FROM access a, (SELECT array_agg(key) AS keys, array_agg(revision) AS revisions FROM {written}) w
    """


class _Into(NamedTuple):
    """SQL for the id of the Base that is written to, for whether it is that of `access a`, and for who writes."""

    base_id: str
    is_there: str
    person: str


def _insert(key: str, into: _Into) -> str:
    return f"""INSERT INTO storage_item AS i (base_id, key, value, size_bytes, revision, changed_at, expires_at,
            changed_by_key, changed_by_person)
        SELECT {into.base_id}, {key}, n.item - 'key', n.size_bytes, nextval('storage_item_revision'), now(),
               to_timestamp(n.expires + 1), a.key_id, {into.person}"""


def _take_spares(given: str, drawn: tuple[str, ...], *, into: _Into) -> tuple[str, str]:
    """More CTEs, one for each round of spares, which store what the rounds before could not; and what all have written."""
    ctes, rounds = "", ["written"]
    for number, tried in enumerate(drawn[1:], start=1):
        taken = "".join(
            f" AND NOT EXISTS (SELECT 1 FROM {done} d WHERE d.key = ({keys_before}::text[])[p.place])"
            for done, keys_before in zip(rounds, drawn[:number], strict=True)
        )
        ctes += f""", again_{number} AS (
        {_insert(f"({tried}::text[])[p.place]", into)}
        FROM access a, {given}, array_position({drawn[0]}::text[], n.item ->> 'key') AS p(place)
        WHERE a.allowed AND {into.is_there} AND p.place IS NOT NULL{taken}
        ON CONFLICT (base_id, key) DO NOTHING
        RETURNING key, revision)"""
        rounds.append(f"again_{number}")
    return ctes, "(" + " UNION ALL ".join(f"SELECT key, revision FROM {each}" for each in rounds) + ") AS all_rounds"


def replace_item(
    caller: Access,
    base: str,
    row: Row,
    *,
    expected: Expected,
    base_id: int | None = None,
    only_of_base: bool = False,
) -> Statement[ReplacedItem]:
    """Give an item a new value if it is as expected. With `base_id` it is the item of that Base, whatever is called so by now,
    unless it shall be the Base's own alone.

    It asks anew whether the caller may: where the item was locked before, the lock may have been waited for. Row: base_id,
    allowed, the new revision or NULL.
    """
    params = Params()
    head = access(caller, base, write=True, params=params)
    key, json, size_bytes, expires = row
    is_known = base_id is not None and not only_of_base
    within = f"i.base_id = {params.add(base_id)}::bigint" if is_known else _within(base_id, params)
    return Statement(
        f"""{head}, drawn AS MATERIALIZED (
            SELECT a.*, nextval('storage_item_revision') AS revision FROM access a WHERE a.allowed
        ), written AS (
            UPDATE storage_item i SET value = {params.add(json)}::jsonb - 'key', size_bytes = {params.add(size_bytes)}::int,
                expires_at = to_timestamp({params.add(expires)}::float8 + 1),
                revision = a.revision, changed_at = now(),
                changed_by_key = a.key_id, changed_by_person = {params.add(caller.person_id)}::bigint
            FROM drawn a
            WHERE {within} AND i.key = {params.add(key)}::text{_is(expected, params)}
            RETURNING i.revision
        )
        SELECT base_id, allowed, (SELECT revision FROM written) FROM access
    """,
        params,
        ReplacedItem,
    )


def delete_item(
    caller: Access,
    base: str,
    key: str,
    base_id: int | None = None,
    *,
    keeps_history: bool,
    expected: Expected | None = None,
) -> Statement[DeletedItem]:
    """Delete an item, an expired one too unless something is expected. Row: base_id, allowed, whether there was such an item."""
    params = Params()
    head = access(caller, base, write=True, params=params)
    only = "" if expected is None else _is(expected, params)
    who = f"{params.add(by_person(caller.person_id))}::text" if caller.key_digest is None else "'k' || a.key_id"
    return Statement(
        f"""{head}, deleted AS (
        DELETE FROM storage_item i USING access a
        WHERE a.allowed AND {_within(base_id, params)} AND i.key = {params.add(key)}{only} AND {noted_by(who)}
        {and_not_kept(keeps_history)} RETURNING 1)
        SELECT base_id, allowed, EXISTS (SELECT 1 FROM deleted) FROM access
    """,
        params,
        DeletedItem,
    )


def _is(expected: Expected, params: Params) -> str:
    revisions = expected.revisions
    return f" AND {LIVE}" + ("" if revisions is None else f" AND i.revision = ANY ({params.add(revisions)}::bigint[])")


def lock_item(base_id: int, key: str) -> Statement[LockedItem]:
    """Row: value as text, revision; locked until the transaction ends."""
    statement = f"""SELECT i.value::text, i.revision FROM storage_item i
        WHERE i.base_id = $1 AND i.key = $2 AND {LIVE} FOR UPDATE"""
    return Statement(statement, [base_id, key], LockedItem)


def find_bases_with_expired(limit: int) -> Statement[BaseOfExpired]:
    """Rows: the Bases of the `limit` items that expired first."""
    return Statement(
        """
        SELECT DISTINCT e.base_id FROM (
            SELECT base_id FROM storage_item WHERE expires_at <= now() ORDER BY expires_at LIMIT $1) e
    """,
        [limit],
        BaseOfExpired,
    )


def delete_expired(base_id: int, limit: int, *, keeps_history: bool) -> Statement[Affected]:
    """Delete up to `limit` expired items of a Base that no one else is changing; a row for each."""
    return Statement(
        f"""
        DELETE FROM storage_item WHERE base_id = $1 AND key IN (
            SELECT key FROM storage_item WHERE base_id = $1 AND expires_at <= now()
            ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
            {and_not_kept(keeps_history)}
        RETURNING 1
    """,
        [base_id, limit],
        Affected,
    )


def give_back_items() -> Statement[NoRow]:
    """Give the disk the room that deleted items have left at the end of their table, and let new ones use the rest. No row."""
    return Statement("VACUUM (TRUNCATE, SKIP_LOCKED) storage_item", [], NoRow)
