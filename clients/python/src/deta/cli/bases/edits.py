"""What somebody changed in an editor: the items as they were against the text that came back. Pure.

The changes go to the server as those of the table do: each with the revision that its item was loaded with, and values as
their JSON texts, so that nothing is written over what somebody else wrote meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Optional, Union

from deta.cli import exact_json
from deta.cli.exact_json import BadJson, Number
from deta.items import Item


class BadEdit(Exception):
    """The text that came back is no list of items; the message says why and where."""


@dataclass(frozen=True)
class Loaded:
    """An item as it was loaded."""

    item: Item
    revision: str


@dataclass(frozen=True)
class Edited:
    """Attributes of an item that are to be set or removed."""

    before: Loaded
    set: dict[str, Any]
    unset: list[str]

    @property
    def key(self) -> str:
        return str(self.before.item["key"])


@dataclass(frozen=True)
class Added:
    """A new item; without a key the server makes one."""

    item: Item

    @property
    def key(self) -> Optional[str]:
        return self.item.get("key")


@dataclass(frozen=True)
class Removed:
    """An item that is to go."""

    before: Loaded

    @property
    def key(self) -> str:
        return str(self.before.item["key"])


Edit = Union[Edited, Added, Removed]


def write(items: Sequence[Item]) -> str:
    """The text to edit: a JSON list, the key of each item first."""
    ordered = [{"key": item["key"], **{name: item[name] for name in item if name != "key"}} for item in items]
    return exact_json.dump(ordered, indent="  ") + "\n"


def read(text: str) -> list[Item]:
    """The items of an edited text. Raises BadEdit."""
    try:
        items = exact_json.parse(text)
    except BadJson as error:
        raise BadEdit(str(error)) from None
    if not isinstance(items, list):
        raise BadEdit("The text is no longer a list of items")
    keys: set[str] = set()
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise BadEdit(f"Item {number} is not an object")
        key = item.get("key")
        if key is None:
            continue
        if not isinstance(key, str) or isinstance(key, Number) or not key:
            raise BadEdit(f"The key of item {number} is not a text")
        if key in keys:
            raise BadEdit(f"Two items have the key “{key}”")
        keys.add(key)
    return items


def compare(loaded: Sequence[Loaded], items: Sequence[Item]) -> list[Edit]:
    """What changed, in the order of the items as they were, then what is new. An item with another key is another item."""
    now = {item["key"]: item for item in items if item.get("key") is not None}
    changes: list[Edit] = []
    known = set()
    for before in loaded:
        key = before.item["key"]
        known.add(key)
        after = now.get(key)
        if after is None:
            changes.append(Removed(before))
            continue
        changed = {
            name: value
            for name, value in after.items()
            if name not in before.item or not _same(before.item[name], value)
        }
        gone = [name for name in before.item if name not in after]
        if changed or gone:
            changes.append(Edited(before, changed, gone))
    for item in items:
        if item.get("key") not in known:
            changes.append(Added({name: value for name, value in item.items() if (name, value) != ("key", None)}))
    return changes


def to_request(changes: Sequence[Edit]) -> list[dict[str, Any]]:
    """The changes as the server takes them; the id of each is its place among them."""
    return [{"id": str(number), **_describe(change)} for number, change in enumerate(changes)]


def show(change: Edit) -> Iterator[tuple[str, str]]:
    """The lines that say what a change does, each with its sign: `~`, `+` or `-`, or a space for what stands below it."""
    if isinstance(change, Removed):
        yield "-", f"{change.key}  {exact_json.dump(_without_key(change.before.item))}"
    elif isinstance(change, Added):
        key = change.key if change.key is not None else "(a new key)"
        yield "+", f"{key}  {exact_json.dump(_without_key(change.item))}"
    else:
        yield "~", change.key
        for name, value in change.set.items():
            if name in change.before.item:
                yield " ", f"{name}: {exact_json.dump(change.before.item[name])} -> {exact_json.dump(value)}"
            else:
                yield " ", f"{name}: {exact_json.dump(value)}  (new)"
        for name in change.unset:
            yield " ", f"{name}: {exact_json.dump(change.before.item[name])}  (removed)"


def count(changes: Sequence[Edit]) -> str:
    """`2 changed, 1 new, 1 deleted`."""
    counted = [
        (sum(isinstance(change, kind) for change in changes), word)
        for kind, word in ((Edited, "changed"), (Added, "new"), (Removed, "deleted"))
    ]
    return ", ".join(f"{amount:,} {word}" for amount, word in counted if amount)


def _describe(change: Edit) -> dict[str, Any]:
    if isinstance(change, Removed):
        return {"kind": "delete", "key": change.key, "revision": change.before.revision}
    if isinstance(change, Added):
        return {"kind": "add", "key": change.key, "item": _texts(_without_key(change.item))}
    changed = {"set": _texts(change.set), "unset": change.unset}
    # Without `loaded` the server changes an attribute only while the item is at this revision.
    return {"kind": "edit", "key": change.key, "revision": change.before.revision, **changed}


def _texts(members: Item) -> dict[str, str]:
    return {name: exact_json.dump(value) for name, value in members.items()}


def _without_key(item: Item) -> Item:
    return {name: value for name, value in item.items() if name != "key"}


def _same(one: Any, other: Any) -> bool:
    """Whether they are the same JSON; a number and a text of its digits are not."""
    return exact_json.dump(_sorted(one)) == exact_json.dump(_sorted(other))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(member) for member in value] if isinstance(value, list) else value
