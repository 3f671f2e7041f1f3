"""Data keys and people as those who wrote: their names, and how they stand in an address."""

from typing import NamedTuple

from console.base.last_changed_by import describe_changer
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


def list_writers(granted: CollectionAccess) -> list[tuple[str, str]]:
    """Who can be chosen in a filter: values and names. Others stand in the lines of the history, as links."""
    found = [(f"p{member.person_id}", member.person.username) for member in roles.list_members(granted.collection.id)]
    if granted.sees_keys:
        found += [(f"k{key.pk}", f"data key “{key.name}”") for key in keys.list_keys(granted.collection.id)]
    return found
