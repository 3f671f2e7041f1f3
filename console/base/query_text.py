"""Parses the text of the query bar: words to search for, or a query in any common notation. Pure.

Text that begins with `{` or `[` is a query: `relaxed_json.py` reads its JSON, `storage/base/query.py` what it asks for. What
either refuses becomes a mistake, in the words of the bar and with the position in the text as typed.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from console.base import relaxed_json
from console.base.relaxed_json import TextPosition
from storage import limits
from storage.base.query import OPERATORS, Predicate, parse_query, parse_search
from storage.errors import BadQuery, InvalidInput, UnknownOperator

# Operators of other query languages, and the one that does the same here.
_ELSEWHERE = {
    "=": "eq", "==": "eq", "===": "eq", "neq": "ne", "not": "ne", "<>": "ne", "!==": "ne", "$ne": "ne", "$eq": "eq",
    "$gt": "gt", "$gte": "gte", "$lt": "lt", "$lte": "lte", "ge": "gte", "le": "lte", "min": "gte", "max": "lte",
    "prefix": "pfx", "startswith": "pfx", "starts_with": "pfx", "begins_with": "pfx", "range": "r", "between": "r",
    "like": "contains", "includes": "contains", "has": "contains", "in": "contains", "excludes": "not_contains",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a query, and where if known."""

    message: str
    at: TextPosition | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """The parsed text of the bar: a predicate or a mistake.

    `query` is the strict JSON of a query; `changed` says that it differs from what was typed by more than white space.
    """

    kind: Literal["query", "search", "empty"]
    text: str
    predicate: Predicate | None = None
    query: str | None = None
    changed: bool = False
    mistake: Mistake | None = None

    def checked(self) -> Predicate:
        """The predicate. Raises InvalidInput with the mistake where there is none."""
        if self.predicate is None:
            raise InvalidInput(self.mistake.message if self.mistake else "Bad query")
        return self.predicate


def understand(text: str) -> Understood:
    """Read the bar's text."""
    start = text.lstrip()[:1]
    if not start:
        return Understood("empty", text, Predicate())
    kind: Literal["query", "search"] = "query" if start in "{[" else "search"
    if len(text) > limits.QUERY_TEXT_MAX_CHARACTERS:
        mistake = Mistake(f"The text is longer than {limits.QUERY_TEXT_MAX_CHARACTERS:,} characters")
        return Understood(kind, text, mistake=mistake)
    return _understand_query(text) if kind == "query" else _understand_search(text)


def _understand_search(text: str) -> Understood:
    try:
        return Understood("search", text, parse_search(text))
    except BadQuery as error:
        return Understood("search", text, mistake=Mistake(error.reason))


def _understand_query(text: str) -> Understood:
    try:
        value, query = relaxed_json.parse(text)
    except relaxed_json.Unreadable as error:
        return Understood("query", text, mistake=Mistake(error.reason, error.at))
    try:
        predicate = parse_query(value)
    except BadQuery as error:
        return Understood("query", text, mistake=_explain(error, value, text))
    return Understood("query", text, predicate, query, changed="".join(query.split()) != "".join(text.split()))


def _explain(error: BadQuery, value: Any, text: str) -> Mistake:
    """A refused query in the words of the bar: which attribute, what is wrong, and what may have been meant."""
    at = None if error.condition is None else _find(error.condition, text)
    if isinstance(error, UnknownOperator):
        return Mistake(_describe_operator(error), at)
    number = f"Object {error.index + 1}: " if error.index is not None and isinstance(value, list) and value[1:] else ""
    condition = "" if error.condition is None else f"`{error.condition}`: "
    return Mistake(number + condition + error.reason, at)


def _describe_operator(error: UnknownOperator) -> str:
    on = f' on "{error.attribute}"' if error.attribute else ""
    if not error.operator:
        return f"The operator after `?` is missing{on}"
    close = get_close_matches(error.operator, OPERATORS, n=1, cutoff=0.4)
    meant = _ELSEWHERE.get(error.operator.lower()) or next(iter(close), None)
    return f"Unknown operator `?{error.operator}`{on}." + (f" Did you mean `?{meant}`?" if meant else "")


def _find(condition: str, text: str) -> TextPosition | None:
    offset = text.find(condition)
    return relaxed_json.position_of(text, offset) if offset >= 0 else None
