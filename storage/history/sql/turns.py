"""Statements on what ids the name of a Base had, and when."""

from datetime import datetime
from typing import NamedTuple

from storage.postgres.caller import Access
from storage.postgres.sql.access import access
from storage.postgres.statements import NoRow, Params, Statement


class FoundTurn(NamedTuple):
    current_id: int | None
    allowed: bool
    now: datetime
    version_id: int | None
    at: datetime
    base_id: int
    next_id: int | None
    by_person: int | None


def find_turns(caller: Access, base: str) -> Statement[FoundTurn]:
    """Rows in the order of time: the Base's id now or NULL, allowed, the time, and of each turn its version, when, id until then,
    id from then on or NULL, and the person. One row with a NULL version when there was none.

    A deleted Base belongs to its name, unless what is called so now was there already at that time. What an id went through
    counts up to when the name let go of it.
    """
    params = Params()
    head = access(caller, base, write=False, params=params).replace("WITH", "WITH RECURSIVE", 1)
    return Statement(
        f"""{head}, turns AS (
            SELECT f.* FROM access a LEFT JOIN storage_base b ON b.id = a.base_id, storage_baseturn f
            WHERE a.allowed AND (f.next_id = a.base_id OR f.base_id = a.base_id OR (
                f.next_id IS NULL AND f.collection_id = {params.add(caller.collection_id)}::text
                AND f.name = {params.add(base)}::text AND (b.id IS NULL OR b.created_at >= f.at)))
            UNION
            SELECT f.* FROM turns t JOIN storage_baseturn f
            ON t.base_id <> 0 AND f.version_id < t.version_id AND (f.next_id = t.base_id OR f.base_id = t.base_id)
        )
        SELECT a.base_id, a.allowed, clock_timestamp(), t.version_id, t.at, t.base_id, t.next_id, t.by_person
        FROM access a LEFT JOIN turns t ON true ORDER BY t.version_id
    """,
        params,
        FoundTurn,
    )


def note_turn(
    *, base_id: int, next_id: int | None, collection_id: str, name: str, by_person: int | None
) -> Statement[NoRow]:
    """From now on the name has the id `next_id`, or none, where it had `base_id`, or 0 for none. No row."""
    return Statement(
        """
        INSERT INTO storage_baseturn (version_id, at, base_id, next_id, collection_id, name, by_person)
        VALUES (nextval('storage_item_version'), clock_timestamp(), $1, $2, $3, $4, $5)
    """,
        [base_id, next_id, collection_id, name, by_person],
        NoRow,
    )
