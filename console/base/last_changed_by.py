"""Who changed an item last, in words."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from storage.base import edits
from storage.collections.roles import CollectionAccess


class Changed(Protocol):
    """Anything that has the time of its last change and the id of who changed it."""

    @property
    def changed_at(self) -> datetime | None: ...
    @property
    def changed_by_key(self) -> int | None: ...
    @property
    def changed_by_person(self) -> int | None: ...


def describe_changer(granted: CollectionAccess, changed: Changed) -> dict[str, str | None]:
    """`changed_at` in ISO 8601 (UTC) and `changed_by` in words, each None when it is not known.

    For who may not know which data keys there are, it is “a data key”.
    """
    return describe_changers(granted, [changed])[0]


def describe_changers(granted: CollectionAccess, changed: Sequence[Changed]) -> list[dict[str, str | None]]:
    """As `describe_changer`, of many at once."""
    keys, people = edits.name_changers(
        collection_id=granted.collection.id,
        key_ids=[each.changed_by_key for each in changed if each.changed_by_key is not None and granted.sees_keys],
        person_ids=[each.changed_by_person for each in changed if each.changed_by_person is not None],
    )
    return [_described(each, keys, people) for each in changed]


def _described(changed: Changed, keys: dict[int, str], people: dict[int, str]) -> dict[str, str | None]:
    by = None
    if changed.changed_by_key is not None:
        by = keys.get(changed.changed_by_key, "a data key")
    elif changed.changed_by_person is not None:
        by = people.get(changed.changed_by_person, "a removed account")
    return {"changed_at": changed.changed_at.isoformat() if changed.changed_at else None, "changed_by": by}
