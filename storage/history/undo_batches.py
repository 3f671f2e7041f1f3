"""Undoing what one data key or person did to the items of a Base since a moment, a batch of items at a time.

What each item takes is said here and in `undoing.py`; nothing is written: the page stages it, and a save applies it with the
checks that every save has.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from storage import limits
from storage.base import edits
from storage.base.edits import ItemState
from storage.exact_json import split
from storage.history.sql import undo_batches as undo_sql
from storage.history.sql.undo_batches import RunEdge, TouchedCount, Writer
from storage.history.timelines import find_timeline
from storage.history.undoing import State, Step, Undone, Written, find_step, take_back
from storage.postgres.caller import Access
from storage.postgres.database import run, run_one
from storage.postgres.distribution import refuse_where_distributed

__all__ = ["Batch", "ItemStep", "TouchedCount", "Writer", "count_items", "find_batch"]

# For who wrote here and there: each look costs some tens of milliseconds.
_LOOKS = 20
# Versions looked at to count items.
_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class ItemStep:
    """What an item takes, and how it stands: None for one that is not there. `step` is None where what was before is not kept."""

    key: str
    step: Step | None
    present: ItemState | None


@dataclass(frozen=True, slots=True)
class Batch:
    """The items of a batch in the order of their keys, and the key to go on after when more may follow."""

    items: list[ItemStep]
    last: str | None


def find_batch(*, access: Access, base: str, writer: Writer, since: datetime, after: str = "") -> Batch:
    """Up to `UNDO_BATCH_ITEMS` items that the writer changed since the moment, of those whose keys come after `after`.

    A batch may be short, or empty, when it had much to look at: go on after `last`. Only what the Base has held under its
    present id is looked at: an emptied one is brought back whole. Raises Unauthorized, Forbidden, ItemsDistributed,
    EngineUnreachable.
    """
    base_id = find_timeline(access, base).base_id
    refuse_where_distributed()
    if base_id is None:
        return Batch([], None)
    keys: list[str] = []
    last: str | None = after
    for _ in range(_LOOKS):
        room = limits.UNDO_BATCH_ITEMS - len(keys)
        if last is None or not room:
            break
        found, last = _find_keys(base_id, writer, since, last, room)
        keys += found
    if not keys:
        return Batch([], last)
    edges = run(undo_sql.list_run_edges(base_id, writer, since, keys=keys, max_bytes=limits.UNDO_BATCH_MAX_BYTES))
    if edges and edges[-1].bytes_so_far >= limits.UNDO_BATCH_MAX_BYTES:
        # The last item may not be whole; of one that is too much by itself nothing can be said.
        last = edges[-1].key
        whole = [edge for edge in edges if edge.key != last]
        edges, last = (whole, whole[-1].key) if whole else ([edges[0]._replace(is_kept=False)], last)
    states = edits.get_states(access=access, base=base, keys={edge.key for edge in edges})
    return Batch(list(_steps(edges, states)), last)


def count_items(*, access: Access, base: str, writer: Writer, since: datetime) -> TouchedCount:
    """How many items the writer changed since the moment, and whether that is exact: else there are more.

    Raises Unauthorized, Forbidden, ItemsDistributed, EngineUnreachable.
    """
    base_id = find_timeline(access, base).base_id
    refuse_where_distributed()
    if base_id is None:
        return TouchedCount(0, True)
    return run_one(undo_sql.count_touched(base_id, writer, since, most=_COUNTED))


def _find_keys(base_id: int, writer: Writer, since: datetime, after: str, room: int) -> tuple[list[str], str | None]:
    """Up to `room` keys that the writer was at, out of one look, and the key that it ended with before the last of all."""
    touched = run(undo_sql.list_touched(base_id, writer, since, after=after, most=limits.HISTORY_LOOK_MAX))
    theirs = [row.key for row in touched if row.is_theirs]
    if len(theirs) > room:
        return theirs[:room], theirs[room - 1]
    if not touched or not touched[-1].is_cut:
        return theirs, None
    if len(touched) == 1:
        # More changes of one item than are looked at: it counts as touched, and its edges tell whether it was.
        return [touched[0].key], touched[0].key
    return [key for key in theirs if key != touched[-1].key], touched[-2].key


def _steps(edges: list[RunEdge], states: dict[str, ItemState]) -> Iterator[ItemStep]:
    for key, rows in groupby(edges, key=lambda edge: edge.key):
        present = states.get(key)
        of_key = list(rows)
        if not all(row.is_kept for row in of_key):
            yield ItemStep(key, None, present)
            continue
        now = _state_of(present)
        undone: Undone | None = take_back(_runs(of_key, now))
        if undone is not None:
            yield ItemStep(key, find_step(undone, now), present)


def _runs(edges: list[RunEdge], now: State) -> Iterator[Written]:
    """Each run of the writer's changes as one."""
    ends = [_parsed(edge.before) for edge in edges[1:]] + [now]
    for edge, after in zip(edges, ends, strict=True):
        if edge.is_theirs:
            yield Written(True, _parsed(edge.before), after)


def _parsed(before: str | None) -> State:
    return None if before is None else split(before)


def _state_of(present: ItemState | None) -> State:
    if present is None:
        return None
    members = split(present.json)
    members.pop("key", None)
    return members
