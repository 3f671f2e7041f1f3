"""The change feed of a Base: every change once, in an order that holds for each key (contract: Base, "GET /changes").

A place in it is a cursor: the id of the Base, and of the last version that was looked at. It stays good when the Base is
renamed. Who has one of a Base that was emptied or deleted since, or that was put in the place of another, has to read the Base
anew: what became of the old one's items isn't told one by one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal, NamedTuple

from storage import limits
from storage.base.items import with_key
from storage.base.query import Predicate
from storage.errors import ChangesGone, InvalidInput, ItemsDistributed
from storage.exact_json import dump
from storage.history import horizon
from storage.history.authors import author_id
from storage.history.horizon import Horizon
from storage.history.sql import feed as feed_sql
from storage.history.sql.feed import FedChange
from storage.postgres.caller import Access, allowed
from storage.postgres.database import run
from storage.postgres.distribution import items_are_distributed
from storage.postgres.sql import access as access_sql

_ALL = Predicate()
# A sequence goes to PostgreSQL's log so far ahead of itself; a standby that takes over begins there.
_SEQUENCE_AHEAD = 32
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})(?:\.([0-9]{1,18}))?")


class Cursor(NamedTuple):
    """A place in the feed. Where there was no Base, `base_id` is 0, and `bases` the last id that any Base had got by then."""

    base_id: int
    version_id: int
    bases: int = 0

    def __str__(self) -> str:
        return f"{self.base_id}.{self.version_id}" + (f".{self.bases}" if self.bases else "")


class Change(NamedTuple):
    """A change: the id of its version, and its JSON, ready to send."""

    id: int
    json: str


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Changes in their order; `cursor` is where to go on, and `more` says that something is there already."""

    changes: list[Change]
    cursor: Cursor
    more: bool


def read_cursor(text: str) -> Cursor:
    """A cursor from what a client sends. Raises InvalidInput."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        raise InvalidInput("Bad since", "`since` is no cursor of this feed")
    base_id, version_id, bases = found.groups(default="0")
    return Cursor(int(base_id), int(version_id), int(bases))


def read_changes(
    *,
    access: Access,
    base: str,
    since: Cursor | Literal["now"] | None,
    limit: int = limits.QUERY_LIMIT_MAX,
    predicate: Predicate = _ALL,
    max_bytes: int | None = None,
    seen: Horizon | None = None,
    keys_only: bool = False,
) -> ChangesPage:
    """The changes behind `since`; without it from the oldest that is kept, "now" for no more than the cursor.

    At most `limit` are looked at, and about `max_bytes` (1 MB), so with a predicate a page may be short or empty with more
    behind it. A change is told when its value matches, with `value` null when the value before matched (or isn't known) and
    this one doesn't. One that was superseded in a Base that keeps no history is left out: its value is gone.

    `seen` is a horizon that was found before, for who reads many. With `keys_only` a change is told as
    `{"key", "revision", "gone"}`, the revision as a text: JavaScript's numbers lose digits. A Base that doesn't exist has no
    changes, and a cursor that goes on when it does. Raises Unauthorized, Forbidden, ChangesGone, ItemsDistributed and
    EngineUnreachable.
    """
    if items_are_distributed():
        allowed(run(access_sql.resolve_base(access, base, write=False)))
        raise ItemsDistributed()
    # Before anything else: a Base that isn't there then has no version up to here.
    seen = seen or horizon.find_horizon()
    last = seen.settled if since == "now" else None if since is None else since.version_id
    bounds = {"limit": limit, "max_bytes": max_bytes or limits.ANSWER_MAX_BYTES}
    rows = run(
        feed_sql.read_changes(access, base, predicate, since=last, until=seen.settled, keys_only=keys_only, **bounds)
    )
    place = allowed(rows)
    # A process that has just begun may not know yet how far it can read: what is no longer kept is behind everybody.
    reached = max(seen.settled, place.begins)
    end = Cursor(place.base_id or 0, reached, 0 if place.base_id else place.bases)
    if since is not None and since != "now":
        _check(since, place, seen, end)
        end = end._replace(version_id=max(end.version_id, since.version_id))
    found = [row for row in rows if row.id is not None][:limit]
    more = place.looked_at > len(found)
    if more and found:
        end = end._replace(version_id=found[-1].id or 0)
    told = [row for row in found if row.is_told]
    write = _notice if keys_only else partial(_json, access.collection_id)
    return ChangesPage([Change(row.id or 0, write(row)) for row in told], end, more)


def find_changed(base_ids: list[int], *, since: int, until: int, seconds: float) -> set[int]:
    """Those of these Bases that have a version behind `since` up to `until`, all made within so many seconds."""
    found = run(feed_sql.find_changed(base_ids, since=since, until=until, seconds=seconds))
    return {row.base_id for row in found}


def find_bases(asked: list[tuple[str, str]]) -> list[int]:
    """The ids that Bases have now, by their collections and names; 0 for none."""
    return [row.base_id or 0 for row in run(feed_sql.find_bases(asked))]


def _check(since: Cursor, place: FedChange, seen: Horizon, end: Cursor) -> None:
    """Raises ChangesGone, whose cursor is where to go on after the Base was read anew."""
    if since.version_id > seen.drawn or since.bases > place.bases + _SEQUENCE_AHEAD:
        raise ChangesGone(
            "The cursor is of a later state than this server's, which was restored from a backup", str(end)
        )
    if since.base_id and since.base_id != place.base_id:
        raise ChangesGone("The Base was emptied, deleted or renamed since", str(end))
    if not since.base_id and place.base_id and place.base_id <= since.bases:
        raise ChangesGone("The Base is an older one that came back, or got this name", str(end))
    if place.base_id and since.version_id < place.begins:
        raise ChangesGone("The cursor is older than what is kept of the changes", str(end))


def _json(collection_id: str, row: FedChange) -> str:
    by = _author(collection_id, row.by_key, row.by_person)
    value = "null" if row.value is None else with_key(row.key, row.value)
    return f'{{"key":{dump(row.key).decode()},"revision":{row.revision},"at":{row.at},"by":{by},"value":{value}}}'


def _notice(row: FedChange) -> str:
    return dump({"key": row.key, "revision": str(row.revision), "gone": row.value is None}).decode()


@lru_cache(maxsize=1_024)
def _author(collection_id: str, key_id: int | None, person_id: int | None) -> str:
    """As JSON. Few write, again and again."""
    return dump(author_id(collection_id, by_key=key_id, by_person=person_id)).decode()
