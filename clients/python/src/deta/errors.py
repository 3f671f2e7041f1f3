"""All errors of the client. Each one is a `DetaError`.

Old code catches `Exception`, and `ValueError`, `AssertionError` or `TypeError` for arguments that make no sense: all of
that still works. No error holds the data key.
"""

from __future__ import annotations

from typing import Any, Optional


class DetaError(Exception):
    """`status` is the server's HTTP status, or None when it did not answer; `errors` are its messages.

    `processed` holds what `put_all` had stored before it failed.
    """

    def __init__(self, message: str, *, status: Optional[int] = None, errors: tuple[str, ...] = ()) -> None:
        super().__init__(message)
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


class ResponseError(DetaError):
    """The server refused. The statuses that a program may want to tell apart have classes of their own."""


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
    413: TooLarge,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
}


def error_for_status(status: int, message: str, errors: tuple[str, ...]) -> ResponseError:
    """The error class for a status."""
    return _BY_STATUS.get(status, ResponseError)(message, status=status, errors=errors)
