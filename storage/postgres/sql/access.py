"""The check of who asks, which statements on the hot path begin with.

Such a statement answers "may this caller?" and does the work in one round trip: it starts with the common table
expression `access`, which has one row when the data key is valid.
"""

from typing import Literal, NamedTuple

from storage.postgres.caller import Access
from storage.postgres.statements import Params, Statement


class ResolvedBase(NamedTuple):
    base_id: int | None
    allowed: bool
    key_id: int | None


def access(caller: Access, name: str, *, write: bool, params: Params, kind: Literal["base", "drive"] = "base") -> str:
    """The CTE `access(base_id, allowed, key_id)`: no row for a key that is not valid, NULL for a Base that does not exist.

    `key_id` is the data key's, NULL for a person. With `kind="drive"` the first column is `drive_id`, of a Drive.
    """
    collection, named = f"{params.add(caller.collection_id)}::text", f"{params.add(name)}::text"
    if caller.key_digest is None:
        allowed = "true" if caller.can_write or not write else "false"
        return f"""WITH access AS (
            SELECT b.id AS {kind}_id, {allowed} AS allowed, NULL::bigint AS key_id
            FROM storage_collection c
            LEFT JOIN storage_{kind} b ON b.collection_id = c.id AND b.name = {named}
            WHERE c.id = {collection}
        )"""
    may_write = "k.can_write AND " if write else ""
    return f"""WITH access AS (
        SELECT b.id AS {kind}_id, {may_write}(k.{kind}_names IS NULL OR {named} = ANY (k.{kind}_names)) AS allowed,
               k.id AS key_id
        FROM storage_datakey k
        LEFT JOIN storage_{kind} b ON b.collection_id = k.collection_id AND b.name = {named}
        WHERE k.digest = {params.add(caller.key_digest)}::bytea AND k.collection_id = {collection}
        AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now())
    )"""


def resolve_base(caller: Access, base: str, *, write: bool) -> Statement[ResolvedBase]:
    """Row: base_id, allowed, the data key's id or NULL."""
    params = Params()
    return Statement(
        f"{access(caller, base, write=write, params=params)} SELECT base_id, allowed, key_id FROM access",
        params,
        ResolvedBase,
    )
