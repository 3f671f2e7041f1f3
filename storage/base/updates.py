"""Applies a patch to an item: the pure half of an update (contract: Base, PATCH)."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise
from typing import Any

from storage import limits
from storage.errors import InvalidInput
from storage.exact_json import check_value, is_number

Path = tuple[str, ...]
PARTS = ("set", "increment", "append", "prepend", "delete")

# Wide enough that the sum of any two storable numbers is exact: 2 x 125 places and 38 digits.
_EXACT = Context(prec=400)


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a patch: what to do at `path`; `operand` is None for a delete."""

    part: str
    path: Path
    operand: Any = None


def parse_patch(body: dict[str, Any]) -> tuple[Operation, ...]:
    """The checked operations of a request body. Raises InvalidInput for every patch that can fit no item."""
    for part in body:
        if part not in PARTS:
            raise InvalidInput("Bad update", f"Unknown part `{part}`: an update has {', '.join(PARTS)}")
    check_value(body, level=0)  # a value in `set` then has the nesting level it will have in the item
    operations = tuple(_operations(body))
    if not operations:
        raise InvalidInput("Bad update", "Nothing to update: all parts are empty")
    _check_conflicts(operations)
    return operations


def apply_patch(item: dict[str, Any], operations: tuple[Operation, ...]) -> dict[str, Any]:
    """The item after the operations; the one passed in is not changed.

    Raises InvalidInput when a level above is missing or not an object, or a target is of the wrong type.
    """
    changed = dict(item)
    copied: set[int] = set()
    for operation in operations:
        parent = _writable_parent(changed, operation.path, copied)
        name = operation.path[-1]
        if operation.part == "set":
            parent[name] = operation.operand
        elif operation.part == "delete":
            parent.pop(name, None)
        else:
            parent[name] = _combined(operation, parent.get(name))
    return changed


def _operations(body: dict[str, Any]) -> Iterator[Operation]:
    for part in PARTS:
        entries = body.get(part)
        if entries is None:
            continue
        if part == "delete":
            if not isinstance(entries, list):
                raise InvalidInput("Bad update", "`delete` is not a list of attribute paths")
            yield from (Operation(part, _parse_path(entry)) for entry in entries)
        else:
            if not isinstance(entries, dict):
                raise InvalidInput("Bad update", f"`{part}` is not an object")
            yield from (
                Operation(part, _parse_path(path), _check_operand(part, path, v)) for path, v in entries.items()
            )


def _parse_path(text: object) -> Path:
    if not isinstance(text, str):
        raise InvalidInput("Bad update", "An attribute path is not a string")
    if text.count(".") >= limits.NESTING_MAX_LEVELS:
        raise InvalidInput("Bad update", f"A path has at most {limits.NESTING_MAX_LEVELS} steps, as an item has levels")
    path = tuple(text.split("."))
    if "" in path:
        raise InvalidInput("Bad update", f"`{text}` has an empty step")
    if path[0] == "key":
        raise InvalidInput("Bad update", "The key of an item cannot be changed")
    return path


def _check_operand(part: str, path: str, operand: Any) -> Any:
    if part == "increment" and not is_number(operand):
        raise InvalidInput("Bad update", f"`{path}` can only be incremented by a number")
    if part in ("append", "prepend") and not isinstance(operand, list):
        raise InvalidInput("Bad update", f"What to {part} to `{path}` is not a list")
    return operand


def _check_conflicts(operations: tuple[Operation, ...]) -> None:
    """No two operations name one path, or one an ancestor of the other's: their order would decide the result."""
    # In this order an ancestor comes right before the first of those below it.
    for above, path in pairwise(sorted(operation.path for operation in operations)):
        if above == path:
            raise InvalidInput("Conflicting attributes", "Two operations name the same path")
        if path[: len(above)] == above:
            raise InvalidInput("Conflicting attributes", f"`{'.'.join(above)}` is an ancestor of `{'.'.join(path)}`")


def _writable_parent(item: dict[str, Any], path: Path, copied: set[int]) -> dict[str, Any]:
    """The object above the path's last step, copied on the way down so that the original stays as it was.

    `copied` has the ids of the copies: one is made of each object, however many operations go through it.
    """
    here = item
    for depth, step in enumerate(path[:-1]):
        below = here.get(step)
        if not isinstance(below, dict):
            raise InvalidInput("Bad update", f"`{'.'.join(path[: depth + 1])}` is not an object of this item")
        if id(below) not in copied:
            here[step] = below = dict(below)
            copied.add(id(below))
        here = below
    return here


def _combined(operation: Operation, present: Any) -> Any:
    path = ".".join(operation.path)
    if operation.part == "increment":
        if not is_number(present):
            raise InvalidInput("Bad update", f"`{path}` is not a number of this item, so it cannot be incremented")
        if isinstance(present, int) and isinstance(operation.operand, int):
            return present + operation.operand
        return _EXACT.add(Decimal(present), Decimal(operation.operand))
    if not isinstance(present, list):
        raise InvalidInput("Bad update", f"`{path}` is not a list of this item, so nothing can be added to it")
    return present + operation.operand if operation.part == "append" else operation.operand + present
