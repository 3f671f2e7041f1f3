"""The check of who asks, which statements on the hot path begin with.

Such a statement answers "may this caller?" and does the work in one round trip: it starts with the common table
expression `access`, which has one row when the data key is valid.
"""

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

from storage.postgres.caller import Access
from storage.postgres.distribution import items_are_distributed
from storage.postgres.statements import Params, Statement


class ResolvedBase(NamedTuple):
    base_id: int | None
    allowed: bool
    key_id: int | None


class Right(NamedTuple):
    allowed: bool


class KeyRight(NamedTuple):
    is_valid: bool
    allowed: bool


def access(caller: Access, name: str, *, write: bool, params: Params, kind: Literal["base", "drive"] = "base") -> str:
    """The CTE `access(base_id, allowed, key_id)`: no row for a key that is not valid, nor for a person without access; NULL for
    a Base that does not exist.

    `key_id` is the data key's, NULL for a person. With `kind="drive"` the first column is `drive_id`, of a Drive.
    """
    collection, named = f"{params.add(caller.collection_id)}::text", f"{params.add(name)}::text"
    if caller.key_digest is not None:
        return _of_key(collection, named, params.add(caller.key_digest), write, kind)
    return f"""WITH access AS (
        SELECT b.id AS {kind}_id, p.allowed, NULL::bigint AS key_id
        FROM ({_of_person(caller, collection, write=write, params=params)}) AS p
        LEFT JOIN storage_{kind} b ON b.collection_id = {collection} AND b.name = {named}
    )"""


# Nearly every request of an app begins with the same text. To make it anew takes longer than to find it, and so it is the very
# text by which the statement is found again on its connection.
@cache
def _of_key(collection: str, named: str, digest: str, write: bool, kind: str) -> str:
    may_write = "k.can_write AND " if write else ""
    return f"""WITH access AS (
        SELECT b.id AS {kind}_id, {may_write}(k.{kind}_names IS NULL OR {named} = ANY (k.{kind}_names)) AS allowed,
               k.id AS key_id
        FROM storage_datakey k
        LEFT JOIN storage_{kind} b ON b.collection_id = k.collection_id AND b.name = {named}
        WHERE k.digest = {digest}::bytea AND k.collection_id = {collection}
        AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    )"""


def noted_by(who: str) -> str:
    """A condition, always true, of a statement that deletes items: the database notes who it was (`migrations/0016_history.py`).

    `who` is SQL for `p` and a person's id, `k` and a data key's, or nothing. It is set once, for the transaction. Where items are
    distributed nobody notes it, and a deletion takes no function that does something; but a value that is sent is used.
    """
    if items_are_distributed():
        return f"coalesce({who}, '') IS NOT NULL" if "$" in who else "true"
    return f"(SELECT set_config('homeport.by', coalesce({who}, ''), true)) IS NOT NULL"


def and_not_kept(keeps_history: bool) -> str:
    """A further condition, always true, of a statement that deletes items: without `keeps_history` the database notes for its
    transaction no more what was before.
    """
    if keeps_history or items_are_distributed():
        return ""
    return "AND (SELECT set_config('homeport.history', 'off', true)) IS NOT NULL"


def by_person(person_id: int | None) -> str:
    """A person, or none, as `noted_by` takes them."""
    return "" if person_id is None else f"p{person_id}"


def check_person(caller: Access, *, write: bool) -> Statement[Right]:
    """What a person, or the server itself, may do in the whole collection. Row: allowed; none without any access."""
    params = Params()
    collection = f"{params.add(caller.collection_id)}::text"
    return Statement(_of_person(caller, collection, write=write, params=params), params, Right)


def _of_person(caller: Access, collection: str, *, write: bool, params: Params) -> str:
    """A query with one row, `allowed`, when the caller has access to the collection (`storage/collections/roles.py`)."""
    if caller.person_id is None:
        return f"SELECT true AS allowed FROM storage_collection c WHERE c.id = {collection}"
    allowed = "u.is_superuser OR m.role IN ('owner', 'member')" if write else "true"
    return f"""SELECT {allowed} AS allowed FROM auth_user u
        JOIN storage_collection c ON c.id = {collection}
        LEFT JOIN storage_membership m ON m.person_id = u.id AND m.collection_id = c.id
        WHERE u.id = {params.add(caller.person_id)}::int AND u.is_active
        AND (m.id IS NOT NULL OR u.is_superuser AND c.scratch_of IS NULL)"""


def check_keys(asked: Sequence[tuple[Access, str]]) -> Statement[KeyRight]:
    """Whether these data keys may read these Bases. Row: is_valid, allowed; one for each, in their order."""
    digests = [access.key_digest for access, _ in asked]
    return Statement(
        """
        SELECT k.id IS NOT NULL, k.base_names IS NULL OR asked.name = ANY (k.base_names)
        FROM unnest($1::bytea[], $2::text[], $3::text[]) WITH ORDINALITY AS asked(digest, collection_id, name, place)
        LEFT JOIN storage_datakey k ON k.digest = asked.digest AND k.collection_id = asked.collection_id
            AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
        ORDER BY asked.place
    """,
        [digests, [access.collection_id for access, _ in asked], [name for _, name in asked]],
        KeyRight,
    )


def resolve_base(caller: Access, base: str, *, write: bool) -> Statement[ResolvedBase]:
    """Row: base_id, allowed, the data key's id or NULL."""
    params = Params()
    return Statement(
        f"{access(caller, base, write=write, params=params)} SELECT base_id, allowed, key_id FROM access",
        params,
        ResolvedBase,
    )
