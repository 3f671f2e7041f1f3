"""What a person typed into the bar: words to search for, or a query, however it was pasted. Pure.

Text that begins with `{` or `[` is a query. It may be written as Python or JavaScript write it; JSON5 has most of that, and
what it lacks (`True`, `None`, `#` comments, tuples, names such as `age?gt` without quotation marks) is put into its words
before it is read. Places in messages are those in the text as typed.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal, NamedTuple

import json5

from storage import limits
from storage.base.query import OPERATORS, Predicate, parse_query, parse_search
from storage.errors import BadQuery
from storage.exact_json import dump

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | //[^\n]* | /\*.*?\*/)
    | (?P<hash>\#[^\n]*)
    | (?P<string>"(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    | (?P<curly>“[^”\n]*” | ‘[^’\n]*’)
    | (?P<mark>[{}\[\]():,])
    | (?P<open>["'“‘] | /\*)
    | (?P<word>[^\s{}\[\]():,"'“‘]+)
    | (?P<other>.)
    """,  # noqa: RUF001 -- quotation marks as word processors set them, which is the point
    re.X | re.S,
)
_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null"}
_NUMBER_MAX_CHARACTERS = 500  # far beyond what can be stored; Python takes long over more
_NUMBER = re.compile(r"[+-]?(0[xX][0-9a-fA-F]+|\d[\d_]*(\.[\d_]*)?([eE][+-]?\d+)?|\.\d[\d_]*([eE][+-]?\d+)?)n?")
_BRACKETS = {"(": "[", ")": "]"}
_CLOSERS = {"{": "}", "[": "]", "(": ")"}
# Operators of other query languages, and the one that does the same here.
_ELSEWHERE = {
    "=": "eq", "==": "eq", "===": "eq", "neq": "ne", "not": "ne", "<>": "ne", "!==": "ne", "$ne": "ne", "$eq": "eq",
    "$gt": "gt", "$gte": "gte", "$lt": "lt", "$lte": "lte", "ge": "gte", "le": "lte", "min": "gte", "max": "lte",
    "prefix": "pfx", "startswith": "pfx", "starts_with": "pfx", "begins_with": "pfx", "range": "r", "between": "r",
    "like": "contains", "includes": "contains", "has": "contains", "in": "contains", "excludes": "not_contains",
}  # fmt: skip


class Place(NamedTuple):
    """Where in the text: line and column from 1, offset from 0, in characters."""

    line: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a query, and where if that can be said."""

    message: str
    at: Place | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """The bar's text as it was read. `query` is strict JSON, only of a query without mistakes; `changed` if that differs
    from what was typed by more than white space. With a mistake there is no predicate."""

    kind: Literal["query", "search", "empty"]
    text: str
    predicate: Predicate | None
    query: str | None = None
    changed: bool = False
    mistake: Mistake | None = None


def understand(text: str) -> Understood:
    """Read the bar's text."""
    stripped = text.strip()
    if not stripped:
        return Understood("empty", text, Predicate())
    kind: Literal["query", "search"] = "query" if stripped[0] in "{[" else "search"
    if len(text) > limits.QUERY_TEXT_MAX_CHARACTERS:
        return _wrong(kind, text, f"The text is longer than {limits.QUERY_TEXT_MAX_CHARACTERS:,} characters")
    if kind == "search":
        try:
            return Understood("search", text, parse_search(text))
        except BadQuery as error:
            return _wrong("search", text, error.messages[1])
    try:
        value = read_relaxed(text)
        query = dump(value).decode()
    except _Unreadable as error:
        return Understood("query", text, None, mistake=error.mistake)
    except (RecursionError, UnicodeEncodeError):
        return _wrong("query", text, "The query is nested too deeply, or holds half of a character")
    try:
        return Understood("query", text, parse_query(value), query, changed=not _is_written_so(query, text))
    except BadQuery as error:
        return Understood("query", text, None, query, mistake=_explain(value, text, error))


def read_relaxed(text: str) -> Any:
    """The value of JSON as people write it, numbers with all their digits (`int` or `Decimal`).

    Raises `_Unreadable` with the mistake.
    """
    written, places, still_open = _as_json5(text)
    value, error, offset = json5.parse(written, parse_float=Decimal)
    if error is None:
        return value
    if offset >= len(written.rstrip()) or "end of input" in error:
        closers = "".join(_CLOSERS[mark] for mark in reversed(still_open))
        message = f"The text ends too early: “{closers}” is missing" if closers else "The text ends too early"
        raise _Unreadable(message, text, len(text.rstrip()))
    typed = places.typed(offset)
    token = _TOKEN.match(text, typed)
    met = token.group() if token else text[typed]
    comma = ": a comma or colon may be missing before it" if token and token.lastgroup in ("string", "word") else ""
    raise _Unreadable(f"{_short(met)} was not expected here{comma}", text, typed)


class _Unreadable(Exception):
    def __init__(self, message: str, text: str, offset: int) -> None:
        super().__init__(message)
        self.mistake = Mistake(message, place_in(text, offset))


class _Places:
    """Which place of the typed text a place of the rewritten one comes from."""

    def __init__(self) -> None:
        self._written = [0]
        self._typed = [0]

    def note(self, written: int, typed: int) -> None:
        self._written.append(written)
        self._typed.append(typed)

    def typed(self, written: int) -> int:
        index = bisect_right(self._written, written) - 1
        following = self._typed[index + 1] - 1 if index + 1 < len(self._typed) else self._typed[index] + written
        return min(self._typed[index] + written - self._written[index], max(following, self._typed[index]))


def _as_json5(text: str) -> tuple[str, _Places, list[str]]:
    """The text in JSON5's words, the places its tokens come from, and the brackets that are never closed."""
    written, length, places, still_open, before = [], 0, _Places(), list[str](), ""
    for token in _TOKEN.finditer(text):
        kind, typed = token.lastgroup, token.group()
        if kind == "open":
            what = "comment" if typed == "/*" else "text"
            raise _Unreadable(f"The {what} that begins here has no end", text, token.start())
        if kind == "mark":
            if typed in _CLOSERS:
                still_open.append(typed)
            elif typed in "}])" and still_open:
                still_open.pop()
        is_name = kind == "word" and before in ("{", ",") and bool(still_open) and still_open[-1] == "{"
        try:
            said = _said(kind, typed, is_name=is_name)
        except ValueError as error:
            raise _Unreadable(str(error), text, token.start()) from None
        places.note(length, token.start())
        written.append(said)
        length += len(said)
        if kind not in ("space", "hash"):
            before = typed
    return "".join(written), places, still_open


def _said(kind: str | None, typed: str, *, is_name: bool) -> str:
    """A token in JSON5's words. Raises ValueError for a word that is no value, with the reason."""
    if kind == "hash":
        return " " * len(typed)
    if kind == "curly":
        return dump(typed[1:-1]).decode()
    if kind == "mark":
        return _BRACKETS.get(typed, typed)
    if kind == "word":
        if is_name:
            return dump(typed).decode()
        return _value(typed)
    return typed


def _value(word: str) -> str:
    if _NUMBER.fullmatch(word):
        if len(word) > _NUMBER_MAX_CHARACTERS:
            raise ValueError(f"A number has more than {limits.NUMBER_MAX_DIGITS} digits")
        return word.replace("_", "").rstrip("n")
    if word.lstrip("+-") in ("NaN", "Infinity", "nan", "inf"):
        raise ValueError(f"{word} is not a JSON number")
    said = _WORDS.get(word, word)
    if said not in ("true", "false", "null"):
        raise ValueError(f"{_short(word)} is no value: a text stands in quotation marks")
    return said


def _short(token: str) -> str:
    return f"“{token[:30]}…”" if len(token) > 30 else f"“{token}”"


def place_in(text: str, offset: int) -> Place:
    """Line and column of an offset."""
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, offset)


def _wrong(kind: Literal["query", "search"], text: str, message: str) -> Understood:
    return Understood(kind, text, None, mistake=Mistake(message))


def _is_written_so(query: str, text: str) -> bool:
    return "".join(query.split()) == "".join(text.split())


def _explain(value: Any, text: str, error: BadQuery) -> Mistake:
    """A refused query in the words of the bar: which attribute, what is wrong, and what may have been meant."""
    objects = value if isinstance(value, list) else [value]
    for entry in objects:
        for condition in entry if isinstance(entry, dict) else ():
            attribute, mark, written = condition.rpartition("?")
            if mark and written not in OPERATORS:
                return Mistake(_unknown_operator(attribute, written), _find(condition, text))
    told = re.fullmatch(r"query\[(\d+)\](?:, `(.*?)`)?: (.*)", error.messages[1], re.S)
    if told is None:
        return Mistake(error.messages[1])
    number, condition, reason = told.groups()
    which = f"Object {int(number) + 1}: " if len(objects) > 1 else ""
    if condition is None:
        return Mistake(which + reason)
    return Mistake(f"{which}`{condition}`: {reason}", _find(condition, text))


def _unknown_operator(attribute: str, written: str) -> str:
    on = f' on "{attribute}"' if attribute else ""
    if not written:
        return f"The operator behind `?` is missing{on}"
    close = _ELSEWHERE.get(written.lower()) or next(iter(get_close_matches(written, OPERATORS, n=1, cutoff=0.4)), None)
    return f"Unknown operator `?{written}`{on}." + (f" Did you mean `?{close}`?" if close else "")


def _find(condition: str, text: str) -> Place | None:
    offset = text.find(condition)
    return place_in(text, offset) if offset >= 0 else None
