"""Items from files with one item per line: NDJSON and CSV."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from storage import exact_json, limits
from storage.archive.reading.json_stream import Broken
from storage.archive.reading.parsed_items import Read, parse_item
from storage.errors import InvalidInput

Chunks = Callable[[], Iterator[bytes]]

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}
_BOM = b"\xef\xbb\xbf"


@dataclass
class NdjsonItems:
    """One JSON item per line; empty lines are skipped. Reading continues after a line that is not JSON."""

    name: str
    entry: str
    size_bytes: int
    open: Chunks

    def read(self, skip: int = 0) -> Iterator[Read]:
        number = 0
        for line_number, line in enumerate(_lines(self.open()), start=1):
            spot = f"line {line_number:,}"
            if line is not None and not line.strip():
                continue
            number += 1
            if number <= skip:
                continue
            if line is None:
                yield Read(number, spot, None, 0, f"An item is larger than {limits.ITEM_MAX_BYTES} bytes")
                continue
            try:
                yield parse_item(number, spot, line)
            except Broken as error:
                yield Read(number, spot, None, len(line), error.what)


@dataclass
class CsvItems:
    """Each row is an item and the first row names the attributes. An empty cell is a missing attribute.

    Typed, a cell that is a number, `true`, `false`, `null`, or JSON in brackets is that; all else, and every key, is text.
    """

    name: str
    entry: str
    size_bytes: int
    open: Chunks
    is_typed: bool = True

    def read(self, skip: int = 0) -> Iterator[Read]:
        csv.field_size_limit(limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
        text = io.TextIOWrapper(io.BufferedReader(_Chunked(self.open())), encoding="utf-8-sig", newline="")
        delimiter = "\t" if self.entry.lower().endswith(".tsv") else _guess_delimiter(text)
        lines = _Lines(text)
        rows = csv.reader(lines, delimiter=delimiter, strict=True)
        names: list[str] | None = None
        number = 0
        try:
            for row in rows:
                lines.begin_row()
                if not row:
                    continue
                if names is None:
                    names = _check_header(row)
                    continue
                number += 1
                if number <= skip:
                    continue
                spot, size = f"line {rows.line_num:,}", sum(map(len, row)) + len(row)
                if len(row) > len(names):
                    fault = f"The row has {len(row)} cells, and the first row {len(names)}"
                    yield Read(number, spot, None, size, fault)
                else:
                    yield Read(number, spot, self._item(names, row), size)
        except csv.Error as error:
            raise Broken(f"line {rows.line_num:,}", str(error)) from None
        except UnicodeDecodeError:
            raise Broken(f"line {rows.line_num + 1:,}", "it is not UTF-8") from None

    def _item(self, names: list[str], row: list[str]) -> dict[str, Any]:
        cells = zip(names, row, strict=False)
        return {name: cell if name == "key" else self._value(cell) for name, cell in cells if cell != ""}

    def _value(self, cell: str) -> Any:
        if not self.is_typed:
            return cell
        if cell in _WORDS:
            return _WORDS[cell]
        if len(cell) <= limits.NUMBER_MAX_DIGITS + 10 and _NUMBER.fullmatch(cell):
            return int(cell) if cell.lstrip("-").isdigit() else Decimal(cell)
        if cell[0] + cell[-1] in ("{}", "[]"):
            try:
                return exact_json.parse(cell.encode())
            except InvalidInput:
                return cell
        return cell


class _Lines:
    """The lines of a text, until one row of them is longer than an item may be: a row ends where its writer says so."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self.begin_row()

    def begin_row(self) -> None:
        """Count from here."""
        self._left = limits.ARCHIVE_ITEM_TEXT_MAX_BYTES

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"a row is longer than {limits.ARCHIVE_ITEM_TEXT_MAX_BYTES:,} characters")
        if not line:
            raise StopIteration
        return line


class _Chunked(io.RawIOBase):
    """Chunks as something to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        if not self._left:
            self._left = memoryview(next(self._chunks, b""))
        taken = min(len(target), len(self._left))
        target[:taken] = self._left[:taken]
        self._left = self._left[taken:]
        return taken


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is too long to be an item."""
    held, is_too_long, is_first = b"", False, True
    for chunk in chunks:
        *whole, rest = (held + chunk).split(b"\n")
        for line in whole:
            yield None if is_too_long else line.removeprefix(_BOM) if is_first else line
            is_too_long = is_first = False
        is_too_long = is_too_long or len(rest) > limits.ARCHIVE_ITEM_TEXT_MAX_BYTES
        held = b"" if is_too_long else rest
    if held or is_too_long:
        yield None if is_too_long else held.removeprefix(_BOM) if is_first else held


def _guess_delimiter(text: io.TextIOWrapper) -> str:
    """A semicolon, as spreadsheets write it in half of the world, when the first line has more of those than commas."""
    first = text.buffer.peek(65_536).split(b"\n", 1)[0]  # type: ignore[attr-defined]
    return ";" if first.count(b";") > first.count(b",") else "\t" if b"\t" in first and b"," not in first else ","


def _check_header(row: list[str]) -> list[str]:
    empty = [index for index, name in enumerate(row, start=1) if not name]
    if empty:
        raise Broken("line 1", f"column {empty[0]} has no name")
    twice = sorted(name for name, count in Counter(row).items() if count > 1)
    if twice:
        raise Broken("line 1", f"two columns are called “{twice[0]}”")
    return row
