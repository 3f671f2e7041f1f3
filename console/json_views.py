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
from console.asked import Asked
from console.error_status import UnknownPath, headers_of, status_of
from console.not_kept import PRIVATE
from storage import limits
from storage.errors import DiskFull, InvalidInput, StorageError, Unauthorized
from storage.exact_json import dump, parse
from storage.names import is_text

P = ParamSpec("P")
R = TypeVar("R", bound=HttpRequest)

logger = logging.getLogger(__name__)


def answers_json(
    view: Callable[Concatenate[R, P], HttpResponseBase],
) -> Callable[Concatenate[R, P], HttpResponseBase]:
    """A view for the scripts of a page: named errors become JSON.

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

    answer.reads_body = True  # type: ignore[attr-defined]  # so nobody else does
    return answer


def error_response(error: StorageError) -> HttpResponse:
    """The answer for a named error."""
    response = json_response(describe_error(error), status=status_of(error))
    for name, value in headers_of(error).items():
        response[name] = value
    return response


def describe_error(error: StorageError) -> dict[str, Any]:
    """The body of the answer for a named error. One that is the server's is logged."""
    # That the disk is full says the watcher, once; here it would be said for every write, into a log on that disk.
    if status_of(error) >= 500 and not isinstance(error, DiskFull):
        logger.warning("%s: %r", error, error.__cause__)
    return {"errors": list(error.messages)} | error.details


def json_response(value: Any, *, status: int = 200) -> HttpResponse:
    """A value as compact JSON; `int` and `Decimal` keep their digits."""
    return json_text_response(dump(value), status=status)


def json_text_response(text: bytes, *, status: int = 200) -> HttpResponse:
    """Text that is JSON already, such as items as the database wrote them. Sets the length, since the API has no middleware."""
    response = HttpResponse(text, status=status, content_type="application/json")
    response["Content-Length"] = str(len(text))
    response["Cache-Control"] = PRIVATE
    return response


def read_object(request: Asked, *, most_bytes: int = limits.BODY_MAX_BYTES) -> dict[str, Any]:
    """The body as a JSON object, whatever content type it declares; what it holds is for the caller to check.

    Raises InvalidInput, BodyTooLarge and EncodedBody.
    """
    value = parse(read_body(request, most_bytes=most_bytes))
    if not isinstance(value, dict):
        raise InvalidInput("The body is not a JSON object")
    return value


def read_asked(request: Asked, *, most_bytes: int = limits.BODY_MAX_BYTES) -> dict[str, Any]:
    """What a page's script asks for: `read_object`, with texts alone that can be stored. Raises as that does."""
    asked = read_object(request, most_bytes=most_bytes)
    check_texts(asked)
    return asked


def check_texts(value: Any) -> None:
    """Check every text and name in a parsed value, however deep. Raises InvalidInput for the character NUL in one."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, dict):
            left += part.keys()
            left += part.values()
        elif isinstance(part, list):
            left += part
        elif isinstance(part, str) and not is_text(part):
            raise InvalidInput("A text holds the character \\u0000, which cannot be stored")


def read_body(request: Asked, *, most_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge, EncodedBody, InvalidInput for a bad length, and BodyAwaited."""
    return streams.read_whole(request.META, most_bytes=most_bytes)


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
