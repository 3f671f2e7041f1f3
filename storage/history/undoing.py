"""What it takes to undo all that one writer did to an item, out of the item's changes. Pure.

A state of an item is its attributes without the key, each as its JSON text, or None where there is no item. Only top-level
attributes are told apart, as in a save (`storage/base/merging.py`).

The writer's changes are taken back together: an attribute becomes what it was before the first of them. Where somebody else
set it between two of them, it becomes what they set.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

State = Mapping[str, str] | None

# leave: it is as before already. conflict: somebody else created or deleted the item since, or changed what is to be deleted.
Way = Literal["leave", "edit", "add", "delete", "conflict"]


class Written(NamedTuple):
    """One change of the item: whether it is the writer's, and the states before and after it."""

    is_theirs: bool
    before: State
    after: State


class Undone(NamedTuple):
    """What the item is to become, and how the writer left it."""

    wanted: State
    left: State


@dataclass(frozen=True, slots=True)
class Step:
    """How an item goes back. For `edit` and `add`, `item` has the attributes to set, None for one to remove.

    For `edit`, `loaded` has the same attributes as the writer left them, and `clashing` those of them that somebody else changed
    since, as they are now.
    """

    way: Way
    item: Mapping[str, str | None] = field(default_factory=dict)
    loaded: Mapping[str, str | None] = field(default_factory=dict)
    clashing: Mapping[str, str | None] = field(default_factory=dict)


def take_back(changes: Iterable[Written]) -> Undone | None:
    """Fold an item's changes, oldest first; None when none of them is the writer's."""
    undone: Undone | None = None
    for change in changes:
        if not change.is_theirs:
            continue
        if undone is None:
            undone = Undone(change.before, change.after)
        elif undone.left != change.before:
            undone = Undone(_with_others_work(undone, change.before), change.after)
        else:
            undone = Undone(undone.wanted, change.after)
    return undone


def find_step(undone: Undone, present: State) -> Step:
    """From what the item is now to what it is to become."""
    wanted, left = undone
    if present == wanted:
        return Step("leave")
    if present is not None and wanted is not None and left is not None:
        return _find_edit(wanted, left, present)
    if present != left:
        return Step("conflict")
    return Step("delete") if wanted is None else Step("add", item=dict(wanted))


def _with_others_work(undone: Undone, found: State) -> State:
    """What is wanted, after somebody else changed the item between two changes of the writer."""
    wanted, left = undone
    if wanted is None or left is None or found is None:
        return found
    theirs = {name for name in found.keys() | left.keys() if found.get(name) != left.get(name)}
    kept = {name: text for name, text in wanted.items() if name not in theirs}
    return kept | {name: found[name] for name in theirs if name in found}


def _find_edit(wanted: Mapping[str, str], left: Mapping[str, str], present: Mapping[str, str]) -> Step:
    names = [
        name
        for name in dict.fromkeys((*wanted, *left))
        if wanted.get(name) != left.get(name) and wanted.get(name) != present.get(name)
    ]
    if not names:
        return Step("leave")
    return Step(
        "edit",
        item={name: wanted.get(name) for name in names},
        loaded={name: left.get(name) for name in names},
        clashing={name: present.get(name) for name in names if present.get(name) != left.get(name)},
    )
