"""Turns query JSON into a checked predicate, without SQL (contract: Base, POST /query)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storage import limits
from storage.errors import BadQuery, InvalidInput, UnknownOperator
from storage.exact_json import check_value, is_number

# Every operator as a caller may write it after `?`, and its one name in this code.
OPERATORS = {
    "eq": "eq",
    "ne": "ne",
    "!=": "ne",
    "lt": "lt",
    "<": "lt",
    "gt": "gt",
    ">": "gt",
    "lte": "lte",
    "<=": "lte",
    "gte": "gte",
    ">=": "gte",
    "pfx": "pfx",
    "r": "r",
    "contains": "contains",
    "not_contains": "not_contains",
    "!contains": "not_contains",
}
NOT_ON_KEY = ("contains", "not_contains", "ne")
ORDERED = ("lt", "gt", "lte", "gte")


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of a query object: `operand` is a parsed JSON value, for `r` the pair (low, high)."""

    path: tuple[str, ...]
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class Predicate:
    """The conditions of `any_of` are ORed groups of ANDed ones; `key`, when there, bounds them all.

    Without a group, `key` alone restricts the answer. `words` stands alone: it matches items that hold these words in
    their key or in any value.
    """

    any_of: tuple[tuple[Condition, ...], ...] = ()
    key: Condition | None = None
    words: str | None = None


def parse_query(query: Any) -> Predicate:
    """The predicate of a request's `query`: a list of objects, one bare object, or nothing for everything.

    Raises BadQuery, whose fields say what is wrong and where; UnknownOperator for that.
    """
    objects = [] if query is None else [query] if isinstance(query, dict) else query
    if not isinstance(objects, list) or not all(isinstance(entry, dict) for entry in objects):
        raise BadQuery("A query is a list of objects")
    if len(objects) > limits.QUERY_MAX_OBJECTS:
        raise BadQuery(f"A query has at most {limits.QUERY_MAX_OBJECTS} objects")
    if sum(map(len, objects)) > limits.QUERY_MAX_CONDITIONS:
        raise BadQuery(f"A query has at most {limits.QUERY_MAX_CONDITIONS} conditions")
    groups = [tuple(_conditions(entry, index)) for index, entry in enumerate(objects)]
    key = _shared_key_condition(groups)
    rest = tuple(tuple(c for c in group if c.path != ("key",)) for group in groups)
    # An object without other conditions matches everything that meets the key condition.
    return Predicate(any_of=() if () in rest else rest, key=key)


def parse_search(text: str) -> Predicate:
    """The predicate of a search for words, which is a query that the public API does not have.

    Raises BadQuery.
    """
    words = text.strip()
    if not 1 <= len(words) <= limits.SEARCH_MAX_CHARACTERS:
        raise BadQuery(f"A search has 1 to {limits.SEARCH_MAX_CHARACTERS:,} characters")
    try:
        check_value(words)
    except InvalidInput as error:
        raise BadQuery(error.messages[0]) from None
    return Predicate(words=words)


def _conditions(entry: dict[str, Any], index: int) -> Iterator[Condition]:
    for text, operand in entry.items():
        attribute, mark, written = text.rpartition("?")
        if not mark:
            attribute, written = text, "eq"
        operator = OPERATORS.get(written)
        if operator is None:
            raise UnknownOperator(written, attribute=attribute, index=index)
        try:
            yield _check_condition(attribute, operator, operand)
        except InvalidInput as error:
            raise BadQuery(error.messages[-1], index=index, condition=text) from None


def _check_condition(attribute: str, operator: str, operand: Any) -> Condition:
    if attribute.count(".") >= limits.NESTING_MAX_LEVELS:
        raise InvalidInput(
            f"the attribute's path has more than {limits.NESTING_MAX_LEVELS} steps, and no item so many levels"
        )
    path = tuple(attribute.split("."))
    if "" in path:
        raise InvalidInput("the attribute's name is empty or has an empty step")
    if "\x00" in attribute:
        raise InvalidInput("the attribute's name holds the character \\u0000")
    check_value(operand, level=2)
    _check_operand(operator, operand)
    if path == ("key",):
        _check_key_operand(operator, operand)
    return Condition(path, operator, tuple(operand) if operator == "r" else operand)


def _check_operand(operator: str, operand: Any) -> None:
    if operator in ORDERED and not (isinstance(operand, str) or is_number(operand)):
        raise InvalidInput("only a number or a string has an order")
    if operator in ("pfx", "contains", "not_contains") and not isinstance(operand, str):
        raise InvalidInput("the value must be a string")
    if operator == "r" and not _is_range(operand):
        raise InvalidInput("a range is a list of exactly two numbers or two strings")


def _is_range(operand: Any) -> bool:
    if not isinstance(operand, list) or len(operand) != 2:
        return False
    low, high = operand
    return (isinstance(low, str) and isinstance(high, str)) or (is_number(low) and is_number(high))


def _check_key_operand(operator: str, operand: Any) -> None:
    if operator in NOT_ON_KEY:
        raise InvalidInput("this operator cannot be used on the key")
    values = operand if operator == "r" else [operand]
    if not all(isinstance(value, str) for value in values):
        raise InvalidInput("a key is compared with strings only")


def _shared_key_condition(groups: list[tuple[Condition, ...]]) -> Condition | None:
    """The key condition that all objects share, None when no object has one. Raises BadQuery when they differ."""
    found = []
    for index, group in enumerate(groups):
        on_key = [condition for condition in group if condition.path == ("key",)]
        if len(on_key) > 1:
            raise BadQuery("an object has at most one condition on the key", index=index)
        found += on_key
    if not found:
        return None
    if len(found) < len(groups) or any(condition != found[0] for condition in found):
        raise BadQuery("When one object of a query has a condition on the key, all must have the same one")
    return found[0]
