"""Items from tables of cells (CSV, TSV and their like): a row each, below a row that names the columns.

An empty cell is a missing attribute. A row that breaks a rule is told with its line and left out; reading goes on behind it.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from storage import limits
from storage.archive.reading.columns import Column, Tally, Type, kind_of, value_of
from storage.archive.reading.delimiters import NAMES, Dialect, find_dialect
from storage.archive.reading.encodings import BROKEN_CHARACTER, Utf8
from storage.archive.reading.json_stream import Broken
from storage.archive.reading.parsed_items import Read
from storage.errors import InvalidInput
from storage.exact_json import parse

Chunks = Callable[[], Iterator[bytes]]

# The column of an export that has what later items have beside the named ones, as JSON.
OTHERS = "other attributes"
_PEEK_BYTES = 65_536
_EXPIRES = "__expires"
_UNSEEN = "\ufeff\u200b"
_SAMPLED_COLUMNS = 2_000  # of a wider table the rest is text


@dataclass
class CsvItems:
    """A table of any dialect. `columns` have their types once `survey` looked at all of it; `key` names the one of the keys."""

    name: str
    entry: str
    size_bytes: int
    open: Chunks
    columns: list[Column] = field(default_factory=list)
    key: str = "key"
    names: list[str] | None = None  # of the columns, where no row of the table names them

    @property
    def told(self) -> str:
        return f"{self._kind}, {NAMES[self._dialect.delimiter]}, {self._encoding}"

    def __post_init__(self) -> None:
        self._dialect, self._encoding = Dialect(","), "UTF-8"

    def survey(self, *, known: Mapping[str, Type], chosen: Mapping[str, Type], default: Type | None = None) -> None:
        """Look at every cell, and give each column its type.

        It is the one chosen, else that of the Base's items (`known`), else the default, else what the cells look like. Raises
        Broken when the first row does not name the columns.
        """
        names = self.names
        tallies = [Tally() for _ in names or []]
        unnamed: set[int] = set()
        rows = self._rows()
        head = _Row([], 1)
        if names is None:
            head = next(rows, head)
            names = _check_names(head)
            tallies = [Tally() for _ in names[:_SAMPLED_COLUMNS]]
        nameless = [index for index, name in enumerate(names or []) if not name]
        # Where it breaks off is told by `read`.
        with suppress(Broken):
            for row in rows:
                if row.fault or len(row.cells) > len(names or []):
                    continue
                for tally, cell in zip(tallies, row.cells, strict=False):
                    if cell:
                        tally.add(cell, has_comma=self._dialect.has_comma)
                unnamed.update(index for index in nameless if _cell(row.cells, index))
        if unnamed:
            raise Broken(head.spot, f"column {min(unnamed) + 1} has no name")
        self.columns = [
            tally.as_column(
                name,
                known=known.get(name),
                chosen=chosen.get(name) or (None if name in known else _default(name, default)),
            )
            for name, tally in zip(names or [], tallies, strict=False)
            if name
        ]

    def first_row(self) -> list[str]:
        """Its cells, without the spaces around them. Raises Broken."""
        return [_strip_name(cell) for cell in next(self._rows(), _Row([], 0)).cells]

    def looks_like_text(self, cell: str) -> bool:
        return kind_of(cell, has_comma=self._dialect.has_comma) == "text"

    def read(self, skip: int = 0) -> Iterator[Read]:
        """The items after the first `skip`. Raises Broken where the rest cannot be read."""
        by_name = {column.name: column for column in self.columns}
        names, number = self.names, 0
        columns = [by_name.get(name) for name in names or []]
        for row in self._rows():
            if names is None:
                names = _check_names(row)
                columns = [by_name.get(name) or (Column(name, "text") if name else None) for name in names]
                continue
            number += 1
            if number <= skip:
                continue
            size = sum(map(len, row.cells)) + len(row.cells)
            fault = row.fault
            if not fault and len(row.cells) > len(names):
                fault = f"The row has {len(row.cells)} cells, and the first row {len(names)}"
            try:
                value = None if fault else self._item(columns, row.cells)
            except InvalidInput as error:
                value, fault = None, error.messages[0]
            yield Read(number, row.spot, value, size, fault, self._key_of(names, row.cells), row.line)

    def _item(self, columns: Sequence[Column | None], cells: Sequence[str]) -> dict[str, Any]:
        item: dict[str, Any] = {}
        key = ""
        for column, cell in zip(columns, cells, strict=False):
            if not cell or column is None:
                continue
            if column.name == self.key:
                key = cell
            if column.name == OTHERS:
                item |= _others(cell)
            elif column.name != "key" and (column.type == "text" or cell.strip()):
                item[column.name] = value_of(cell, column, has_comma=self._dialect.has_comma)
        if not key.strip() and self.key != "key":
            raise InvalidInput(f"“{self.key}” is empty, so it cannot be the key")
        return {"key": key, **item} if key.strip() else item

    def _key_of(self, names: Sequence[str], cells: Sequence[str]) -> str:
        return _cell(cells, names.index(self.key)) if self.key in names else ""

    @property
    def _kind(self) -> str:
        return "TSV" if self._dialect.delimiter == "\t" else "CSV"

    def _rows(self) -> Iterator["_Row"]:
        """The rows that hold something, the one with the names first. Raises Broken where the rest cannot be read."""
        csv.field_size_limit(limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
        recoded = Utf8(self.open())
        chunks = iter(recoded)
        beginning = b""
        while len(beginning) < _PEEK_BYTES and (chunk := next(chunks, b"")):
            beginning += chunk
        is_whole = len(beginning) < _PEEK_BYTES
        self._dialect = find_dialect(beginning[:_PEEK_BYTES].decode("utf-8", "replace"), is_whole=is_whole)
        self._encoding = recoded.encoding
        raw = io.BufferedReader(_Chunked(chain([beginning], chunks)), _PEEK_BYTES)
        lines = _Lines(io.TextIOWrapper(raw, encoding="utf-8", errors="surrogateescape", newline=""))
        for _ in range(self._dialect.lines_before):
            next(lines, None)
        rows = csv.reader(
            lines, delimiter=self._dialect.delimiter, skipinitialspace=self._dialect.skips_spaces, strict=True
        )
        is_head = self.names is None
        while True:
            lines.begin_row()
            try:
                cells = next(rows, None)
            except csv.Error as error:
                if "expected after" not in str(error):
                    raise Broken(f"line {lines.first:,}", _explain(error)) from None
                yield _Row([], lines.first, "A quotation mark ends in the middle of a cell")
                continue
            self._encoding = recoded.encoding
            if cells is None:
                return
            if self._dialect.has_spaces_before:
                cells = [cell.rstrip(" ") for cell in cells]
            if any(cell and not cell.isspace() for cell in cells):
                while not is_head and not cells[-1]:
                    cells.pop()
                is_head = False
                yield _Row(cells, lines.first, lines.fault)


@dataclass(slots=True)
class _Row:
    """The cells of a row, the line where it begins, and what is wrong with it."""

    cells: list[str]
    line: int
    fault: str = ""

    @property
    def spot(self) -> str:
        return f"line {self.line:,}"


class _Lines:
    """The lines of a text, until one row of them is longer than an item may be: a row ends where its writer says so."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._number = 0
        self.begin_row()

    def begin_row(self) -> None:
        """Count from here. `first` is the number of the row's first line, `fault` says where a byte of it is no character."""
        self._left = limits.ARCHIVE_ITEM_TEXT_MAX_BYTES
        self.first = self._number + 1
        self.fault = ""

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._text.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise csv.Error(f"a row is longer than {limits.ARCHIVE_ITEM_TEXT_MAX_BYTES:,} characters")
        if not line:
            raise StopIteration
        self._number += 1
        if not line.isascii() and not self.fault and (broken := BROKEN_CHARACTER.search(line)):
            byte = ord(broken[0]) - 0xDC00
            self.fault = f"The byte 0x{byte:02X} is no character (line {self._number:,}, column {broken.start() + 1:,})"
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
            # An empty chunk would be the end.
            self._left = memoryview(next(filter(None, self._chunks), b""))
        taken = min(len(target), len(self._left))
        target[:taken] = self._left[:taken]
        self._left = self._left[taken:]
        return taken


def _check_names(row: _Row) -> list[str]:
    """The names of the columns, without the spaces around them; a column without one is "".

    Raises Broken where there is none, for a name twice, and for one that no attribute can have.
    """
    if row.fault:
        raise Broken(row.spot, row.fault)
    names = [_strip_name(name) for name in row.cells]
    if not any(names):
        raise Broken(row.spot, "there is nothing here, where the columns should be named")
    if odd := [index for index, name in enumerate(names, start=1) if "\x00" in name]:
        raise Broken(row.spot, f"the name of column {odd[0]} holds the character \\u0000, which cannot be stored")
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        places = [str(index) for index, name in enumerate(names, start=1) if name == twice[0]]
        raise Broken(row.spot, f"two columns are called “{twice[0]}”: {', '.join(places[:10])}")
    return names


def _strip_name(name: str) -> str:
    """A column's name without what nobody sees around it: spaces, and marks of byte order where files were put together."""
    return name.strip().strip(_UNSEEN).strip()


def _default(name: str, default: Type | None) -> Type | None:
    """A moment among others that is no number spoils no other: each row has its own."""
    return "number" if name == _EXPIRES else default


def _cell(cells: Sequence[str], index: int) -> str:
    return cells[index].strip() if index < len(cells) else ""


def _others(cell: str) -> dict[str, Any]:
    value = parse(cell.encode("utf-8", "replace"))
    if not isinstance(value, dict):
        raise InvalidInput(f"“{OTHERS}” is not a JSON object")
    return value


def _explain(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return "a quotation mark that opens in this row is never closed: what follows cannot be told apart"
    return str(error)
