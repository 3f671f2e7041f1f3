"""The versions of items: each change of an item of a Base, what it was before and after, who made it and when.

An item's history goes on over the ids that its Base had: it ends where the Base was emptied or deleted, and begins again where
that was undone. Those are changes too, though the database notes none of each item then.
"""

from dataclasses import dataclass
from datetime import datetime

from storage import limits, names
from storage.base.items import with_key
from storage.history.sql import versions as versions_sql
from storage.history.sql.versions import Conditions, FoundState, FoundVersion, Span
from storage.history.timelines import Timeline, Turn, find_timeline
from storage.postgres.caller import Access
from storage.postgres.database import run
from storage.postgres.distribution import refuse_where_distributed

__all__ = ["Conditions", "Page", "Version", "list_changes", "list_versions"]

_ANY = Conditions()


@dataclass(frozen=True, slots=True)
class Version:
    """A change of an item. `before` and `after` are whole items as JSON, None where there was none or where it is not kept.

    `kind` is "c" created, "u" changed, "d" deleted, or "e" deleted when it had expired. `id` grows with the changes of a key;
    `revision` is what it gave the item, and a deletion has one as well. At most one of `by_key`, a data key's id, and `by_person`
    is set; none for the server itself. `turns` says that the whole Base was emptied, deleted or brought back.
    """

    id: int
    at: datetime
    key: str
    kind: str
    revision: int
    before: str | None
    after: str | None
    by_key: int | None
    by_person: int | None
    before_is_kept: bool = True
    after_is_kept: bool = True
    turns: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether both states are known."""
        return self.before_is_kept and self.after_is_kept


@dataclass(frozen=True, slots=True)
class Page:
    """Versions, newest first, and the id to go on before when more may follow. `looked_until` is the moment that a look came to
    which ended before the page was full."""

    versions: list[Version]
    last: int | None
    looked_until: datetime | None = None


def list_versions(
    *, access: Access, base: str, key: str, limit: int = limits.QUERY_LIMIT_MAX, last: int | None = None
) -> Page:
    """The versions of one item, newest first, before the id `last`: at most `limit`, and about 1 MB.

    None for a key or a Base that never was. Raises Unauthorized, Forbidden, InvalidInput for what cannot be a key, and
    ItemsDistributed.
    """
    names.check_key(key)
    timeline = find_timeline(access, base)
    refuse_where_distributed()
    statement = versions_sql.list_versions(
        Span(timeline.ends(), last, key),
        Conditions(),
        limit=limit,
        max_rows=limits.QUERY_LIMIT_MAX + 1,
        max_bytes=limits.ANSWER_MAX_BYTES,
    )
    page = _page(run(statement), limit)
    turned = [
        version
        for version in _turned(timeline, key)
        if (last is None or version.id < last) and version.id > (page.last or 0)
    ]
    versions = sorted([*page.versions, *turned], key=lambda version: -version.id)
    if len(versions) > limit:
        return Page(versions[:limit], versions[limit - 1].id)
    return Page(versions, page.last)


def list_changes(
    *,
    access: Access,
    base: str,
    conditions: Conditions = _ANY,
    limit: int = limits.QUERY_LIMIT_MAX,
    last: int | None = None,
) -> Page:
    """The changes of all items of a Base that meet the conditions, newest first, before the id `last`.

    At most `limit`, and about 1 MB. It looks at a bounded number of changes and says how far it came; going on before `last`
    finds the rest. Changes of which a state is not kept have changed no attribute that could be told. Raises Unauthorized,
    Forbidden, ItemsDistributed.
    """
    timeline = find_timeline(access, base)
    refuse_where_distributed()
    filtered = (conditions.attribute, conditions.key_id, conditions.person_id, conditions.kind)
    has_filter = any(each is not None for each in filtered)
    statement = versions_sql.list_versions(
        Span(timeline.ends(), last),
        conditions,
        limit=limit,
        max_rows=limits.HISTORY_LOOK_MAX if has_filter else limits.QUERY_LIMIT_MAX + 1,
        max_bytes=limits.ANSWER_MAX_BYTES,
    )
    return _page(run(statement), limit)


def _page(rows: list[FoundVersion], limit: int) -> Page:
    versions: list[Version] = []
    for row in rows:
        if row.matched:
            if len(versions) == limit:
                return Page(versions, versions[-1].id)
            versions.append(_version(row))
        if row.stopped:
            return Page(versions, row.id, row.at)
    return Page(versions, None)


def _version(row: FoundVersion) -> Version:
    return Version(
        id=row.id,
        at=row.at,
        key=row.key,
        kind=row.kind,
        revision=row.revision,
        before=None if row.before is None else with_key(row.key, row.before),
        after=None if row.after is None else with_key(row.key, row.after),
        by_key=row.by_key,
        by_person=row.by_person,
        before_is_kept=row.before_is_kept,
        after_is_kept=row.after_is_kept,
    )


def _turned(timeline: Timeline, key: str) -> list[Version]:
    """What became of an item when the name of its Base got another id."""
    pairs = {(base_id or 0, turn.version_id) for turn in timeline.turns for base_id in (turn.base_id, turn.next_id)}
    if not pairs:
        return []
    base_ids, version_ids = (list(column) for column in zip(*pairs, strict=True))
    states = {(row.base_id, row.version_id): row for row in run(versions_sql.find_states(base_ids, version_ids, key))}
    versions = []
    for turn in timeline.turns:
        before, after = states[turn.base_id, turn.version_id], states[turn.next_id or 0, turn.version_id]
        if before.exists or after.exists:
            versions.append(_turn(turn, key, before, after))
    return versions


def _turn(turn: Turn, key: str, before: FoundState, after: FoundState) -> Version:
    return Version(
        id=turn.version_id,
        at=turn.at,
        key=key,
        kind="d" if not after.exists else "u" if before.exists else "c",
        revision=after.revision or before.revision or 0,
        before=None if before.value is None else with_key(key, before.value),
        after=None if after.value is None else with_key(key, after.value),
        by_key=None,
        by_person=turn.by_person,
        before_is_kept=not before.exists or before.value is not None,
        after_is_kept=not after.exists or after.value is not None,
        turns=True,
    )
