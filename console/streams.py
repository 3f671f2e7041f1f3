"""The bytes of a request of known length, as they arrive: what the public API and the console's pages have in common."""

from collections.abc import Iterator
from typing import Any

from storage.errors import InvalidInput

_CHUNK_BYTES = 262_144


def read_chunks(stream: Any, length: int) -> Iterator[bytes]:
    """Exactly `length` bytes of a WSGI input, never more than one chunk of them in memory.

    Raises InvalidInput when they end too soon, as they do when the connection broke.
    """
    left = length
    while left > 0:
        chunk: bytes = stream.read(min(left, _CHUNK_BYTES))
        if not chunk:
            raise InvalidInput(f"The body ended after {length - left} of the {length} bytes announced")
        left -= len(chunk)
        yield chunk


class CountedInput:
    """A WSGI input that knows how much of a body of `length` bytes has been read, so that the rest can be."""

    def __init__(self, stream: Any, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int) -> bytes:
        chunk: bytes = self._stream.read(size)
        self._left -= len(chunk)
        return chunk

    def drain(self, most: int) -> None:
        """Take in what nobody wanted, within reason: a browser that is still sending does not read the answer."""
        left = min(self._left, most)
        while left > 0 and (chunk := self._stream.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
