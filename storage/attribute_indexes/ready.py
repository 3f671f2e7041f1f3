"""Which attributes of a Base have an index that answers, as this process last saw it.

Every statement that uses one also checks that it is still there (`still_ready`); so an index that was dropped a moment ago is
found out, and a new one is used a few seconds late.
"""

import time
from collections.abc import Mapping

from storage.attribute_indexes.asked import Path
from storage.attribute_indexes.sql import tending as tending_sql
from storage.postgres.database import run
from storage.postgres.distribution import items_are_distributed

_KEPT_SECONDS = 2.0
_BASES_KEPT = 10_000

_ready: dict[int, tuple[float, Mapping[Path, int]]] = {}


def find_ready(base_id: int) -> Mapping[Path, int]:
    """The ids of the indexes by their attributes; none where items are distributed. Raises EngineUnreachable."""
    if items_are_distributed():
        return {}
    known = _ready.get(base_id)
    now = time.monotonic()
    if known is not None and known[0] > now:
        return known[1]
    found = {tuple(row.path): row.id for row in run(tending_sql.find_ready(base_id))}
    if len(_ready) >= _BASES_KEPT:
        _ready.clear()
    _ready[base_id] = (now + _KEPT_SECONDS, found)
    return found


def forget(base_id: int) -> None:
    """Ask anew next time."""
    _ready.pop(base_id, None)
