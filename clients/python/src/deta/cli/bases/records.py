"""Items out of a stream: JSON lines, a JSON list, or CSV, one after the other and never all in memory. Pure.

CSV is what an export writes: a text stands as it is, any other value as its JSON, and an empty field is a missing attribute.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Literal, Optional

from deta.cli import exact_json
from deta.cli.exact_json import BadJson

Format = Literal["jsonl", "json", "csv"]
OTHERS = "other attributes"
# An item has 400 KB at most; spaces and escapes may make more of that.
_LONGEST_CHARACTERS = 16 * 1024 * 1024
_CHUNK_CHARACTERS = 256 * 1024
_BLANKS = " \t\r\n"


class BadRecord(Exception):
    """Something in the stream is not an item; the message says what and where."""


@dataclass(frozen=True)
class Record:
    """An item, its place among all from 1, and where it stands, as a person would say it."""

    number: int
    place: str
    item: dict[str, Any]


def read(stream: IO[bytes], kind: Optional[Format]) -> Iterator[Record]:
    """The items of a stream: CSV, else JSON in lines or in a list, which its first character tells. Raises BadRecord."""
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        yield from _read_csv(text) if kind == "csv" else _read_json(text)
    except UnicodeDecodeError:
        raise BadRecord("This is not UTF-8 text") from None
    finally:
        # The stream is the caller's to close.
        text.detach()


def _read_json(text: io.TextIOWrapper) -> Iterator[Record]:
    """Objects, one after the other: in a list, with commas between them, or each on lines of its own."""
    window = _Window(text)
    is_list = window.next_character() == "["
    if is_list:
        window.skip(1)
    number = 0
    while True:
        character = window.next_character()
        if number and is_list and character == ",":
            window.skip(1)
            character = window.next_character()
        elif number and is_list and character not in "]":
            raise BadRecord(f"A comma or `]` is missing at line {window.line}, behind item {number:,}")
        if is_list and character == "]":
            window.skip(1)
            if window.next_character():
                raise BadRecord(f"Something follows the end of the list, at line {window.line}")
            return
        if not character:
            if is_list:
                raise BadRecord(f"The list has no end: `]` is missing behind item {number:,}")
            return
        number += 1
        place = f"item {number:,}, line {window.line:,}"
        if character != "{":
            raise BadRecord(f"This is not a JSON object ({place})")
        yield Record(number, place, window.take_object(place))


class _Window:
    """The part of a text that is looked at: what was taken is dropped, and more is read when it is needed."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.line = 1
        self._text = text
        self._held = ""
        self._at = 0

    def next_character(self) -> str:
        """The next one that is no space, without taking it; empty at the end."""
        while True:
            rest = self._at
            while rest < len(self._held) and self._held[rest] in _BLANKS:
                rest += 1
            self._move(rest)
            if rest < len(self._held):
                return self._held[rest]
            if not self._more():
                return ""

    def skip(self, characters: int) -> None:
        self._move(self._at + characters)

    def take_object(self, place: str) -> dict[str, Any]:
        """Raises BadRecord."""
        while True:
            try:
                value, end = exact_json.decoder.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                # A whole item may still be behind what was read so far, and then the error is at its end.
                if len(self._held) - self._at < _LONGEST_CHARACTERS and self._may_go_on(error) and self._more():
                    continue
                raise BadRecord(f"{error.msg} ({place}, at its line {self._line_in(error)})") from None
            except BadJson as error:
                raise BadRecord(f"{error.reason} ({place})") from None
            except RecursionError:
                raise BadRecord(f"It is nested too deeply ({place})") from None
            self._move(end)
            return dict(value)

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Whether more text could mend it: a text that has no end yet, or an error where the text that is here ends."""
        return error.msg.startswith("Unterminated") or error.pos >= len(self._held) - 12

    def _line_in(self, error: json.JSONDecodeError) -> int:
        return self._held.count("\n", self._at, error.pos) + 1

    def _move(self, to: int) -> None:
        self.line += self._held.count("\n", self._at, to)
        self._at = to

    def _more(self) -> bool:
        # As much as is held already: an item that is longer than a chunk is tried a few times only.
        chunk = self._text.read(max(_CHUNK_CHARACTERS, len(self._held) - self._at))
        if chunk:
            self._held, self._at = self._held[self._at :] + chunk, 0
        return bool(chunk)


def _read_csv(text: io.TextIOWrapper) -> Iterator[Record]:
    csv.field_size_limit(_LONGEST_CHARACTERS)
    rows = csv.reader(text, strict=True)
    try:
        names = next(rows, None)
        if not names:
            return
        if len(set(names)) < len(names) or "" in names:
            raise BadRecord("The first line names the attributes, each once: one is empty or there twice")
        for number, row in enumerate(rows, 1):
            if row:
                place = f"item {number:,}, line {rows.line_num:,}"
                if len(row) > len(names):
                    raise BadRecord(f"There are more fields than names in the first line ({place})")
                yield Record(number, place, _item_of(dict(zip(names, row)), place))
    except csv.Error as error:
        raise BadRecord(f"This is not CSV: {error}, at line {rows.line_num:,}") from None


def _item_of(fields: dict[str, str], place: str) -> dict[str, Any]:
    item = {name: text if name == "key" else _value_of(text) for name, text in fields.items() if text}
    others = item.pop(OTHERS, None)
    if isinstance(others, dict):
        return {**item, **others}
    if others is not None:
        raise BadRecord(f"`{OTHERS}` is not a JSON object ({place})")
    return item


def _value_of(text: str) -> Any:
    """What an export meant by a field: JSON where it is that, and no text in quotation marks; else the text itself."""
    if text[0] not in '-0123456789[{tfn"':
        return text
    try:
        return exact_json.parse(text)
    except BadJson:
        return text


def csv_field(value: Any) -> str:
    """What `_value_of` reads back: a text that would be taken for something else stands in quotation marks, as JSON."""
    is_plain = type(value) is str and value and type(_value_of(value)) is str and _value_of(value) == value
    return value if is_plain else exact_json.dump(value)
