"""Bodies of requests and answers: how much of them is kept, and how one that is not text is described.

One that was sent compressed is kept as what it was before (`content_encodings.py`), if that is text.

Nothing here waits, or changes a byte on its way. No more than the first 64 KB of a body outlives its request.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from console.recording.content_encodings import decode
from storage import limits
from storage.events.blocks import Body

MOST = limits.EVENT_BODY_MAX_BYTES
# A secret longer than the rest could be cut in half.
_KEPT = MOST + 8192
_CHUNK = 262_144
# Tab, line breaks and escape sequences are text that somebody may have meant; these others are not.
NOT_TEXT = bytes([*range(0x09), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F])
# As a number: looking for one byte as `bytes`, CPython first makes an exception for itself.
_DELETE = 0x7F
# The longest start of a character that a cut can leave behind.
_CUT_CHARACTER_BYTES = 3


class Sample:
    """A body of which chunks come by: its length, its first bytes, and its hash unless it is text."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._first = b""
        self._hash: Any = None

    def add(self, chunk: bytes) -> None:
        """Take note of the next chunk. Nearly every body is one, which is not looked at before it is kept."""
        if self.size_bytes == 0:
            self._first = chunk
        else:
            self._add_further(chunk)
        self.size_bytes += len(chunk)

    @property
    def whole(self) -> bytes | None:
        """The body, where it came in one chunk."""
        return self._first if self.size_bytes == len(self._first) and self._hash is None else None

    @property
    def taken(self) -> "bytes | Sample":
        """The body, where it came in one chunk, else this sample of it."""
        whole = self.whole
        return self if whole is None else whole

    def keep(self, content_type: str, *, etag: str = "", encoding: str = "") -> Body:
        """What is kept of it. `etag` describes one that is not text where it was not hashed here."""
        if self.whole is not None:
            return whole_body(self.whole, content_type, encoding=encoding)
        is_all = self.size_bytes == len(self._first)
        if found := _decoded_body(self._first, self.size_bytes, content_type, encoding, is_all=is_all):
            return found
        if self._hash is not None:
            digest = f"SHA-256 {self._hash.hexdigest()}"
            return Body(self.size_bytes, content_type, None, is_cut=True, digest=digest)
        text = text_of(self._first, is_cut=True)
        digest = f"ETag {etag}" if etag and text is None else ""
        return Body(self.size_bytes, content_type, text, is_cut=True, digest=digest)

    def _add_further(self, chunk: bytes) -> None:
        if self._hash is None and self.size_bytes == len(self._first) and text_of(self._first, is_cut=True) is None:
            self._hash = hashlib.sha256(self._first)
        if self._hash is not None:
            self._hash.update(chunk)
        if len(self._first) < _KEPT:
            self._first += chunk[: _KEPT - len(self._first)]


class UnhashedSample(Sample):
    """A long answer that is sent as it is read: its file's ETag describes it, and it is not hashed on the way."""

    def _add_further(self, chunk: bytes) -> None:
        if len(self._first) < _KEPT:
            self._first += chunk[: _KEPT - len(self._first)]


class UnreadBody(Sample):
    """A body that was refused before it came: only the length it announced is known."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__()
        self.size_bytes = size_bytes

    @property
    def whole(self) -> bytes | None:
        """It never came."""
        return None

    def keep(self, content_type: str, *, etag: str = "", encoding: str = "") -> Body:
        """Its length."""
        return Body(self.size_bytes, content_type, None, is_cut=True, digest="refused before it came, not kept")


class SampledInput(Sample):
    """A `wsgi.input`, and a sample of what is read from it."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def read(self, *size: int) -> bytes:
        chunk: bytes = self._stream.read(*size)
        if chunk:
            self.add(chunk)
        return chunk

    def read_rest(self) -> None:
        """Take note of what the application did not read."""
        while self.read(_CHUNK):
            pass

    def readline(self, *size: int) -> bytes:
        line: bytes = self._stream.readline(*size)
        self.add(line)
        return line

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")


def whole_body(body: bytes, content_type: str, *, is_our_json: bool = False, encoding: str = "") -> Body:
    """What is kept of a body that is here as a whole.

    A text that was cut is a little longer than what is kept in the end, so that no secret is cut in half before it is found.
    """
    size = len(body)
    if found := _decoded_body(body, size, content_type, encoding, is_all=True):
        return found
    is_cut = size > MOST
    text = text_of(body, is_cut=is_cut, is_our_json=is_our_json)
    if text is None:
        return Body(size, content_type, None, is_cut=True, digest=f"SHA-256 {hashlib.sha256(body).hexdigest()}")
    return Body(size, content_type, text, is_cut)


def _decoded_body(first: bytes, size: int, content_type: str, encoding: str, *, is_all: bool) -> Body | None:
    """What is kept of a compressed body of which these bytes are here; None where there is no text to be had."""
    decoded = decode(first, encoding, most=_KEPT) if encoding else None
    if decoded is None:
        return None
    is_cut = not (is_all and decoded.is_whole and len(decoded.data) <= MOST)
    text = text_of(decoded.data, is_cut=is_cut)
    return None if text is None else Body(size, content_type, text, is_cut, decoded_from=encoding)


def cut(text: str, *, margin: int) -> str:
    """The first 64 KB of a text of which more came, without its last characters, where half a secret may stand."""
    return text[:-margin].encode()[:MOST].decode(errors="ignore")


def text_of(first: bytes, *, is_cut: bool, is_our_json: bool = False) -> str | None:
    """The bytes as text, or None when they are none. A cut may have gone through the last character."""
    if is_cut:
        first = first[:_KEPT]
    # Of all control characters only DEL may stand in JSON that is well formed. Looking for one byte takes next to no time.
    may_be_none = not is_our_json or _DELETE in first
    # Leaving characters out is several times faster than looking for them.
    if may_be_none and len(first.translate(None, NOT_TEXT)) != len(first):
        return None
    try:
        return first.decode()
    except UnicodeDecodeError as error:
        if not is_cut or error.start < len(first) - _CUT_CHARACTER_BYTES or error.reason != "unexpected end of data":
            return None
        return first[: error.start].decode()
