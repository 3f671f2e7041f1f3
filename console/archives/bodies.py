"""A part of an archive in a request, whole or not at all, never more than a chunk of it in memory."""

from collections.abc import Iterator

from django.http import HttpRequest

from storage import limits
from storage.errors import BodyTooLarge, InvalidInput

_CHUNK_BYTES = 262_144


class PartBody:
    """A request's body as the content of a part. Raises InvalidInput without a length, BodyTooLarge."""

    content_type: str | None = None

    def __init__(self, request: HttpRequest) -> None:
        announced = request.META.get("CONTENT_LENGTH", "")
        if not announced.isdigit():
            raise InvalidInput("The part says nothing of its length")
        self._request, self._length = request, int(announced)
        if self._length > limits.FILE_BODY_MAX_BYTES:
            raise BodyTooLarge()

    def open(self) -> tuple[int, Iterator[bytes]]:
        """Its length in bytes, and the bytes in chunks, which raise InvalidInput when they end too soon."""
        return self._length, self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        left = self._length
        while left > 0:
            chunk = self._request.read(min(left, _CHUNK_BYTES))
            if not chunk:
                raise InvalidInput(f"The part ended after {self._length - left} of the {self._length} bytes announced")
            left -= len(chunk)
            yield chunk
