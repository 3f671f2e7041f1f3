"""Responses of the public API: JSON with its length set, since no middleware does it."""

from typing import Any

from django.http import HttpResponse

from storage.exact_json import dump


def reply(body: Any, *, status: int = 200) -> HttpResponse:
    """A response with `body` as compact JSON; Decimals keep their digits."""
    return reply_json(dump(body), status=status)


def reply_json(text: bytes, *, status: int = 200) -> HttpResponse:
    """A response with JSON that is text already: items go out as the database wrote them."""
    response = HttpResponse(text, status=status, content_type="application/json")
    response["Content-Length"] = str(len(text))
    return response
