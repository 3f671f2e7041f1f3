"""How the application reads the body of a request, for the public API and the pages alike.

The server hands over bodies that are here as a whole, with their length (`console/server/`). Of one that is still on its way
the application sees what was announced, and may refuse it for that; reading it then raises BodyAwaited, and the request comes
again with all of it. Nothing else reads `wsgi.input`, except Django for the forms of pages.
"""

import io
from collections.abc import Iterator
from typing import IO, Any

from console.error_status import EncodedBody
from console.server.bodies import AWAITED, CUT, BodyAwaited
from storage import limits
from storage.errors import BodyTooLarge, InvalidInput
from storage.numbers import read_number
from storage.s3.blobs import Bytes

_CHUNK_BYTES = 262_144


def read_whole(environ: dict[str, Any], *, most_bytes: int) -> bytes:
    """All of the body. Raises BodyTooLarge, EncodedBody, InvalidInput (a bad length, a body that broke off), and BodyAwaited."""
    refuse_encoded(environ)
    return read_raw(environ, most_bytes=most_bytes)


def read_raw(environ: dict[str, Any], *, most_bytes: int) -> bytes:
    """All of the body as it came, encoded or not. Raises BodyTooLarge, InvalidInput as `read_whole`, and BodyAwaited."""
    length = announced_length(environ)
    _check(environ, length, most_bytes, f"The body has {length:,} bytes; at most {most_bytes:,} are accepted")
    body: bytes = environ["wsgi.input"].read(length) if length else b""
    return body


def open_whole(environ: dict[str, Any], *, most_bytes: int, what: str) -> tuple[IO[bytes], int]:
    """All of a body that may be large, as a file that can be read from anywhere, and its length. Raises as `read_whole`."""
    refuse_encoded(environ)
    length = announced_length(environ)
    _check(environ, length, most_bytes, f"{what} has {length:,} bytes; at most {most_bytes:,} are accepted")
    body: IO[bytes] = environ["wsgi.input"]
    # Ours can, where there is a body at all; of a request that no server brought it may be one that can only be read.
    is_file = length and body.seekable()
    return (body if is_file else io.BytesIO(body.read(length) if length else b"")), length


class FileBody:
    """A body as the content of a file or part, for storage to take in.

    `content_type` is None when none is given; `size_bytes` is its length.
    """

    def __init__(self, environ: dict[str, Any], *, content_type: str | None = None) -> None:
        """Raises EncodedBody, and InvalidInput when the Content-Length is no number."""
        refuse_encoded(environ)
        self.content_type = content_type
        self.size_bytes = announced_length(environ)
        self._environ = environ

    def check_size(self) -> None:
        """Raises BodyTooLarge, InvalidInput when it broke off, and BodyAwaited when it is not here yet."""
        _check(self._environ, self.size_bytes, limits.FILE_BODY_MAX_BYTES, "")

    def open(self) -> tuple[int, Iterator[Bytes]]:
        """Its length in bytes, and the bytes in chunks, each of which is good until the next. Raises as `check_size` does."""
        self.check_size()
        return self.size_bytes, self._chunks()

    def _chunks(self) -> Iterator[Bytes]:
        stream, left = self._environ["wsgi.input"], self.size_bytes
        if isinstance(stream, io.BytesIO):
            yield from _parts_of(stream)
            return
        while left and (chunk := stream.read(min(left, _CHUNK_BYTES))):
            left -= len(chunk)
            yield chunk


def _parts_of(content: io.BytesIO) -> Iterator[Bytes]:
    """What is in memory, as it lies there: what is read is a copy, for which memory is made and given back each time."""
    with content.getbuffer() as whole:
        for start in range(0, len(whole), _CHUNK_BYTES):
            with whole[start : start + _CHUNK_BYTES] as chunk:
                yield chunk


def refuse_encoded(environ: dict[str, Any]) -> None:
    """Raises EncodedBody for a body that would have to be decoded first."""
    if environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise EncodedBody()


def received_bytes(environ: dict[str, Any]) -> int:
    """The length of the body as far as it was taken in: nothing of one that was answered while it was still on its way."""
    return 0 if AWAITED in environ else read_number(environ.get("CONTENT_LENGTH") or "0") or 0


def announced_length(environ: dict[str, Any]) -> int:
    """The Content-Length, 0 without one. Raises InvalidInput when it is no number."""
    length = read_number(environ.get("CONTENT_LENGTH") or "0")
    if length is None:
        raise InvalidInput("The Content-Length is not a number")
    return length


def _check(environ: dict[str, Any], length: int, most_bytes: int, too_large: str) -> None:
    if length > most_bytes:
        raise BodyTooLarge(too_large) if too_large else BodyTooLarge()
    if AWAITED in environ:
        raise BodyAwaited(most_bytes)
    if CUT in environ:
        got = len(environ["wsgi.input"].read())
        announced = "" if environ[CUT] is None else f" of the {environ[CUT]} announced"
        raise InvalidInput(f"The body broke off after {got} bytes{announced}")
