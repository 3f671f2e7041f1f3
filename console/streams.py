"""The one way in which the body of a request comes in: whole or not at all, for the public API and the pages alike.

The web server passes on a chunked body without its length, and a body that was cut short when the connection broke. Both
are detected here. Nothing else reads `wsgi.input`, except Django for the forms of pages.
"""

from collections.abc import Iterator
from typing import Any

from console.error_status import EncodedBody
from storage import limits
from storage.errors import BodyTooLarge, InvalidInput
from storage.numbers import read_number

_CHUNK_BYTES = 262_144
_DRAIN_MAX_BYTES = 4 * limits.BODY_MAX_BYTES
_IN_ENVIRON = "homeport.body"


class Body:
    """A body on its way in, read once. `length` is what it announces, None when it comes in chunks; then `received` is known."""

    def __init__(self, environ: dict[str, Any]) -> None:
        """Raises InvalidInput when the Content-Length is no number."""
        self._stream = environ["wsgi.input"]
        self.length = None if is_chunked(environ) else announced_length(environ)
        self._left = self.length
        self.received = 0

    def read(self, *, most_bytes: int) -> bytes:
        """All of it. Raises BodyTooLarge, and InvalidInput when it was cut."""
        if self.length is None:
            body = self._read_chunked()
        elif self.length > most_bytes:
            raise BodyTooLarge(_too_large(self.length, most_bytes))
        else:
            body = self._stream.read(self.length) if self.length else b""
            self._left = self.length - len(body)
            if self._left:
                raise self._cut()
        if len(body) > most_bytes:
            raise BodyTooLarge(_too_large(len(body), most_bytes))
        return body

    def _read_chunked(self) -> bytes:
        """A body that came in chunks.

        It is read in one go, because only that tells a whole body from one that was cut: then this server's `read()`
        returns nothing, while reading by size returns the part that arrived as if it were all.
        """
        body: bytes = self._stream.read()
        self._left = 0
        self.received = len(body)
        if not body:
            raise InvalidInput("The chunked body is empty or was cut")
        return body

    def chunks(self) -> Iterator[bytes]:
        """All of a body of known length, never more than one chunk of it in memory. Raises InvalidInput when it was cut."""
        while self._left:
            chunk: bytes = self._stream.read(min(self._left, _CHUNK_BYTES))
            if not chunk:
                raise self._cut()
            self._left -= len(chunk)
            yield chunk

    def drain(self) -> None:
        """Read and drop the rest, up to a limit: a client that is still sending does not read the answer."""
        most = _DRAIN_MAX_BYTES if self._left is None else min(self._left, _DRAIN_MAX_BYTES)
        while most > 0 and (chunk := self._stream.read(min(most, _CHUNK_BYTES))):
            most -= len(chunk)

    def _cut(self) -> InvalidInput:
        got = (self.length or 0) - (self._left or 0)
        return InvalidInput(f"The body ended after {got} of the {self.length} bytes announced")


class FileBody:
    """A body as the content of a file or part, for storage to take in.

    `content_type` is None when none is given. `size_bytes` is known once it is open.
    """

    def __init__(self, environ: dict[str, Any], *, content_type: str | None = None) -> None:
        """Raises EncodedBody, and InvalidInput when the Content-Length is no number."""
        refuse_encoded(environ)
        self.content_type = content_type
        self.size_bytes = 0
        self._body = body_of(environ)

    def check_size(self) -> None:
        """Raises BodyTooLarge when it announces more than a request may carry."""
        if self._body.length is not None and self._body.length > limits.FILE_BODY_MAX_BYTES:
            raise BodyTooLarge()

    def open(self) -> tuple[int, Iterator[bytes]]:
        """Its length in bytes, and the bytes in chunks. Raises BodyTooLarge; it or the chunks InvalidInput when it was cut."""
        self.check_size()
        if self._body.length is not None:
            self.size_bytes = self._body.length
            return self.size_bytes, self._body.chunks()
        body = self._body.read(most_bytes=limits.FILE_BODY_MAX_BYTES)
        self.size_bytes = len(body)
        return self.size_bytes, iter([body])


def body_of(environ: dict[str, Any]) -> Body:
    """The request's body, the same one each time. Raises InvalidInput when the Content-Length is no number."""
    body: Body | None = environ.get(_IN_ENVIRON)
    if body is None:
        body = environ[_IN_ENVIRON] = Body(environ)
    return body


def drain(environ: dict[str, Any]) -> None:
    """Read and drop the rest of a request's body, whether or not reading has begun."""
    if not (environ.get("CONTENT_LENGTH") or is_chunked(environ)):
        return
    try:
        body_of(environ).drain()
    except InvalidInput:
        return  # without a valid length the end of the body is unknown


def refuse_encoded(environ: dict[str, Any]) -> None:
    """Raises EncodedBody for a body that would have to be decoded first."""
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise EncodedBody()


def is_chunked(environ: dict[str, Any]) -> bool:
    """Whether the body comes without its length."""
    return "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()


def transferred(environ: dict[str, Any]) -> int:
    """The bytes of the request's body: as it announces them, or as they came in chunks and were read."""
    body: Body | None = environ.get(_IN_ENVIRON)
    if is_chunked(environ):
        return body.received if body is not None else 0
    return read_number(environ.get("CONTENT_LENGTH") or "0") or 0


def announced_length(environ: dict[str, Any]) -> int:
    """The Content-Length, 0 without one. Raises InvalidInput when it is no number."""
    length = read_number(environ.get("CONTENT_LENGTH") or "0")
    if length is None:
        raise InvalidInput("The Content-Length is not a number")
    return length


def _too_large(size_bytes: int, most_bytes: int) -> str:
    return f"The body has {size_bytes:,} bytes; at most {most_bytes:,} are accepted"
