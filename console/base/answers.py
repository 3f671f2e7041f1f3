"""JSON for the scripts of the table: bodies in, answers and errors out, one table of which error has which status."""

import functools
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse

from storage import limits
from storage.errors import (
    BaseNotFound,
    DiskFull,
    EngineUnreachable,
    InvalidInput,
    ItemNotFound,
    SaveReused,
    StorageError,
)
from storage.exact_json import dump, parse

P = ParamSpec("P")

_STATUS: dict[type[StorageError], int] = {
    InvalidInput: 400,
    ItemNotFound: 404,
    BaseNotFound: 404,
    SaveReused: 409,
    EngineUnreachable: 503,
    DiskFull: 507,
}


class TooLarge(Exception):
    """The body is larger than this endpoint takes."""


def answers_json(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Errors of storage become `{"errors": [...]}` with their status, as the public API has them."""

    @functools.wraps(view)
    def answer(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except TooLarge as error:
            return json_response({"errors": [str(error)]}, status=413)
        except tuple(_STATUS) as error:
            status = next(status for kind, status in _STATUS.items() if isinstance(error, kind))
            response = json_response({"errors": list(error.messages)}, status=status)
            if status == _STATUS[EngineUnreachable]:
                response["Retry-After"] = str(limits.RETRY_AFTER_SECONDS)
            return response

    return answer


def json_response(value: Any, *, status: int = 200) -> HttpResponse:
    """Numbers keep their digits: `int` and `Decimal` alike."""
    return HttpResponse(dump(value), content_type="application/json", status=status)


def read_body(request: HttpRequest, *, most_bytes: int) -> bytes:
    """The whole body. Raises TooLarge, and InvalidInput when it was cut on the way."""
    announced = int(request.META.get("CONTENT_LENGTH") or 0)
    if announced > most_bytes:
        raise TooLarge(f"This takes up to {most_bytes // 1_048_576} MB, and was sent {announced / 1_048_576:.1f}")
    body: bytes = request.read(announced)
    if len(body) < announced:
        raise InvalidInput(f"The body ended after {len(body)} of the {announced} bytes announced")
    return body


def read_object(request: HttpRequest, *, most_bytes: int) -> dict[str, Any]:
    """The body as a JSON object. Raises TooLarge, InvalidInput."""
    value = parse(read_body(request, most_bytes=most_bytes))
    if not isinstance(value, dict):
        raise InvalidInput("The body is not a JSON object")
    return value
