"""Sentences that explain why a query matches nothing and which index answers it, and an example of every operator. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from django.utils.text import get_text_list

from storage.base.overviews import ClauseCount, Way
from storage.exact_json import dump, is_number

_KINDS = {
    "string": ("a string", "strings"),
    "number": ("a number", "numbers"),
    "boolean": ("a boolean", "booleans"),
    "null": ("null", "nulls"),
    "object": ("an object", "objects"),
    "array": ("a list", "lists"),
}
_PHRASES = {
    "eq": "equal to {}",
    "ne": "other than {}",
    "lt": "less than {}",
    "gt": "greater than {}",
    "lte": "at most {}",
    "gte": "at least {}",
    "pfx": "starting with {}",
    "contains": "containing {}",
    "not_contains": "without {}",
}
_SHOWN_CHARACTERS = 60
# Comparing two names takes the product of their lengths.
_COMPARED_CHARACTERS = 60
_COMPARED_NAMES = 500


def explain_clause(clause: ClauseCount, *, known: Sequence[str]) -> str:
    """Why one condition matches nothing. `known` are attributes seen in the Base, to suggest the one that was meant."""
    condition = clause.condition
    name = f"`{'.'.join(condition.path)}`"
    if clause.met:
        return f"{name} {_phrase(condition.operator, condition.operand)}: {_items(clause.met)} on its own"
    held = {kind: count for kind, count in clause.types.items() if kind != "missing"}
    if not held:
        close = _guess(condition.path[0], known)
        guess = f": did you mean `{close}`?" if close != condition.path[0] else ""
        return f"{name} is missing in every item{guess}"
    wanted = _wanted(condition.operator, condition.operand)
    said = get_text_list([f"{_KINDS[kind][0]} in {_items(count)}" for kind, count in held.items()], "and")
    if not wanted & held.keys():
        return f"{name} is {said}; you wrote {_KINDS[_kind(condition.operand, condition.operator)][0]}"
    return f"{name} is {said}, none of them {_phrase(condition.operator, condition.operand)}"


def describe_way(way: Way) -> str:
    """Which index answers a query; empty when none does."""
    if way.attributes:
        names = [f"`{attribute}`" for attribute in way.attributes] + ["equality"] * way.by_equality
        return f"answered by the index{'es' * (len(names) > 1)} of {get_text_list(names, 'and')}"
    return "answered by the index of equality" if way.by_equality else ""


def _guess(name: str, known: Sequence[str]) -> str:
    """The known name that is most like this one; itself when none is, or when that would be long to find out."""
    if len(name) > _COMPARED_CHARACTERS:
        return name
    short = [each for each in known[:_COMPARED_NAMES] if len(each) <= _COMPARED_CHARACTERS]
    return next(iter(get_close_matches(name, short, n=1)), name)


def _items(count: int) -> str:
    return f"{count:,} item{'' if count == 1 else 's'}"


def _phrase(operator: str, operand: Any) -> str:
    if operator == "r":
        return f"from {_shown(operand[0])} to {_shown(operand[1])}"
    return _PHRASES[operator].format(_shown(operand))


def _shown(operand: Any) -> str:
    text = dump(operand).decode()
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _wanted(operator: str, operand: Any) -> set[str]:
    """The types of an attribute that a condition can match at all."""
    kind = _kind(operand, operator)
    return {kind, "array"} if operator in ("contains", "not_contains") else {kind}


def _kind(operand: Any, operator: str) -> str:
    if operator == "r":
        operand = operand[0]
    if operand is None:
        return "null"
    if isinstance(operand, bool):
        return "boolean"
    if is_number(operand):
        return "number"
    if isinstance(operand, str):
        return "string"
    return "object" if isinstance(operand, dict) else "array"


@dataclass(frozen=True, slots=True)
class Example:
    """An operator: how it is written, what it does, and a query that uses it."""

    operator: str
    meaning: str
    query: str


def write_examples(samples: Sequence[dict[str, Any]]) -> list[Example]:
    """Every operator with an example from these items' attributes, or an invented one where none fits."""
    number = _sample(samples, is_number) or ("age", 30)
    text = _sample(samples, lambda value: isinstance(value, str) and 0 < len(value) <= 40) or ("name", "Ada")
    texts = _sample(samples, _is_list_of_texts) or ("tags", ["new"])
    flag = _sample(samples, lambda value: isinstance(value, bool)) or ("active", True)
    nested = _nested(samples) or ("home.city", "Paris")
    key = next((item["key"] for item in samples if isinstance(item.get("key"), str)), "a")
    (n, low), (s, word), (t, words) = number, text, texts
    start = word[: max(1, len(word) // 2)]
    made = [
        ("?eq, or no operator", "equal to", {flag[0]: flag[1]}),
        ("?ne  ?!=", "not equal to, or missing", {s + "?ne": word}),
        ("?lt  ?<", "less than", {n + "?lt": low}),
        ("?gt  ?>", "greater than", {n + "?gt": low}),
        ("?lte  ?<=", "less than or equal to", {n + "?lte": low}),
        ("?gte  ?>=", "greater than or equal to", {n + "?gte": low}),
        ("?r", "in a range, both ends included", {n + "?r": [low, low + 10]}),
        ("?pfx", "a text that starts with", {s + "?pfx": start}),
        ("?contains", "a text or a list of texts that contains", {t + "?contains": words[0]}),
        ("?not_contains  ?!contains", "one that does not contain", {s + "?not_contains": start}),
        (".", "an attribute inside an object", {nested[0]: nested[1]}),
        ("key", "the key itself: any operator but ?ne, ?contains and ?not_contains", {"key?pfx": key[:2]}),
    ]
    both = {n + "?gte": low, s: word}
    either = [{n + "?gte": low}, {s: word}]
    made += [("{ … , … }", "all of several conditions", both), ("[ { … }, { … } ]", "any of several objects", either)]
    return [Example(operator, meaning, _spread(query)) for operator, meaning, query in made]


def _spread(query: Any) -> str:
    text = dump(query).decode()
    return text.replace('":', '": ', 1) if isinstance(query, dict) and len(query) == 1 else text


def _sample(samples: Sequence[dict[str, Any]], fits: Any) -> tuple[str, Any] | None:
    for item in samples:
        for name, value in item.items():
            if name != "key" and not name.startswith("__") and "?" not in name and "." not in name and fits(value):
                return name, value
    return None


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) and len(each) <= 40 for each in value)


def _nested(samples: Sequence[dict[str, Any]]) -> tuple[str, Any] | None:
    found = _sample(samples, lambda value: isinstance(value, dict) and _scalar_of(value) is not None)
    if found is None:
        return None
    name, inner = _scalar_of(found[1]) or ("", None)
    return f"{found[0]}.{name}", inner


def _scalar_of(value: dict[str, Any]) -> tuple[str, Any] | None:
    for name, inner in value.items():
        if (
            "?" not in name
            and "." not in name
            and (isinstance(inner, bool) or is_number(inner) or isinstance(inner, str))
        ):
            return (name, inner) if not isinstance(inner, str) or len(inner) <= 40 else None
    return None
