"""The one JSON boundary: bodies in, answers and errors out, numbers with all their digits.

Every error is `{"errors": [message, ...]}`; some carry fields for the program beside it. `console/error_status.py` says
which status each has. The public API and the scripts of the pages share this; `answers_json` is for the latter.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from console import streams
from console.error_status import UnknownPath, headers_of, status_of
from storage import limits
from storage.errors import DiskFull, InvalidInput, StorageError, Unauthorized
from storage.exact_json import dump, parse

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)

logger = logging.getLogger(__name__)


def answers_json(
    view: Callable[Concatenate[R, P], HttpResponseBase],
) -> Callable[Concatenate[R, P], HttpResponseBase]:
    """A view for the scripts of a page: named errors become JSON, and what is left of the body is taken in.

    The gates' own 404 and 403 stay HTML pages: scripts read their status alone.
    """

    @functools.wraps(view)
    def answer(request: R, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Unauthorized:
            # The person lost access after the gate let them in. Anyone without access gets 404.
            return error_response(UnknownPath())
        except StorageError as error:
            return error_response(error)
        finally:
            if not getattr(request, "_read_started", False):  # a form was read by Django itself
                streams.drain(request.META)

    return answer


def error_response(error: StorageError) -> HttpResponse:
    """The answer for a named error."""
    status = status_of(error)
    # That the disk is full says the watcher, once; here it would be said for every write, into a log on that disk.
    if status >= 500 and not isinstance(error, DiskFull):
        logger.warning("%s: %r", error, error.__cause__)
    response = json_response({"errors": list(error.messages)} | error.details, status=status)
    for name, value in headers_of(error).items():
        response[name] = value
    return response


def json_response(value: Any, *, status: int = 200) -> HttpResponse:
    """A value as compact JSON; `int` and `Decimal` keep their digits."""
    return json_text_response(dump(value), status=status)


def json_text_response(text: bytes, *, status: int = 200) -> HttpResponse:
    """Text that is JSON already, such as items as the database wrote them. Sets the length, since the API has no middleware."""
    response = HttpResponse(text, status=status, content_type="application/json")
    response["Content-Length"] = str(len(text))
    return response


def read_object(request: HttpRequest, *, most_bytes: int = limits.BODY_MAX_BYTES) -> dict[str, Any]:
    """The body as a JSON object, whatever content type it declares. Raises InvalidInput, BodyTooLarge and EncodedBody."""
    value = parse(read_body(request, most_bytes=most_bytes))
    if not isinstance(value, dict):
        raise InvalidInput("The body is not a JSON object")
    return value


def read_body(request: HttpRequest, *, most_bytes: int) -> bytes:
    """The whole body. Raises InvalidInput when it was cut, BodyTooLarge and EncodedBody."""
    streams.refuse_encoded(request.META)
    return streams.body_of(request.META).read(most_bytes=most_bytes)


def read_list(value: Any, what: str) -> list[object]:
    """A list out of a JSON body; one that is missing is empty. Raises InvalidInput."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise InvalidInput(f"`{what}` is not a list")
    return value


def read_text(value: Any, what: str) -> str:
    """A text out of a JSON body. Raises InvalidInput."""
    if not isinstance(value, str):
        raise InvalidInput(f"`{what}` is not a text")
    return value
