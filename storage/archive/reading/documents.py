"""Items from JSON: in a list, one after another, an item to a line, or in what another program put around them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storage import limits
from storage.archive.reading import shapes
from storage.archive.reading.encodings import Utf8
from storage.archive.reading.json_stream import Broken, find_items
from storage.archive.reading.key_candidates import Candidates
from storage.archive.reading.parsed_items import Read, parse_item, parse_value
from storage.archive.reading.shapes import Shape
from storage.exact_json import is_number
from storage.names import is_text

Chunks = Callable[[], Iterator[bytes]]


@dataclass
class JsonItems:
    """Items in JSON of the given shape. `key` names the attribute whose value is an item's key.

    `candidates`, if given, gets each item that is read, as it is before it has that key.
    """

    name: str
    entry: str
    size_bytes: int
    open: Chunks
    shape: Shape
    key: str = "key"
    collection: str = ""  # of a tree
    candidates: Candidates | None = None

    @property
    def told(self) -> str:
        return f"JSON, {self.shape.told}"

    def read(self, skip: int = 0) -> Iterator[Read]:
        """The items after the first `skip`. Raises Broken where the rest cannot be read."""
        chunks = iter(Utf8(self.open()))
        if self.shape.is_map:
            found = self._read_map(chunks, skip)
        elif self.shape.is_lines:
            found = _read_lines(chunks, skip)
        else:
            found = _read_values(chunks, self.shape, skip)
        for read in found:
            yield read if read.value is None else self._as_item(read, read.value)

    def _read_map(self, chunks: Iterator[bytes], skip: int) -> Iterator[Read]:
        number = 0
        for name, key, value in shapes.walk_map(chunks):
            if name != self.collection:
                continue
            number += 1
            if number > skip:
                read = parse_value(number, value)
                own = {} if key is None else {"key": key}
                if key is not None and not is_text(key):
                    read = read._replace(value=None, fault="Its key holds NUL, or half of a character")
                yield read if read.value is None else read._replace(value={**own, **read.value})

    def _as_item(self, read: Read, value: Mapping[str, Any]) -> Read:
        try:
            item = self.shape.convert(value) if self.shape.convert else dict(value)
        except ValueError as error:
            return read._replace(value=None, fault=str(error))
        if self.candidates is not None:
            self.candidates.add(item)
        if self.key == "key":
            return read._replace(value=item)
        key = item.get(self.key)
        if is_number(key):
            key = str(key)
        if not isinstance(key, str) or not key:
            return read._replace(value=None, fault=f"“{self.key}” is missing or empty, so it cannot be the key")
        return read._replace(value={**item, "key": key})


def list_collections(chunks: Iterator[bytes]) -> list[str]:
    """The names in a text of which each collection is a Base. Raises Broken."""
    return list(dict.fromkeys(name for name, _, _ in shapes.walk_map(iter(Utf8(chunks)))))


def _read_values(chunks: Iterator[bytes], shape: Shape, skip: int) -> Iterator[Read]:
    most = limits.ARCHIVE_ITEM_TEXT_MAX_BYTES
    found = find_items(chunks, text_max_bytes=most, path=shape.path, in_pages=shape.in_pages)
    for number, value in enumerate(found, start=1):
        if number > skip:
            yield parse_value(number, value)


def _read_lines(chunks: Iterator[bytes], skip: int) -> Iterator[Read]:
    """Empty lines are skipped; reading continues after a line that is not JSON."""
    number = 0
    for line_number, line in enumerate(_lines(chunks), start=1):
        spot = f"line {line_number:,}"
        if line is not None and not line.strip():
            continue
        number += 1
        if number <= skip:
            continue
        if line is None:
            fault = f"An item is larger than {limits.ITEM_MAX_BYTES} bytes"
            yield Read(number, spot, None, 0, fault, line=line_number)
            continue
        try:
            yield parse_item(number, spot, line)._replace(line=line_number)
        except Broken as error:
            yield Read(number, spot, None, len(line), error.what, line=line_number)


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is too long to be an item."""
    held, is_too_long = b"", False
    for chunk in chunks:
        *whole, rest = (held + chunk).split(b"\n")
        for line in whole:
            yield None if is_too_long else line
            is_too_long = False
        is_too_long = is_too_long or len(rest) > limits.ARCHIVE_ITEM_TEXT_MAX_BYTES
        held = b"" if is_too_long else rest
    if held or is_too_long:
        yield None if is_too_long else held
