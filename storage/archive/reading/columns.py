"""What the cells of a column are: one type for all of them, told from all of them. Pure.

A column is numbers only when every cell is one; a code such as `7E90`, a hex colour such as `314e59` or a `01067` among them
makes it text, and no digit is lost. A cell that does not fit its column's type stays a text.
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Literal

import msgspec

from storage import exact_json
from storage.errors import InvalidInput

Type = Literal["text", "number", "boolean", "json"]
TYPES: tuple[Type, ...] = ("text", "number", "boolean", "json")

_WHOLE = re.compile(r"-?+(?:0|[1-9][0-9]*+)")
_WITH_POINT = re.compile(r"-?+(?:0|[1-9][0-9]*+)\.[0-9]++")
_WITH_COMMA = re.compile(r"-?+(?:0|[1-9][0-9]*+),[0-9]++")
# As spreadsheets write it, and nobody else's code or colour looks: 1.5E+10.
_WITH_EXPONENT = re.compile(r"-?+[0-9][.,][0-9]++E[+-][0-9]{2,}+")
_JSON_NUMBER = re.compile(r"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+")
_BOOLEANS = {"true": True, "false": False}
# As spreadsheets in other languages write them back: German, French, Italian, Spanish, Portuguese, Dutch, Polish and Swedish.
TRUE_WORDS = frozenset(("WAHR", "VRAI", "VERO", "VERDADERO", "VERDADEIRO", "WAAR", "PRAWDA", "SANT"))
FALSE_WORDS = frozenset(("FALSCH", "FAUX", "FALSO", "ONWAAR", "FAŁSZ", "FALSKT"))
_SURELY_STORED_CHARACTERS = 20
_NUMBER_MAX_CHARACTERS = 200
_SAMPLES = 3
_SAMPLE_MAX_CHARACTERS = 60
EMPTY_TEXT = '""'

# By the types of JSON that the console and the database name.
_BY_JSON: dict[str, Type] = {
    "string": "text",
    "number": "number",
    "boolean": "boolean",
    "object": "json",
    "array": "json",
}


class Column(msgspec.Struct):
    """A column of a file: its type, some of its cells, and how many cells there are that are not empty.

    `known` is the type that the Base's items have for it, if they have one; `is_quoted`: its texts stand as JSON.
    """

    name: str
    type: Type
    samples: list[str] = []
    cells: int = 0
    known: Type | None = None
    is_quoted: bool = False


class Tally:
    """The cells of one column, counted by what they look like."""

    __slots__ = ("counts", "samples")

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.samples: list[str] = []

    def add(self, cell: str, *, has_comma: bool) -> None:
        kind = kind_of(cell, has_comma=has_comma)
        if kind == "empty":
            return
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if len(self.samples) < _SAMPLES:
            short = cell[:_SAMPLE_MAX_CHARACTERS].replace("\x00", "\ufffd")
            if short not in self.samples:
                self.samples.append(short)

    def as_column(self, name: str, *, known: Type | None = None, chosen: Type | None = None) -> Column:
        kinds = _kinds(self.counts)
        return Column(
            name,
            chosen or known or guess_type(self.counts),
            self.samples,
            sum(self.counts.values()),
            known,
            is_quoted="text" not in kinds and "quoted" in kinds,
        )


def guess_type(counts: Mapping[str, int]) -> Type:
    """The type of a column by what its cells look like; text when there is none."""
    kinds = _kinds(counts) - {"null"}
    if not kinds:
        return "json" if counts.get("null") else "text"
    # 1.234 beside 5,6 may be a thousand and more, or little more than one.
    if "text" in kinds or {"point", "comma"} <= kinds:
        return "text"
    if kinds <= {"whole", "point", "comma"}:
        return "number"
    if kinds == {"boolean"}:
        return "boolean"
    return "json"


def _kinds(counts: Mapping[str, int]) -> set[str]:
    """What there is in a column. One word for a boolean alone may be anything, both are what a spreadsheet made of booleans."""
    kinds = {kind for kind, count in counts.items() if count}
    words = kinds & {"true word", "false word"}
    if not words:
        return kinds
    return kinds - words | {"boolean" if len(words) == 2 else "text"}


def kind_of(cell: str, *, has_comma: bool) -> str:
    """What a cell looks like.

    It is "empty", "whole", "point", "comma", "boolean", "true word", "false word", "null", "json", "quoted" or "text".
    """
    text = cell.strip()
    if not text:
        return "empty"
    first = text[0]
    if first in "-0123456789":
        return _number_kind(text, has_comma=has_comma)
    if first in "tTfF" and text.lower() in _BOOLEANS:
        return "boolean"
    if text == "null":
        return "null"
    if first + text[-1] in ("{}", "[]"):
        return "json" if read_json(text) is not None else "text"
    if first == '"' == text[-1] and len(text) > 1:
        return "quoted" if isinstance(read_json(text), str) else "text"
    return "true word" if text in TRUE_WORDS else "false word" if text in FALSE_WORDS else "text"


def _number_kind(text: str, *, has_comma: bool) -> str:
    if len(text) > _NUMBER_MAX_CHARACTERS:
        return "text"
    if _WHOLE.fullmatch(text):
        kind = "whole"
    elif _WITH_POINT.fullmatch(text):
        kind = "point"
    elif has_comma and _WITH_COMMA.fullmatch(text):
        kind = "comma"
    elif _WITH_EXPONENT.fullmatch(text) and (has_comma or "," not in text):
        kind = "comma" if "," in text else "point"
    else:
        return "text"
    return kind if (len(text) <= _SURELY_STORED_CHARACTERS and "E" not in text) or _is_storable(text) else "text"


def is_surely_text(cell: str) -> bool:
    """Whether a column that holds this is one of texts, whatever its other cells are and whatever stands between them."""
    return kind_of(cell, has_comma=True) == "text"


def value_of(cell: str, column: Column, *, has_comma: bool) -> Any:
    """A cell's value in its column, exact; a text where it is nothing else there. The cell is not empty."""
    if cell == EMPTY_TEXT:
        return ""
    text = cell.strip()
    if column.is_quoted and text[:1] == '"' and isinstance(read := read_json(text), str):
        return read
    if column.type == "text":
        return cell
    if text == "null":
        return None
    if (
        column.type in ("number", "json")
        and text[:1] in "-0123456789"
        and (found := read_number(text, has_comma=has_comma)) is not None
    ):
        return found
    if column.type in ("boolean", "json") and (word := _BOOLEANS.get(text.lower())) is not None:
        return word
    if column.type == "boolean" and (text in TRUE_WORDS or text in FALSE_WORDS):
        return text in TRUE_WORDS
    if column.type == "json" and text[:1] in ("{", "[", '"') and (read := read_json(text)) is not None:
        return read
    return cell


def type_of_json(kinds: Iterable[str]) -> Type | None:
    """The type of a column whose values are of these types of JSON; None when they are of several, or of none."""
    found = {_BY_JSON[kind] for kind in kinds if kind in _BY_JSON}
    return found.pop() if len(found) == 1 else None


def read_number(text: str, *, has_comma: bool) -> int | Decimal | None:
    """The number that a cell is, with its digits; None when it is none that may be stored."""
    if len(text) > _NUMBER_MAX_CHARACTERS:
        return None
    if has_comma and "," in text and (_WITH_COMMA.fullmatch(text) or _WITH_EXPONENT.fullmatch(text)):
        text = text.replace(",", ".")
    if not _JSON_NUMBER.fullmatch(text) or not _is_storable(text):
        return None
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def _is_storable(text: str) -> bool:
    try:
        exact_json.check_value(Decimal(text.replace(",", ".")))
    except (InvalidInput, ArithmeticError):
        return False
    return True


def read_json(text: str) -> Any:
    """The value of a JSON text that may be stored; None when it is none, and for `null`."""
    try:
        value = exact_json.parse(text.encode())
        # The item around it is the first level.
        exact_json.check_value(value, 2)
    except (InvalidInput, UnicodeEncodeError):
        return None
    return value
