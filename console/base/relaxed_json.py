"""JSON as people write and paste it. Pure.

It reads the notations of Python and JavaScript too. JSON5 covers most of them; the rest (`True`, `None`, `#` comments,
tuples, unquoted names such as `age?gt`) is rewritten as JSON5 first. Positions are those in the text as typed.
"""

import re
from bisect import bisect_right
from decimal import Decimal
from typing import Any, NamedTuple

import json5

from storage import limits
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
_NUMBER = re.compile(
    r"[+-]?(0[xX][0-9a-fA-F]+|\d[\d_]*(\.[\d_]*)?([eE][+-]?\d+)?|\.\d[\d_]*([eE][+-]?\d+)?)n?", re.ASCII
)
_BRACKETS = {"(": "[", ")": "]"}
_CLOSERS = {"{": "}", "[": "]", "(": ")"}


class TextPosition(NamedTuple):
    """Where in a text: line and column from 1, offset from 0, in characters."""

    line: int
    column: int
    offset: int


class Relaxed(NamedTuple):
    """What was read: the value, its numbers with all their digits (`int` or `Decimal`), and the same as compact JSON."""

    value: Any
    json: str


class Unreadable(Exception):
    """The text is not a value, for this reason; `at` is where, if known."""

    def __init__(self, reason: str, at: TextPosition | None = None) -> None:
        super().__init__(reason)
        self.reason, self.at = reason, at


def parse(text: str) -> Relaxed:
    """Read a text. Raises Unreadable."""
    written, origins, open_brackets = _to_json5(text)
    try:
        value, error, offset = json5.parse(written, parse_float=Decimal)
        if error is None:
            return Relaxed(value, dump(value).decode())
    except RecursionError:
        raise Unreadable("The query is nested too deeply") from None
    except UnicodeEncodeError:
        raise Unreadable("A text holds half of a character (a lone surrogate)") from None
    if offset >= len(written.rstrip()) or "end of input" in error:
        closers = "".join(_CLOSERS[mark] for mark in reversed(open_brackets))
        reason = f"The text ends too early: “{closers}” is missing" if closers else "The text ends too early"
        raise Unreadable(reason, position_of(text, len(text.rstrip())))
    typed = origins.typed(offset)
    token = _TOKEN.match(text, typed)
    found = token.group() if token else text[typed]
    hint = ": a comma or colon may be missing before it" if token and token.lastgroup in ("string", "word") else ""
    raise Unreadable(f"{_short(found)} was not expected here{hint}", position_of(text, typed))


def position_of(text: str, offset: int) -> TextPosition:
    """Line and column of an offset."""
    before = text[:offset]
    return TextPosition(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, offset)


class _Origins:
    """Which offset of the typed text an offset of the rewritten one comes from."""

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


def _to_json5(text: str) -> tuple[str, _Origins, list[str]]:
    """The text as JSON5, where its tokens come from, and the brackets that are never closed. Raises Unreadable."""
    parts, length, origins, open_brackets, before = [], 0, _Origins(), list[str](), ""
    for token in _TOKEN.finditer(text):
        kind, typed = token.lastgroup, token.group()
        if kind == "mark":
            if typed in _CLOSERS:
                open_brackets.append(typed)
            elif typed in "}])" and open_brackets:
                open_brackets.pop()
        is_name = kind == "word" and before in ("{", ",") and open_brackets[-1:] == ["{"]
        try:
            part = _rewrite(kind, typed, is_name=is_name)
        except ValueError as error:
            raise Unreadable(str(error), position_of(text, token.start())) from None
        origins.note(length, token.start())
        parts.append(part)
        length += len(part)
        if kind not in ("space", "hash"):
            before = typed
    return "".join(parts), origins, open_brackets


def _rewrite(kind: str | None, typed: str, *, is_name: bool) -> str:
    """A token as JSON5. Raises ValueError with the reason where it can be none."""
    match kind:
        case "open":
            raise ValueError(f"The {'comment' if typed == '/*' else 'text'} that starts here has no end")
        case "hash":
            return " " * len(typed)
        case "curly":
            return dump(typed[1:-1]).decode()
        case "mark":
            return _BRACKETS.get(typed, typed)
        case "word":
            return dump(typed).decode() if is_name else _rewrite_value(typed)
        case _:
            return typed


def _rewrite_value(word: str) -> str:
    """A number, or a word for a value. Raises ValueError for any other word."""
    if _NUMBER.fullmatch(word):
        if len(word) > _NUMBER_MAX_CHARACTERS:
            raise ValueError(f"A number has more than {limits.NUMBER_MAX_DIGITS} digits")
        return word.replace("_", "").rstrip("n")
    if word.lstrip("+-") in ("NaN", "Infinity", "nan", "inf"):
        raise ValueError(f"{word} is not a JSON number")
    value = _WORDS.get(word, word)
    if value not in ("true", "false", "null"):
        raise ValueError(f"{_short(word)} is not a value: put quotation marks around a text")
    return value


def _short(token: str) -> str:
    return f"“{token[:30]}…”" if len(token) > 30 else f"“{token}”"
