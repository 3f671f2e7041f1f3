"""Finds the items in JSON of any length, one at a time, and reports the byte of an error. Pure.

A streaming parser would give values, but none was found that names the byte of an error, keeps every digit and refuses half a
surrogate pair. So this only finds where each item ends, by its brackets and quotation marks; what is between is parsed by
`exact_json.py` like any other item.
"""

import json
import re
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

_SPACE = re.compile(rb"[ \t\r\n]*")
# A string without escapes is passed over in one step; a lone quotation mark begins any other.
_MARK = re.compile(rb'"[^"\\]*"|["{}\[\]]')
_IN_STRING = re.compile(rb'["\\]')
_END_OF_WORD = re.compile(rb"[ \t\r\n,\]}]")
_BOM = b"\xef\xbb\xbf"


class Broken(Exception):
    """The text is not JSON from `spot` on ("byte 120", "line 7"); everything before it is valid."""

    def __init__(self, spot: str, what: str) -> None:
        super().__init__(what)
        self.spot, self.what = spot, what


class Value(NamedTuple):
    """A value's text, and the byte and line it begins at; no text when it is too long."""

    at: int
    text: bytes | None
    line: int = 1


def find_items(
    chunks: Iterable[bytes], *, text_max_bytes: int, path: Sequence[str] = ("items",), in_pages: bool = False
) -> Iterator[Value]:
    """The members of each array that stands at the top, or of the array under the `path` in each object there. Raises Broken.

    Without a `path` each such object is an item itself. `in_pages`: an array at the top holds such objects, or further arrays.
    """
    scanner = Scanner(chunks, text_max_bytes)
    scanner.skip_bom()
    is_first = True
    while (first := scanner.peek()) or is_first:
        if first == b"[" and in_pages:
            for _ in scanner.elements():
                yield from _find_on_page(scanner, path)
        elif first == b"[":
            yield from scanner.members()
        elif first == b"{" and path:
            yield from _find_on_page(scanner, path)
        elif first == b"{":
            yield scanner.value()
        elif first == b"," and not is_first:
            # Between objects as people copy them out of a list.
            scanner.expect(b",")
        elif is_first:
            raise scanner.broken(
                f"an array of items, or an object with one under “{'.'.join(path) or 'items'}”, should begin here"
            )
        else:
            raise scanner.broken("there is more text after the end")
        is_first = False


def _find_within(scanner: "Scanner", path: Sequence[str]) -> Generator[Value, None, bool]:
    """The members of the array under the path in the object that begins here; whether there is one, or null in its place."""
    is_there = False
    for name in scanner.names():
        first = scanner.peek()
        if name == path[0] and len(path) > 1 and first == b"{":
            is_there = (yield from _find_within(scanner, path[1:])) or is_there
        elif name == path[0] and len(path) == 1 and first == b"[":
            yield from scanner.members()
            is_there = True
        else:
            value = scanner.value()
            is_there = is_there or (name == path[0] and value.text == b"null")
    return is_there


def _find_on_page(scanner: "Scanner", path: Sequence[str]) -> Iterator[Value]:
    first = scanner.peek()
    if first == b"{" and path:
        lacking = scanner.broken(f"the object has no array under “{'.'.join(path)}”")
        is_there = yield from _find_within(scanner, path)
        if not is_there:
            raise lacking
    elif first == b"[":
        yield from scanner.members()
    else:
        yield scanner.value()


class Scanner:
    """A position in a text that arrives in chunks. Only the current value is kept in memory."""

    def __init__(self, chunks: Iterable[bytes], text_max_bytes: int) -> None:
        self._chunks = iter(chunks)
        self._most = text_max_bytes
        self._buffer, self._at = b"", 0
        self._offset = 0  # of the buffer's first byte
        self._line, self._counted = 1, 0  # the line at that index of the buffer

    def broken(self, what: str) -> Broken:
        return Broken(f"byte {self._offset + self._at:,}", what)

    def skip_bom(self) -> None:
        while len(self._buffer) < len(_BOM) and self._more():
            pass
        if self._buffer.startswith(_BOM):
            self._at = len(_BOM)

    def peek(self) -> bytes:
        """The next character that is not a space; empty at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at : self._at + 1]
            # However much space there is, none of it is kept.
            self._cut(self._at)
            self._at = 0
            if not self._more():
                return b""

    def expect(self, *wanted: bytes) -> bytes:
        found = self.peek()
        if not found or found not in wanted:
            names = " or ".join(f"“{each.decode()}”" for each in dict.fromkeys(wanted))
            raise self.broken(f"{names} should stand here" + ("" if found else ", but the text ends"))
        self._at += 1
        return found

    def members(self) -> Iterator[Value]:
        """The members of an array that begins here."""
        return (self.value() for _ in self.elements())

    def elements(self) -> Iterator[None]:
        """The places in an array that begins here. At each stands a value, which has to be taken before the next one."""
        self.expect(b"[")
        while self.peek() != b"]":
            yield
            # A comma may stand behind the last one: nothing is lost by it.
            if self.expect(b",", b"]") == b"]":
                return
        self.expect(b"]")

    def names(self) -> Iterator[str]:
        """The names of an object that begins here. Behind each stands its value, which has to be taken before the next one."""
        self.expect(b"{")
        while self.peek() != b"}":
            name = self.value()
            self.expect(b":")
            yield _text_of(name)
            if self.peek() != b",":
                break
            self.expect(b",")
        self.expect(b"}")

    def value(self) -> Value:
        """The value that begins here."""
        first = self.peek()
        if first in (b"", b",", b":", b"}", b"]"):
            raise self.broken("a value should stand here" + ("" if first else ", but the text ends"))
        self._more_from_here()
        start, line = self._offset + self._at, self._count_lines(self._at)
        end = self._end_of_container() if first in (b'"', b"{", b"[") else self._end_of_word()
        kept_from = start - self._offset
        text = self._buffer[kept_from:end] if kept_from >= 0 and end - kept_from <= self._most else None
        self._at = end
        return Value(start, text, line)

    def _end_of_container(self) -> int:
        """The index after a string, object or array that begins here."""
        depth, at, start = 0, self._at, self._offset + self._at
        while True:
            match = _MARK.search(self._buffer, at)
            if match is None:
                at = self._grow(len(self._buffer), start)
                continue
            mark, at = match[0], match.end()
            if mark == b'"':
                at = self._end_of_string(at, start)
            elif mark in (b"{", b"["):
                depth += 1
            elif mark in (b"}", b"]"):
                depth -= 1
            if depth <= 0:
                return at

    def _end_of_string(self, at: int, start: int) -> int:
        while True:
            match = _IN_STRING.search(self._buffer, at)
            if match is None:
                at = self._grow(len(self._buffer), start)
            elif match[0] == b'"':
                return match.end()
            else:
                at = match.end() + 1
                if at > len(self._buffer):  # what is escaped is in the next chunk
                    at = self._grow(at - 1, start) + 1

    def _end_of_word(self) -> int:
        start = self._offset + self._at
        at = self._at
        while (match := _END_OF_WORD.search(self._buffer, at)) is None:
            before = self._offset + len(self._buffer)
            try:
                at = self._grow(len(self._buffer), start)
            except Broken:
                return before - self._offset
        return match.start()

    def _grow(self, at: int, start: int) -> int:
        """Take in another chunk; the index of the same place. Of a value that is too long, what is read is dropped."""
        if self._offset + at - start > self._most:
            self._cut(at)
            at = 0
        if not self._more():
            self._at = len(self._buffer)
            raise self.broken("the text ends in the middle of a value")
        return at

    def _more_from_here(self) -> None:
        """Drop the text before this position."""
        if self._at > 65_536:
            self._cut(self._at)
            self._at = 0

    def _cut(self, at: int) -> None:
        """Drop the text before an index of the buffer."""
        self._count_lines(at)
        self._buffer, self._offset, self._counted = self._buffer[at:], self._offset + at, 0

    def _count_lines(self, at: int) -> int:
        """The line of an index of the buffer; none before it is asked for again."""
        if at > self._counted:
            self._line += self._buffer.count(b"\n", self._counted, at)
            self._counted = at
        return self._line

    def _more(self) -> bool:
        chunk = next(self._chunks, b"")
        self._buffer += chunk
        return bool(chunk)


def _text_of(name: Value) -> str:
    """The text of a name; "" for one that is none."""
    try:
        text = json.loads(name.text or b"")
    except ValueError:
        return ""
    return text if isinstance(text, str) else ""
