"""A version of an item as the pages show it: who made it, and what it changed attribute by attribute. Pure but for names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from console.base.cells import type_of
from console.base.last_changed_by import describe_changers
from storage.collections.roles import CollectionAccess
from storage.exact_json import split
from storage.history.versions import Version

# Longer values are folded, and beyond the second bound cut.
_FOLDED_CHARACTERS = 160
_SHOWN_CHARACTERS = 20_000
_NAMES_LISTED = 6

_WORDS = {"c": "created", "u": "changed", "d": "deleted", "e": "expired"}
# Of the classes of chips.
_STYLES = {"c": "made", "u": "changed", "d": "gone", "e": "expired"}


class Value(NamedTuple):
    """A side of a difference: the JSON text, its type ("missing" for none), and its beginning where it is long."""

    text: str
    type: str
    beginning: str = ""
    is_cut: bool = False


class Difference(NamedTuple):
    """One attribute before and after."""

    name: str
    before: Value
    after: Value


class _By(NamedTuple):
    """Whose change it is, as `describe_changers` takes it."""

    changed_at: datetime | None
    changed_by_key: int | None
    changed_by_person: int | None


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A version with its words. `writer` is its maker as a filter has it, "" where nobody may be asked for.

    `restores` says which of its states can be brought back: "after", "before", or none.
    """

    version: Version
    word: str
    style: str
    by: str
    writer: str
    differences: list[Difference]
    restores: str = ""
    is_present: bool = False
    request_id: str = ""

    @property
    def names(self) -> str:
        """The attributes that changed, the first of them by name."""
        names = [difference.name for difference in self.differences]
        more = f" and {len(names) - _NAMES_LISTED} more" if len(names) > _NAMES_LISTED else ""
        return ", ".join(names[:_NAMES_LISTED]) + more


def describe_versions(granted: CollectionAccess, versions: Sequence[Version]) -> list[VersionLine]:
    """In their order. What restores what is left to the list of one item."""
    changed = [_By(version.at, version.by_key, version.by_person) for version in versions]
    names = describe_changers(granted, changed)
    return [
        VersionLine(
            version=version,
            word=_word_of(version),
            style=_STYLES[version.kind],
            by=name["changed_by"] or "the server",
            writer=_writer_of(granted, version),
            differences=find_differences(version),
        )
        for version, name in zip(versions, names, strict=True)
    ]


def find_differences(version: Version) -> list[Difference]:
    """By attribute, in the order of the item; none where a state is not kept."""
    if not version.is_kept:
        return []
    before, after = _members(version.before), _members(version.after)
    names = dict.fromkeys((*after, *before))
    return [
        Difference(name, _value(before, name), _value(after, name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _word_of(version: Version) -> str:
    if not version.turns:
        return _WORDS[version.kind]
    return {"c": "brought back with the whole Base", "d": "deleted with the whole Base"}.get(
        version.kind, "changed with the whole Base"
    )


def _writer_of(granted: CollectionAccess, version: Version) -> str:
    if version.by_key is not None:
        return f"k{version.by_key}" if granted.sees_keys else ""
    return "" if version.by_person is None else f"p{version.by_person}"


def _members(item: str | None) -> Mapping[str, str]:
    if item is None:
        return {}
    members = split(item)
    members.pop("key", None)
    return members


def _value(members: Mapping[str, str], name: str) -> Value:
    text = members.get(name)
    if text is None:
        return Value("", "missing")
    beginning = f"{text[:_FOLDED_CHARACTERS]}…" if len(text) > _FOLDED_CHARACTERS else ""
    return Value(text[:_SHOWN_CHARACTERS], type_of(text), beginning, len(text) > _SHOWN_CHARACTERS)
