"""JSON as people write and paste it. Pure.

It reads the notations of Python and JavaScript too: those of JSON5, and `True`, `None`, `#` comments, tuples, unquoted names such
as `age?gt`. Each token is looked at once, so a text takes time by its length alone, and positions are those in it as typed.
"""

import re
from decimal import Decimal
from typing import Any, NamedTuple

from storage import limits
from storage.exact_json import dump

# Possessive, and what has no end takes the whole rest: nothing is passed over twice.
_TOKEN = re.compile(
    r"""
    (?P<space>\s++ | //[^\n]*+ | (?>/\*.*?\*/))
    | (?P<hash>\#[^\n]*+)
    | (?P<string>"(?:\\.|[^"\\\n])*+" | '(?:\\.|[^'\\\n])*+')
    | (?P<curly>“[^”\n]*+” | ‘[^’\n]*+’)
    | (?P<mark>[{}\[\]():,])
    | (?P<open>(?:["'“‘] | /\*).*+)
    | (?P<word>[^\s{}\[\]():,"'“‘]++)
    """,  # noqa: RUF001 -- quotation marks as word processors set them, which is the point
    re.X | re.S,
)
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "None": None, "undefined": None}
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|\r\n|.)", re.DOTALL)
# What an escape stands for; a line that ends behind a backslash goes on in the next.
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_NUMBER_MAX_CHARACTERS = 500  # far beyond what can be stored; Python takes long over more
_NUMBER = re.compile(
    r"[+-]?(0[xX][0-9a-fA-F]+|(0|[1-9][\d_]*)(\.[\d_]*)?([eE][+-]?\d+)?|\.\d[\d_]*([eE][+-]?\d+)?)n?", re.ASCII
)
_CLOSERS = {"{": "}", "[": "]", "(": ")"}
_LEVELS_MAX = 2 * limits.NESTING_MAX_LEVELS  # so that what is only too deep to be stored is told so


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
    value = _Reader(text).read()
    try:
        return Relaxed(value, dump(value).decode())
    except UnicodeEncodeError:
        raise Unreadable("A text holds half of a character (a lone surrogate)") from None


def position_of(text: str, offset: int) -> TextPosition:
    """Line and column of an offset."""
    before = text[:offset]
    return TextPosition(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1, offset)


class _Level:
    """An object or list that is open: the bracket it began with, and in an object the name that waits for its value."""

    __slots__ = ("bracket", "name", "values")

    def __init__(self, bracket: str) -> None:
        self.bracket = bracket
        self.values: Any = {} if bracket == "{" else []
        self.name = ""


class _Reader:
    """Reads a text token by token, each once, and knows what may come next: a "value", a "name", ":" or ","."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._levels: list[_Level] = []
        self._expected = "value"
        self._value: Any = None

    def read(self) -> Any:
        """The value. Raises Unreadable."""
        for token in _TOKEN.finditer(self._text):
            kind, typed = token.lastgroup, token.group()
            if kind in ("space", "hash"):
                continue
            try:
                is_taken = self._take_mark(typed) if kind == "mark" else self._take_text(kind, typed)
            except ValueError as error:
                raise Unreadable(str(error), position_of(self._text, token.start())) from None
            if not is_taken:
                hint = ": a comma or colon may be missing before it" if kind in ("string", "word") else ""
                reason = f"{_short(typed)} was not expected here{hint}"
                raise Unreadable(reason, position_of(self._text, token.start()))
        if self._levels or self._expected == "value":
            closers = "".join(_CLOSERS[level.bracket] for level in reversed(self._levels))
            reason = f"The text ends too early: “{closers}” is missing" if closers else "The text ends too early"
            raise Unreadable(reason, position_of(self._text, len(self._text.rstrip())))
        return self._value

    def _take_mark(self, mark: str) -> bool:
        """Whether this bracket, comma or colon may stand here."""
        if mark in _CLOSERS:
            if self._expected != "value":
                return False
            if len(self._levels) >= _LEVELS_MAX:
                raise Unreadable("The query is nested too deeply")
            self._levels.append(_Level(mark))
            self._expected = "name" if mark == "{" else "value"
            return True
        if not self._levels:
            return False
        level = self._levels[-1]
        if mark in ",:":
            if self._expected != mark:
                return False
            self._expected = "value" if mark == ":" or level.bracket != "{" else "name"
            return True
        # Before a bracket that closes, a comma may stand: what comes after it is missing then.
        if (mark == "}") != (level.bracket == "{") or self._expected not in (",", "name" if mark == "}" else "value"):
            return False
        self._levels.pop()
        self._put(level.values)
        return True

    def _take_text(self, kind: str | None, typed: str) -> bool:
        """Whether this text, number or word may stand here. Raises ValueError with the reason where it is none of these."""
        if kind == "open":
            raise ValueError(f"The {'comment' if typed.startswith('/*') else 'text'} that starts here has no end")
        if self._expected == "name":
            self._levels[-1].name = typed if kind == "word" else _read_text(typed, kind)
            self._expected = ":"
            return True
        if self._expected != "value":
            return False
        self._put(_read_value(typed) if kind == "word" else _read_text(typed, kind))
        return True

    def _put(self, value: Any) -> None:
        self._expected = ","
        if not self._levels:
            self._value = value
        elif (level := self._levels[-1]).bracket == "{":
            level.values[level.name] = value
        else:
            level.values.append(value)


def _read_text(typed: str, kind: str | None) -> str:
    """A text between quotation marks. Raises ValueError for an escape that is none."""
    inner = typed[1:-1]
    if kind == "curly" or "\\" not in inner:
        return inner
    read = _ESCAPE.sub(_read_escape, inner)
    # Two escapes may write one character.
    return read.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def _read_escape(match: re.Match[str]) -> str:
    written = match[1]
    if written[0] in "xu":
        if len(written) == 1:
            raise ValueError(
                f"“\\{written}” in a text is followed by {'two' if written == 'x' else 'four'} hexadecimal digits"
            )
        return chr(int(written[1:], 16))
    return _ESCAPES.get(written, written)


def _read_value(word: str) -> int | Decimal | bool | None:
    """A number, or a word for a value. Raises ValueError for any other word."""
    if word in _WORDS:
        return _WORDS[word]
    if _NUMBER.fullmatch(word):
        if len(word) > _NUMBER_MAX_CHARACTERS:
            raise ValueError(f"A number has more than {limits.NUMBER_MAX_DIGITS} digits")
        return _read_number(word.replace("_", "").rstrip("n"))
    if word.lstrip("+-") in ("NaN", "Infinity", "nan", "inf"):
        raise ValueError(f"{word} is not a JSON number")
    raise ValueError(f"{_short(word)} is not a value: put quotation marks around a text")


def _read_number(digits: str) -> int | Decimal:
    if digits.lstrip("+-")[:2] in ("0x", "0X"):
        return int(digits, 16)
    if digits.lstrip("+-").isdigit():
        return int(digits)
    try:
        return Decimal(digits)
    except ArithmeticError:
        raise ValueError(f"A number's exponent is beyond +-{limits.NUMBER_MAX_EXPONENT}") from None


def _short(token: str) -> str:
    return f"“{token[:30]}…”" if len(token) > 30 else f"“{token}”"
