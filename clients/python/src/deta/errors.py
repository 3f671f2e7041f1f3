"""All errors of the client. Each one is a `DetaError`.

Old code catches `Exception`, `ValueError`, `AssertionError` or `TypeError` for arguments that make no sense, and urllib's
`HTTPError` for what the server refuses: all of that still works. No error holds the data key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from io import BytesIO
from typing import Any, Optional
from urllib.error import HTTPError


class DetaError(Exception):
    """`status` is the server's HTTP status, or None when it did not answer; `errors` are its messages.

    `processed` holds what `put_all` had stored before it failed.
    """

    def __init__(self, message: str, *, status: Optional[int] = None, errors: tuple[str, ...] = ()) -> None:
        # Not `super()`: what comes next in line among the classes below takes other arguments.
        Exception.__init__(self, message)
        self.status = status
        self.errors = errors
        self.processed: list[dict[str, Any]] = []


class InvalidArgument(DetaError, ValueError, AssertionError):
    """The arguments are invalid; nothing was sent."""


class InvalidType(InvalidArgument, TypeError):
    """As `InvalidArgument`, for a value of a wrong type."""


class ConnectionFailed(DetaError, ConnectionError):
    """The server could not be reached, or the connection broke, and trying again did not help or was not safe."""


class MayHaveBeenApplied(ConnectionFailed):
    """It is unknown whether a write was made that must not be made twice, so it was not tried again: check before you retry."""


@dataclass(frozen=True)
class Answer:
    """What an error of the server's came in."""

    url: str = ""
    method: str = ""
    status: Optional[int] = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)


class ResponseError(DetaError, HTTPError):
    """The server refused. The statuses that a program may want to tell apart have classes of their own.

    It is urllib's `HTTPError` as well, with `code`, `msg`, `headers`, and the answer to `read`, which the original client raised.
    """

    # In place of what the base classes compute from one another.
    status: Optional[int] = None
    code: Any = None

    def __init__(
        self,
        message: str,
        *,
        status: Optional[int] = None,
        errors: tuple[str, ...] = (),
        answer: Answer = Answer(),
    ) -> None:
        headers = Message()
        for name, value in answer.headers.items():
            headers[name] = value
        HTTPError.__init__(self, answer.url, status or 0, _reason(status), headers, BytesIO(answer.content))
        DetaError.__init__(self, message, status=status, errors=errors)
        self.answer = answer
        self._message = message

    def saying(self, message: str) -> ResponseError:
        """The same with other words."""
        return type(self)(message, status=self.status, errors=self.errors, answer=self.answer)

    def __str__(self) -> str:
        return self._message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _remade, (type(self), self._message, self.status, self.errors, self.answer, self.processed)


class BadRequest(ResponseError):
    """400: the server says what is wrong in `errors`."""


class Unauthorized(ResponseError):
    """401: the data key is wrong, revoked or expired, or belongs to another collection."""


class Forbidden(ResponseError):
    """403: the data key may not do that."""


class NotFound(ResponseError):
    """404: `update` of an item that does not exist."""


class KeyExists(ResponseError):
    """409: `insert` of a key that is taken."""


class ChangesGone(ResponseError):
    """410: the changes behind a cursor aren't kept any more, or the Base was emptied or deleted since. Read it anew with
    `fetch`, then go on from `cursor`.
    """

    @property
    def cursor(self) -> Optional[str]:
        """Where to go on after the Base was read anew."""
        try:
            found = json.loads(self.answer.content).get("cursor")
        except (ValueError, AttributeError):
            return None
        return found if isinstance(found, str) else None


class TooLarge(ResponseError):
    """413: the request is too large."""


class Unavailable(ResponseError):
    """502, 503 or 504, after all retries."""


class NotStored(ResponseError):
    """The server accepted the request but did not store the item, for example because an attribute has no name."""


class FileChanged(DetaError):
    """The connection broke during a download, and the file has changed since."""


_BY_STATUS: dict[int, type[ResponseError]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: KeyExists,
    410: ChangesGone,
    413: TooLarge,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_for_status(message: str, errors: tuple[str, ...], answer: Answer) -> ResponseError:
    """An error of the class for its status."""
    kind = _BY_STATUS.get(answer.status or 0, ResponseError)
    return kind(message, status=answer.status, errors=errors, answer=answer)


def _reason(status: Optional[int]) -> str:
    """The phrase of a status, as the original service sent it: "Not Found"."""
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""


def _remade(
    kind: type[ResponseError],
    message: str,
    status: Optional[int],
    errors: tuple[str, ...],
    answer: Answer,
    processed: list[dict[str, Any]],
) -> ResponseError:
    error = kind(message, status=status, errors=errors, answer=answer)
    error.processed = processed
    return error
