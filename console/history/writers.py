"""Data keys and people as those who wrote: their names, and how they stand in an address."""

from collections.abc import Iterable
from typing import NamedTuple

from console.base.last_changed_by import describe_changer
from console.history.lines import VersionLine
from storage.collections import keys, roles
from storage.collections.roles import CollectionAccess
from storage.history.undo_batches import Writer


class _Changed(NamedTuple):
    changed_at: None
    changed_by_key: int | None
    changed_by_person: int | None


def name_writer(granted: CollectionAccess, writer: Writer) -> str:
    """In words, as far as the viewer may know who it is."""
    named = describe_changer(granted, _Changed(None, writer.key_id, writer.person_id))
    return named["changed_by"] or ""


def list_writers(granted: CollectionAccess, shown: Iterable[VersionLine] = ()) -> dict[str, str]:
    """Who can be chosen in a filter, by value, with their names: the data keys, for owners the people, and who has written what
    is shown."""
    found: dict[str, str] = {}
    if granted.sees_keys:
        found |= {f"k{key.pk}": f"data key “{key.name}”" for key in keys.list_keys(granted.collection.id)}
    if granted.is_owner:
        members = roles.list_members(granted.collection.id)
        found |= {f"p{member.person_id}": member.person.username for member in members}
    return found | {line.writer: line.by for line in shown if line.writer and line.writer not in found}
