"""Parses pasted or imported rows: CSV, TSV, JSON or one JSON object per line. Pure; nothing is stored here.

A value is a JSON text, its digits as they were written.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from console.base.csv_export import OTHERS
from storage import limits, names
from storage.errors import InvalidInput
from storage.exact_json import check_value, dump, parse, split

_NUMBER = re.compile(r"-?+(0|[1-9][0-9]*+)(\.[0-9]++)?+([eE][+-]?+[0-9]++)?+")
_WORDS = {"true": "boolean", "false": "boolean", "null": "null"}
_entries_of = msgspec.json.Decoder(list[msgspec.Raw]).decode
_FIELD_MAX_CHARACTERS = limits.ITEM_MAX_BYTES
PROBLEMS_TOLD = 100


class ReadRow(NamedTuple):
    """A row to stage: its key, None for one to be made, and each attribute as JSON text."""

    key: str | None
    item: dict[str, str]


class Problem(NamedTuple):
    """What could not be read, and in which line of the text (from 1)."""

    line: int
    message: str


class ReadRows(NamedTuple):
    """The rows in order, and what was left out."""

    rows: list[ReadRow]
    problems: list[Problem]


def read_rows(text: str, *, kind: str = "", types: str = "{}") -> ReadRows:
    """The rows of a text. `types` is a JSON object of the table's columns, in their order, and the type of their values.

    Raises InvalidInput when it is not that kind of text at all, or too many rows.
    """
    kind = kind or sniff(text)
    if kind == "json":
        found: Iterator[ReadRow | Problem] = _read_json(text)
    elif kind == "ndjson":
        found = _read_lines(text)
    elif kind in ("csv", "tsv"):
        found = _read_table(text, "\t" if kind == "tsv" else _delimiter(text), _read_types(types))
    else:
        raise InvalidInput("A file of rows is `csv`, `tsv`, `json` or `ndjson`")
    rows: list[ReadRow] = []
    problems: list[Problem] = []
    for each in found:
        if isinstance(each, ReadRow):
            rows.append(each)
        elif len(problems) < PROBLEMS_TOLD:
            problems.append(each)
        if len(rows) > limits.CHANGES_PER_SAVE:
            raise InvalidInput(f"That is more than {limits.CHANGES_PER_SAVE:,} rows: split the file into parts")
    return ReadRows(rows, problems)


def sniff(text: str) -> str:
    """What kind of text it is, by its beginning."""
    start = text.lstrip()
    if start.startswith("["):
        return "json"
    if start.startswith("{"):
        first, _, rest = start.partition("\n")
        return "ndjson" if rest.lstrip().startswith("{") and _is_json(first) else "json"
    return "tsv" if "\t" in text.partition("\n")[0] else "csv"


def _is_json(text: str) -> bool:
    try:
        parse(text.encode())
    except (InvalidInput, UnicodeEncodeError):
        return False
    return True


def _read_types(text: str) -> Mapping[str, str]:
    types = parse(text.encode())
    if not isinstance(types, dict) or not all(isinstance(kind, str) for kind in types.values()):
        raise InvalidInput("`types` is not an object of column names and types")
    return types


def _read_json(text: str) -> Iterator[ReadRow | Problem]:
    """A list of objects, or one; each keeps the very text of its values."""
    for number, (line, entry) in enumerate(_entries(text), start=1):
        yield _read_object(entry, line, f"Item {number}")


def _entries(text: str) -> Iterator[tuple[int, str]]:
    """The line where each entry of a list begins, and its text; of one object alone, that."""
    value = parse(text.encode())
    if isinstance(value, dict):
        yield 1, text
        return
    if not isinstance(value, list):
        raise InvalidInput("The JSON is neither a list of items nor one item")
    line, at = 1, 0
    for raw in _entries_of(text):
        entry = bytes(raw).decode()
        found = text.index(entry, at)
        line += text.count("\n", at, found)
        at = found + len(entry)
        yield line, entry
        line += entry.count("\n")


def _read_lines(text: str) -> Iterator[ReadRow | Problem]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield _read_object(line, number, "The line")


def _read_object(text: str, line: int, what: str) -> ReadRow | Problem:
    try:
        check_value(parse(text.encode()))
        members = split(text)
        key = None
        if "key" in members:
            key = names.check_key(parse(members.pop("key").encode()))
        return ReadRow(key, members)
    except InvalidInput as error:
        return Problem(line, f"{what} is left out. " + ". ".join(error.messages))


def _delimiter(text: str) -> str:
    """Comma, or semicolon as spreadsheets write it where the comma is the decimal sign: what the first line has more of."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","


def _read_table(text: str, delimiter: str, types: Mapping[str, str]) -> Iterator[ReadRow | Problem]:
    """The first line names the columns; `key` may be among them. An empty field is a missing attribute.

    Rows copied from a table come without such a line: they are in the order of the columns that are known.
    """
    csv.field_size_limit(_FIELD_MAX_CHARACTERS)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    columns: Sequence[str] | None = None
    try:
        for fields in reader:
            if not any(fields):
                continue
            if columns is None:
                is_head = _is_head([field.strip() for field in fields], types)
                columns = _check_columns(fields) if is_head else list(types)
                if is_head:
                    continue
            if len(fields) > len(columns):
                yield Problem(
                    reader.line_num, f"The line has {len(fields)} fields, and there are {len(columns)} columns"
                )
            else:
                yield _read_fields(dict(zip(columns, fields, strict=False)), types, reader.line_num)
    except csv.Error as error:
        yield Problem(reader.line_num, f"The file cannot be read from here on: {error}")


def _is_head(fields: Sequence[str], types: Mapping[str, str]) -> bool:
    """Whether the first line names columns: it does if one of them is known, and does not if a value is no name."""
    if not types or not {"key", OTHERS, *types}.isdisjoint(fields):
        return True
    is_of_names = "" not in fields and all(as_json(field, "").startswith('"') for field in fields)
    return is_of_names and len(fields) != len(types)


def _check_columns(fields: Sequence[str]) -> Sequence[str]:
    columns = [field.strip() for field in fields]
    if "" in columns:
        raise InvalidInput("The first line names the columns, and one of the names is empty")
    doubled = next((name for name, count in Counter(columns).items() if count > 1), None)
    if doubled is not None:
        raise InvalidInput(f"The first line names the column “{doubled}” twice")
    return columns


def _read_fields(fields: dict[str, str], types: Mapping[str, str], line: int) -> ReadRow | Problem:
    try:
        key_text, others = fields.pop("key", ""), fields.pop(OTHERS, "")
        item = {name: as_json(field, types.get(name, "")) for name, field in fields.items() if field}
        for text in item.values():
            check_value(parse(text.encode()))
        return ReadRow(names.check_key(key_text) if key_text else None, item | (split(others) if others else {}))
    except InvalidInput as error:
        return Problem(line, "The line is left out. " + ". ".join(error.messages))


def as_json(field: str, kind: str) -> str:
    """A field as the JSON text of a column of this type; guessed from the text when the type is unknown.

    A text that a number column cannot hold, such as 007, stays a text: no digit is lost.
    """
    if kind == "string":
        return _text(field)
    if _NUMBER.fullmatch(field):
        return field
    if field in _WORDS:
        return field
    if field[:1] in ("{", "[") and _is_json(field):
        return field
    return _text(field)


def _text(value: str) -> str:
    return dump(value).decode()
