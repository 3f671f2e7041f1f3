"""Whatever encoding a spreadsheet wrote a text in, as UTF-8. Pure.

A byte order mark says it; without one, what is no UTF-8 from its first character beyond ASCII on is Windows-1252. A byte that is
neither stays the byte it is, so that the row it stands in can be named and left out.
"""

import codecs
import re
from collections.abc import Iterator

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8", "UTF-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le", "UTF-32"),
    (b"\x00\x00\xfe\xff", "utf-32-be", "UTF-32"),
    (b"\xff\xfe", "utf-16-le", "UTF-16"),
    (b"\xfe\xff", "utf-16-be", "UTF-16"),
)
_LOOKED_AT_BYTES = 4_096
# No zero, as one may stand in any text.
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1f]")
# What `surrogateescape` makes of a byte that it cannot read.
BROKEN_CHARACTER = re.compile(r"[\udc80-\udcff]")


class Utf8:
    """Chunks of bytes as UTF-8, without a mark at their beginning. `encoding` is what they were in, as far as they were read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.encoding = "UTF-8"

    def __iter__(self) -> Iterator[bytes]:
        first = b""
        for chunk in self._chunks:
            first += chunk
            if len(first) >= 4:
                break
        mark, codec, name = next((each for each in _MARKS if first.startswith(each[0])), (b"", "", ""))
        if not mark:
            codec, name = _without_mark(first)
        rest = self._all_of(first[len(mark) :])
        if codec and codec != "utf-8":
            self.encoding = name
            yield from _recode(rest, codec)
            return
        for chunk in rest:
            if codec or chunk.isascii():
                yield chunk
            elif _is_utf_8(chunk := chunk + _whole_end(chunk, rest)):
                codec = "utf-8"
                yield chunk
            else:
                self.encoding = "Windows-1252"
                yield _to_utf_8(chunk.decode("cp1252", "surrogateescape"))
                yield from _recode(rest, "cp1252")
                return

    def _all_of(self, first: bytes) -> Iterator[bytes]:
        if first:
            yield first
        yield from self._chunks


def _without_mark(first: bytes) -> tuple[str, str]:
    """UTF-16 of mostly Latin letters has a zero in every second byte; of other letters, only beside its commas and line ends.

    With so few, it is none where it could be UTF-8 with a zero here and there.
    """
    looked_at = first[:_LOOKED_AT_BYTES]
    for odd, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        zeros, others = looked_at[odd::2].count(0), looked_at[1 - odd :: 2].count(0)
        if not others and (zeros > len(looked_at) // 4 or (zeros > 1 and _is_only_utf_16(looked_at, codec))):
            return codec, "UTF-16"
    return "", ""


def _is_only_utf_16(text: bytes, codec: str) -> bool:
    try:
        decoded = codecs.getincrementaldecoder(codec)().decode(text)
    except UnicodeDecodeError:
        return False
    if "\n" not in decoded and "\r" not in decoded:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        return True
    return _CONTROL.search(text) is not None


def _whole_end(chunk: bytes, rest: Iterator[bytes]) -> bytes:
    """What belongs to the chunk where its end may cut a character in two: the next one, if there is any."""
    return b"" if chunk[-1:].isascii() else next(rest, b"")


def _is_utf_8(chunk: bytes) -> bool:
    """Whether a text with characters beyond ASCII is UTF-8, be it with a broken byte here and there."""
    text = chunk.decode("utf-8", "surrogateescape")
    broken = len(BROKEN_CHARACTER.findall(text))
    return not broken or len(text) - sum(map(str.isascii, text)) >= 2 * broken


def _recode(chunks: Iterator[bytes], codec: str) -> Iterator[bytes]:
    errors = "surrogateescape" if codec == "cp1252" else "surrogatepass"
    decoder = codecs.getincrementaldecoder(codec)(errors)
    for chunk in chunks:
        yield _to_utf_8(decoder.decode(chunk))
    if decoder.getstate()[0]:
        yield b"\xff"  # half a character


def _to_utf_8(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
