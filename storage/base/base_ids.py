"""The ids of Bases that this process has met, and statements that take one for the right one.

A statement that has an id as a value returns the one that the Base has, and is asked anew where that is another: a Base that is
emptied, or deleted and made anew, has another id.
"""

from collections.abc import Callable
from typing import TypeVar

from storage.base.sql.items import DeletedItem, FoundItem, PutItems, ReplacedItem
from storage.postgres.caller import Access, allowed
from storage.postgres.database import run
from storage.postgres.distribution import items_are_distributed
from storage.postgres.sql import access as access_sql
from storage.postgres.statements import Statement

_ids: dict[tuple[str, str], int] = {}
_KEPT = 10_000
# No Base has it.
_NONE = 0


B = TypeVar("B", bound=FoundItem | PutItems | ReplacedItem | DeletedItem)


def find(access: Access, base: str, *, write: bool = False) -> int | None:
    """The id that the Base had when last seen, None where there is none. Raises Unauthorized or Forbidden."""
    known = _ids.get((access.collection_id, base))
    if known is not None:
        return known
    base_id = allowed(run(access_sql.resolve_base(access, base, write=write))).base_id
    if base_id is not None:
        if len(_ids) >= _KEPT:
            _ids.clear()
        _ids[access.collection_id, base] = base_id
    return base_id


def forget(access: Access, base: str) -> None:
    """It has another id by now, or none."""
    _ids.pop((access.collection_id, base), None)


def ask(
    access: Access,
    base: str,
    statement_with: Callable[[int | None], Statement[B]],
    *,
    write: bool,
    run_by: Callable[[Statement[B]], list[B]] = run,
) -> B:
    """The first row of a statement on a Base, run by `run_by` where items are on one server. Raises Unauthorized or Forbidden.

    Where items are distributed over several servers the statement gets the Base's id, which leads it to one of them, and
    does nothing when that is no longer the id; else it gets None, and finds it itself.
    """
    if not items_are_distributed():
        return allowed(run_by(statement_with(None)))
    while True:
        base_id = find(access, base, write=write) or _NONE
        row = allowed(run(statement_with(base_id)))
        if (row.base_id or _NONE) == base_id:
            return row
        forget(access, base)
