"""What the scripts of the Drive pages send and are told: JSON in, JSON out, and the one table of errors for it."""

import json
import logging
from collections.abc import Callable
from functools import wraps
from typing import Any, get_args

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from console.streams import CountedInput, read_chunks
from storage import errors, limits
from storage.drive.files import IfExists

logger = logging.getLogger(__name__)

STATUS: dict[type[errors.StorageError], int] = {
    errors.InvalidInput: 422,
    errors.FileNotFound: 404,
    errors.DriveNotFound: 404,
    errors.UploadNotFound: 404,
    errors.DeletionNotFound: 404,
    errors.Unauthorized: 404,
    errors.NamesTaken: 409,
    errors.UndoOver: 410,
    errors.BodyTooLarge: 413,
    errors.UploadMismatch: 422,
    errors.BlobMissing: 500,
    errors.EngineUnreachable: 503,
    errors.DiskFull: 507,
}

_DRAIN_MAX_BYTES = 2 * limits.FILE_BODY_MAX_BYTES


def answers_json(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Turn named errors into `{"errors": [...]}` with the status of the table, once the request's body has been taken in."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        body = None
        try:
            body = CountedInput(request.META["wsgi.input"], announced_length(request))
            request.META["wsgi.input"] = body
            return view(request, *args, **kwargs)
        except errors.StorageError as error:
            # A form was read by Django itself, past this count.
            if body is not None and not getattr(request, "_read_started", False):
                body.drain(_DRAIN_MAX_BYTES)
            return error_answer(error)

    return answer


def status_of(error: errors.StorageError) -> int:
    """The status that stands for a named error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def error_answer(error: errors.StorageError) -> HttpResponse:
    """The answer for a named error. Names that are taken are told, so that the person can be asked about them."""
    status = status_of(error)
    if status >= 500:
        logger.warning("%s: %r", error, error.__cause__)
    told: dict[str, object] = {"errors": list(error.messages)}
    if isinstance(error, errors.NamesTaken):
        told |= {"exists": True, "taken": error.names, "count": error.count}
    response = JsonResponse(told, status=status)
    if status == 503:
        response["Retry-After"] = str(limits.RETRY_AFTER_SECONDS)
    return response


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Django's own limit for bodies is lower than thousands of names need.

    Raises BodyTooLarge and InvalidInput.
    """
    length = announced_length(request)
    if length > limits.BODY_MAX_BYTES:
        raise errors.BodyTooLarge()
    try:
        value = json.loads(b"".join(read_chunks(request.META["wsgi.input"], length)))
    except (ValueError, RecursionError):
        raise errors.InvalidInput("The body is not JSON") from None
    if not isinstance(value, dict):
        raise errors.InvalidInput("The body is not a JSON object")
    return value


def announced_length(request: HttpRequest) -> int:
    """The Content-Length, 0 without one. Raises InvalidInput when it is no number."""
    text = request.META.get("CONTENT_LENGTH") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise errors.InvalidInput("The Content-Length is not a number")
    return int(text)


def read_list(value: Any, what: str) -> list[object]:
    """A list out of a JSON body; one that is missing is empty. Raises InvalidInput."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise errors.InvalidInput(f"`{what}` is not a list")
    return value


def read_text(value: Any, what: str) -> str:
    """A text out of a JSON body. Raises InvalidInput."""
    if not isinstance(value, str):
        raise errors.InvalidInput(f"`{what}` is not a text")
    return value


def read_if_exists(value: Any, otherwise: IfExists = "fail") -> IfExists:
    """What to do with names that exist. Raises InvalidInput."""
    if value is None:
        return otherwise
    if value not in get_args(IfExists):
        raise errors.InvalidInput(f"`if_exists` is one of {', '.join(get_args(IfExists))}")
    return value
