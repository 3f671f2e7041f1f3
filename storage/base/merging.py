"""Merges an edit into an item, or reports a clash: the pure half of saving a person's edits.

A value is its JSON text here, so that unedited values keep every digit. Only top-level attributes are merged; an edit
inside an object replaces the whole attribute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from storage.errors import InvalidInput
from storage.exact_json import is_same, parse

Members = Mapping[str, str]  # the attributes of an item but its key, each as its JSON text


@dataclass(frozen=True, slots=True)
class Edit:
    """What a person did to one item that was loaded at `revision`.

    `loaded` holds the loaded text of each attribute in `set` or `unset`, None for one that was missing. An attribute
    that is not in it is changed only if the item is still at that revision.
    """

    id: str
    key: str
    revision: int
    loaded: Mapping[str, str | None] = field(default_factory=dict)
    set: Members = field(default_factory=dict)
    unset: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Add:
    """A new item; without a key one is made for it."""

    id: str
    key: str | None
    item: Members


@dataclass(frozen=True, slots=True)
class Delete:
    """An item to delete, if it is still at `revision`."""

    id: str
    key: str
    revision: int


Change = Edit | Add | Delete


class Merge(NamedTuple):
    """The item after an edit, or None when it clashes; `theirs` has what others made of the clashing attributes."""

    members: Members | None
    theirs: Mapping[str, str | None]


def merge_edit(edit: Edit, *, members: Members, revision: int) -> Merge:
    """Apply an edit to the item as it is now, attribute by attribute.

    What is still as it was loaded takes the edit, what others made the same already stays, anything else is a clash and
    then nothing is applied. Raises InvalidInput for texts that are not JSON, and for the key.
    """
    if "key" in edit.unset:
        raise InvalidInput("The key of a saved item cannot be changed")
    mine: dict[str, str | None] = {**edit.set, **dict.fromkeys(edit.unset)}
    check_texts(edit.set)
    theirs = {
        name: members.get(name)
        for name, text in mine.items()
        if not _is_free(edit, name, members.get(name), revision) and not _is_same_text(members.get(name), text)
    }
    if theirs:
        return Merge(None, theirs)
    merged = {**members, **edit.set}
    for name in edit.unset:
        merged.pop(name, None)
    return Merge(merged, {})


def _is_free(edit: Edit, name: str, present: str | None, revision: int) -> bool:
    """Whether nobody else has touched the attribute since it was loaded."""
    if name in edit.loaded:
        return _is_same_text(present, edit.loaded[name])
    return revision == edit.revision


def _is_same_text(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or is_same(parse(one.encode()), parse(other.encode()))


def check_texts(members: Members) -> None:
    """Raises InvalidInput for a text that is not JSON, and for the key, which is not set like an attribute."""
    for name, text in members.items():
        if name == "key":
            raise InvalidInput("The key of an item is not set like an attribute")
        try:
            parse(text.encode())
        except InvalidInput as error:
            raise InvalidInput(f"`{name}` is not JSON", *error.messages[1:]) from None
