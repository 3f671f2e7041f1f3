"""Rows of pasted text, or of a small file for a table: with the JSON text of each value. Nothing is stored here."""

from collections.abc import Mapping
from typing import NamedTuple

from storage import limits, names
from storage.archive.reading import kinds
from storage.archive.reading.columns import Column, Type, type_of_json
from storage.archive.reading.json_stream import Broken
from storage.archive.reading.parsed_items import Read
from storage.archive.reading.tables import OTHERS, CsvItems
from storage.errors import InvalidInput
from storage.exact_json import check_value, dump

PROBLEMS_TOLD = 100
_ZIPPED = "This is a zip or a workbook: save the sheet as CSV, or import it on the page of imports"


class ReadRow(NamedTuple):
    """A row to stage: its key, None for one to be made, and each attribute as JSON text."""

    key: str | None
    item: dict[str, str]


class Problem(NamedTuple):
    """What could not be read, and in which line of the text (from 1)."""

    line: int
    message: str


class ReadRows(NamedTuple):
    """The rows in order, what was left out, what the text was taken for, and the columns of a table with their types."""

    rows: list[ReadRow]
    problems: list[Problem]
    told: str
    columns: list[Column]


def read_rows(content: bytes, *, file_name: str = "", types: Mapping[str, str] | None = None) -> ReadRows:
    """The rows of a text in any form that an import takes. `types` are the table's columns in order, with the type of each.

    Cells copied from a table come without a line of names: they are in the order of those columns. Raises InvalidInput when it
    cannot be read at all, or has too many rows.
    """
    types = types or {}
    try:
        found = kinds.open_items(lambda: iter([content]), file_name=file_name, size_bytes=len(content), reads_text=True)
        if not found:
            is_zip = content.startswith(b"PK")
            raise InvalidInput(_ZIPPED if is_zip else "This is neither a table nor JSON")
        items = found[0]
        if len(found) > 1:
            raise InvalidInput(f"It is {items.told}, several at once: import it on the page of imports")
        if isinstance(items, CsvItems):
            known = known_types(types)
            if types and not _is_head(items, types):
                return _read_headless(items, types)
            items.survey(known=known, chosen={})
        return _collect(items)
    except Broken as error:
        raise InvalidInput(f"{error.spot.capitalize()}: {error.what}") from None


def known_types(types: Mapping[str, str]) -> dict[str, Type]:
    """The types of the columns that the table has, where they are of one."""
    found = {name: type_of_json([kind]) for name, kind in types.items()}
    return {name: kind for name, kind in found.items() if kind is not None}


def _collect(items: kinds.FileItems) -> ReadRows:
    found = ReadRows([], [], items.told, items.columns if isinstance(items, CsvItems) else [])
    what = "The line" if isinstance(items, CsvItems) or items.shape.is_lines else "Item {number}"
    try:
        for read in items.read():
            _add(found, read, what.format(number=read.number))
    except Broken as error:
        line = int(error.spot.removeprefix("line ").replace(",", "")) if error.spot.startswith("line ") else 0
        found.problems.append(Problem(line or len(found.rows) + 1, f"The rest cannot be read: {error.what}"))
    return found._replace(told=items.told)


def _add(found: ReadRows, read: Read, what: str) -> None:
    if read.value is None:
        _note(found, read, f"{what} is left out. {read.fault}")
        return
    item = dict(read.value)
    try:
        key = names.check_key(item.pop("key")) if "key" in item else None
        check_value(item)
    except InvalidInput as error:
        _note(found, read, f"{what} is left out. " + ". ".join(error.messages))
        return
    found.rows.append(ReadRow(key, {name: dump(value).decode() for name, value in item.items()}))
    if len(found.rows) > limits.CHANGES_PER_SAVE:
        raise InvalidInput(_too_many())


def _note(found: ReadRows, read: Read, message: str) -> None:
    if len(found.problems) < PROBLEMS_TOLD:
        found.problems.append(Problem(read.line, message))


def _too_many() -> str:
    return f"That is more than {limits.CHANGES_PER_SAVE:,} rows: split the file into parts, or import it on the page of imports"


def _is_head(items: CsvItems, types: Mapping[str, str]) -> bool:
    """Whether the first line names columns: it does if one of them is known, and does not if a value is no name."""
    first = items.first_row()
    if not {"key", OTHERS, *types}.isdisjoint(first):
        return True
    is_of_names = "" not in first and all(items.looks_like_text(cell) for cell in first)
    return is_of_names and len(first) != len(types)


def _read_headless(items: CsvItems, types: Mapping[str, str]) -> ReadRows:
    items.names = list(types)
    items.survey(known=known_types(types), chosen={})
    return _collect(items)
