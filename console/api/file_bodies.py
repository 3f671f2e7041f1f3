"""The bytes of a file or part in a request, whole or not at all, and never more than one chunk of them in memory.

But for a body without a length: only reading it in one go tells a whole one from one that was cut (see `bodies.py`).
"""

import re
from collections.abc import Iterator

from console.api.bodies import announced_length, is_chunked, read_chunked, refuse_encoded
from console.api.request import ApiRequest
from console.streams import read_chunks
from storage import limits
from storage.errors import BodyTooLarge, InvalidInput

_CONTENT_TYPE = re.compile(rf"[\x20-\x7e]{{1,{limits.CONTENT_TYPE_MAX_CHARACTERS}}}")


class FileBody:
    """A request's body as the content of a file or part.

    Raises EncodedBody, BodyTooLarge when it says so itself, InvalidInput (its length, its content type).
    """

    def __init__(self, request: ApiRequest) -> None:
        refuse_encoded(request.META)
        self._request = request
        self.content_type = read_content_type(request)
        self.announced = None if is_chunked(request.META) else announced_length(request.META)

    @property
    def is_too_large(self) -> bool:
        """Whether it announces more than a request may carry."""
        return self.announced is not None and self.announced > limits.FILE_BODY_MAX_BYTES

    def open(self) -> tuple[int, Iterator[bytes]]:
        """Its length in bytes, and the bytes in chunks. Raises BodyTooLarge; it or the chunks InvalidInput when it was cut."""
        if self.is_too_large:
            raise BodyTooLarge()
        if self.announced is not None:
            return self.announced, self._chunks(self.announced)
        body = read_chunked(self._request.META["wsgi.input"])
        self._request.body_is_read = True
        if len(body) > limits.FILE_BODY_MAX_BYTES:
            raise BodyTooLarge()
        return len(body), iter([body])

    def _chunks(self, length: int) -> Iterator[bytes]:
        yield from read_chunks(self._request.META["wsgi.input"], length)
        self._request.body_is_read = True


def read_content_type(request: ApiRequest) -> str | None:
    """The content type that the request declares, as it stands; None without one. Raises InvalidInput."""
    declared: str = request.META.get("CONTENT_TYPE", "").strip()
    if not declared:
        return None
    if not _CONTENT_TYPE.fullmatch(declared):
        raise InvalidInput(
            "Bad content type",
            f"A content type has at most {limits.CONTENT_TYPE_MAX_CHARACTERS} characters, all of them visible ASCII",
        )
    return declared
