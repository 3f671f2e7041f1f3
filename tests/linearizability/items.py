"""What an item is and what each request makes of it (contract: Base), for the checker: a state is an item, or None for none."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tests.linearizability.checking import IMPOSSIBLE, Operation

# Stands for every value that nobody read: which of them it is makes no difference, so there are far fewer states to tell apart.
NEVER_READ = "?"


class Item(NamedTuple):
    """An item of these tests, and its revision, None while nobody was told it. `by` is what was put or set last."""

    by: str
    n: int
    log: tuple[str, ...]
    revision: str | None = None

    def may_be(self, other: "Item", *, is_given: bool) -> bool:
        """Whether it may be this one that was read: a revision that a writer was given is that writer's state and no other."""
        if self.revision is None or other.revision is None:
            return self[:3] == other[:3] and not (self.revision is None and is_given)
        return self == other


@dataclass(frozen=True)
class Ask:
    """A request: `value` goes with what puts, sets or appends one, and `revision` with what has a condition."""

    verb: str
    value: str = ""
    revision: str | None = None
    sent: str = field(default="", compare=False)  # the value, where another one stands for it
    is_given: bool = False  # whether a writer was told that it has made this revision

    def __str__(self) -> str:
        condition = f"if {self.revision}" if self.revision else ""
        return " ".join(filter(None, (self.verb, self.sent or self.value, condition)))


class Told(NamedTuple):
    """What it was answered: a status, the item as it was read or None, and the revision that was made, or read.

    `is_given`: of a read, whether a writer was told that it has made this revision.
    """

    status: int
    item: Item | None = None
    revision: str | None = None
    is_given: bool = False

    def __str__(self) -> str:
        item = f" by={self.item.by} n={self.item.n} log={','.join(self.item.log)}" if self.item else ""
        return f"{self.status}{item}" + (f" revision {self.revision}" if self.revision else "")


def fresh(value: str, revision: str | None = None) -> Item:
    """What a put or an insert makes."""
    return Item(value, 0, (), revision)


def changes(ask: Ask, told: Told | None) -> bool:
    """Whether it may have changed the item."""
    return ask.verb != "get" and (told is None or told.status < 400)


def step(state: Hashable, operation: Operation) -> Hashable:
    """The item after the operation, or IMPOSSIBLE if it could not be answered so."""
    assert state is None or isinstance(state, Item)
    told = operation.answer
    if told is None:
        return _would_be(state, operation.asked)
    return _VERBS[operation.asked.verb](state, operation.asked, told)


def _would_be(state: Item | None, ask: Ask) -> Hashable:
    if ask.verb == "insert" and state is not None:
        return state
    if ask.verb == "replace" and not _may_hold(state, ask):
        return state
    return _changed(state, ask, None)


def _may_hold(state: Item | None, ask: Ask) -> bool:
    """Whether the item may have the revision that is asked for."""
    return state is not None and (state.revision == ask.revision or (state.revision is None and not ask.is_given))


def _changed(state: Item | None, ask: Ask, revision: str | None) -> Item | None:
    if ask.verb in ("put", "insert", "replace"):
        return fresh(ask.value, revision)
    if ask.verb == "delete":
        return None
    if state is None or ask.verb == "get":
        return state
    if NEVER_READ in state.log or (ask.verb == "append" and ask.value == NEVER_READ):
        # Nobody can read it before all of it is written anew.
        return Item(NEVER_READ, 0, (NEVER_READ,), revision)
    if ask.verb == "set":
        return state._replace(by=ask.value, revision=revision)
    if ask.verb == "increment":
        return state._replace(n=state.n + 1, revision=revision)
    return state._replace(log=(*state.log, ask.value), revision=revision)


def prepared(operations: Sequence[Operation]) -> list[Operation]:
    """The same history, made easier to look through: as much of it can be explained as before.

    NEVER_READ stands for each value that no answer has. Revisions that a writer was given are marked where others name them.
    """
    known = [each for each in operations if each.answer is not None]
    items = [each.answer.item for each in known if each.answer.item is not None]
    read = {item.by for item in items} | {value for item in items for value in item.log}
    given = {each.answer.revision for each in known if each.changes} - {None}
    return [_prepared(each, read, given) for each in operations]


def _prepared(operation: Operation, read: set[str], given: set[str]) -> Operation:
    ask, told = operation.asked, operation.answer
    if ask.value and ask.value not in read:
        ask = replace(ask, value=NEVER_READ, sent=ask.value)
    if ask.revision in given:
        ask = replace(ask, is_given=True)
    if told is not None and told.item is not None and told.item.revision in given:
        told = told._replace(is_given=True)
    return replace(operation, asked=ask, answer=told)


def _get(state: Item | None, ask: Ask, told: Told) -> Hashable:
    if told.status == 404 or told.item is None or state is None:
        return state if (told.status == 404) == (state is None) else IMPOSSIBLE
    if not state.may_be(told.item, is_given=told.is_given):
        return IMPOSSIBLE
    return state._replace(revision=told.item.revision or state.revision)


def _put(state: Item | None, ask: Ask, told: Told) -> Hashable:
    return _changed(state, ask, told.revision)


def _insert(state: Item | None, ask: Ask, told: Told) -> Hashable:
    if told.status == 409:
        return IMPOSSIBLE if state is None else state
    return _changed(state, ask, told.revision) if state is None else IMPOSSIBLE


def _replace(state: Item | None, ask: Ask, told: Told) -> Hashable:
    may_hold = _may_hold(state, ask)
    if told.status == 412:
        return IMPOSSIBLE if state is not None and state.revision == ask.revision else state
    return _changed(state, ask, told.revision) if may_hold else IMPOSSIBLE


def _patch(state: Item | None, ask: Ask, told: Told) -> Hashable:
    if (told.status == 404) != (state is None):
        return IMPOSSIBLE
    return _changed(state, ask, told.revision)


_VERBS = {
    "get": _get,
    "put": _put,
    "delete": _put,
    "insert": _insert,
    "replace": _replace,
    "set": _patch,
    "increment": _patch,
    "append": _patch,
}
