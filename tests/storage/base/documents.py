"""Random items, queries and patches, and what the contract says comes of them: written from the contract alone.

Nothing here uses the code under test, so that the two can disagree. Everything is drawn from small pools, so that
random queries match random items often enough to tell.
"""

import copy
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

MISSING = object()
KEYS = ["a", "b", "ab", "B", "a/b", "a%", "é", "日", "\ufffd", "🙂", "10", "9"]
TEXTS = ["", "a", "ab", "b", "ba", "%", "_", "\\", "\ufffd", "🙂", "1", "B"]
NUMBERS = [
    0,
    1,
    Decimal("1.0"),
    2,
    Decimal("-0.5"),
    Decimal("0.10"),
    9007199254740993,
    9007199254740992,
    Decimal("1e125"),
]
ORDER_OPERATORS = ["lt", "<", "gt", ">", "lte", "<=", "gte", ">="]

texts = st.sampled_from(TEXTS)
numbers = st.sampled_from(NUMBERS)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(texts, max_size=3),
        st.dictionaries(st.sampled_from(["n", "t'", "é"]), inner, max_size=3),
    ),
    max_leaves=5,
)
# Each attribute is mostly of one type, so that conditions and updates often fit, and sometimes of any other.
_leaves = {
    "n": numbers | numbers | scalars,
    "t'": texts | texts | values,
    'l"': st.lists(texts, max_size=3) | st.lists(scalars, max_size=3) | values,
}
NAMES = [*_leaves, "é"]


def _mostly_there(attributes: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects in which each attribute is missing now and then; Hypothesis's own optional ones are missing mostly."""
    drawn = st.fixed_dictionaries(
        {name: inner | inner | inner | st.just(MISSING) for name, inner in attributes.items()}
    )
    return drawn.map(lambda found: {name: value for name, value in found.items() if value is not MISSING})


documents = _mostly_there(_leaves | {"é": _mostly_there(_leaves) | values})
paths = st.sampled_from([*NAMES, *NAMES, *(f"é.{name}" for name in NAMES), "n.n", "none"])


_OPERATORS = ["", "?eq", "?ne", "?!=", "?r", "?r", "?pfx", "?contains", "?contains", "?not_contains", "?!contains"]
_OPERATORS += [f"?{order}" for order in ORDER_OPERATORS]


@st.composite
def _conditions(draw: st.DrawFn) -> tuple[str, Any]:
    """An entry of a query object; its operand is mostly of the type that the attribute mostly has."""
    path, operator = draw(paths), draw(st.sampled_from(_OPERATORS))
    usual, other = (numbers, texts) if path.endswith("n") else (texts, numbers)
    ordered = draw(st.sampled_from([usual, usual, usual, other]))
    match operator:
        case "" | "?eq" | "?ne" | "?!=":
            return path + operator, draw(usual | usual | values)
        case "?r":
            return path + operator, [draw(ordered), draw(ordered)]
        case "?pfx" | "?contains" | "?not_contains" | "?!contains":
            return path + operator, draw(texts)
    return path + operator, draw(ordered)


@st.composite
def _key_conditions(draw: st.DrawFn) -> tuple[str, Any]:
    """The entry of a query object that is about the key."""
    operator = draw(
        st.sampled_from(["", "?eq", "?pfx", "?pfx", "?r", "?r", *(f"?{order}" for order in ORDER_OPERATORS)])
    )
    keys = st.sampled_from(KEYS)
    if operator == "?r":
        return "key?r", [draw(keys), draw(keys)]
    return f"key{operator}", draw(texts if operator == "?pfx" else keys)


@st.composite
def queries(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A good query: ORed objects, with the same condition on the key in all of them or in none.

    Empty objects are rare: one of them makes a query match everything.
    """
    wanted = [draw(st.sampled_from([1, 1, 1, 2])) for _ in range(draw(st.sampled_from([1, 1, 1, 2, 2])))]
    if draw(st.integers(0, 15)) == 15:
        wanted[0] = 0
    objects = [dict(draw(_conditions()) for _ in range(size)) for size in wanted]
    if objects and draw(st.integers(0, 3)) == 0:
        text, operand = draw(_key_conditions())
        objects = [{**entry, text: operand} for entry in objects]
    return objects


def matches(item: dict[str, Any], query: list[dict[str, Any]]) -> bool:
    """Whether the contract says that the item matches."""
    return not query or any(all(_holds(item, *entry) for entry in each.items()) for each in query)


def by_key(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """In the order of their keys' bytes."""
    return sorted(items, key=lambda item: item["key"].encode())


def _holds(item: dict[str, Any], text: str, operand: Any) -> bool:
    path, _, operator = text.partition("?")
    found: Any = item
    for step in path.split("."):
        found = found.get(step, MISSING) if isinstance(found, dict) else MISSING
    match operator:
        case "" | "eq":
            return equal(found, operand)
        case "ne" | "!=":
            return not equal(found, operand)
        case "pfx":
            return isinstance(found, str) and found.startswith(operand)
        case "contains":
            return _contains(found, operand)
        case "not_contains" | "!contains":
            return not _contains(found, operand)
        case "r":
            low, high = operand
            return _is_ordered(low, found) and _rank(low) <= _rank(found) <= _rank(high)
    if not _is_ordered(found, operand):
        return False
    left, right = _rank(found), _rank(operand)
    match operator:
        case "lt" | "<":
            return left < right
        case "gt" | ">":
            return left > right
        case "lte" | "<=":
            return left <= right
        case "gte" | ">=":
            return left >= right
    raise AssertionError(operator)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | Decimal) else type(value).__name__


def equal(left: Any, right: Any) -> bool:
    """Whether two JSON values are the same; 1 and 1.0 are, 1 and true are not."""
    if _kind(left) != _kind(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[name], right[name]) for name in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right)


def _is_ordered(left: Any, right: Any) -> bool:
    return _kind(left) == _kind(right) and _kind(left) in ("number", "str")


def _rank(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _contains(found: Any, operand: str) -> bool:
    if isinstance(found, str):
        return operand in found
    return isinstance(found, list) and any(isinstance(member, str) and member == operand for member in found)


class Refused(Exception):
    """The contract says 400."""


@st.composite
def patches(draw: st.DrawFn) -> dict[str, Any]:
    """A patch that may or may not fit an item."""
    lists = st.lists(scalars, min_size=1, max_size=2)
    list_paths = st.sampled_from(['l"', 'l"', 'é.l"']) | paths
    number_paths = st.sampled_from(["n", "n", "é.n"]) | paths
    parts = {
        "set": st.dictionaries(paths, values, max_size=2),
        "increment": st.dictionaries(number_paths, st.sampled_from(NUMBERS[:-1]), min_size=1, max_size=1),
        "append": st.dictionaries(list_paths, lists, min_size=1, max_size=1),
        "prepend": st.dictionaries(list_paths, lists, min_size=1, max_size=1),
        "delete": st.lists(paths, max_size=2),
    }
    first, second = draw(st.sampled_from(sorted(parts))), draw(st.sampled_from([*sorted(parts), *[None] * 5]))
    return {name: draw(parts[name]) for name in sorted({name for name in (first, second) if name is not None})}


def check_patch(patch: dict[str, Any]) -> None:
    """Raises Refused for a patch that fits no item."""
    named = [path.split(".") for part in patch.values() for path in part]
    if not named:
        raise Refused("nothing to do")
    for place, path in enumerate(named):
        for other in named[place + 1 :]:
            shorter = min(len(path), len(other))
            if path[:shorter] == other[:shorter]:
                raise Refused("conflicting attributes")


def patched(item: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A new item. Raises Refused."""
    check_patch(patch)
    item = copy.deepcopy(item)
    for part, entries in patch.items():
        for path in entries:
            operand = entries[path] if isinstance(entries, dict) else None
            *above, last = path.split(".")
            level: Any = item
            for step in above:
                level = level.get(step, MISSING)
                if not isinstance(level, dict):
                    raise Refused("the level above")
            _patch_one(level, last, part, operand)
    return item


def _patch_one(level: dict[str, Any], name: str, part: str, operand: Any) -> None:
    present = level.get(name, MISSING)
    match part:
        case "set":
            level[name] = operand
        case "delete":
            level.pop(name, None)
        case "increment":
            if _kind(present) != "number":
                raise Refused("no number")
            level[name] = _exact_sum(present, operand)
        case _:
            if not isinstance(present, list):
                raise Refused("no list")
            level[name] = present + operand if part == "append" else operand + present


def _exact_sum(left: Any, right: Any) -> Decimal:
    """Raises Refused for a sum of more than 38 significant digits; the pools hold nothing near the exponents' limit."""
    total = _scaled(left) + _scaled(right)
    if len(str(abs(total)).rstrip("0")) > 38:
        raise Refused("too many digits")
    return Decimal(f"{total}e-130")


def _scaled(value: Any) -> int:
    """The number times 10^130, which makes an integer of every number here."""
    sign, digits, exponent = Decimal(value).as_tuple()
    assert isinstance(exponent, int)
    return (-1) ** sign * int("".join(map(str, digits))) * 10 ** (130 + exponent)
