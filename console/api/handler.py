"""The public API: Django's URL patterns without the rest of its machinery.

Signals, middleware and exception pages cost more than a whole GET does below them, and so do its requests and responses; the API
has no use for them: it answers in its own format, takes no cookie and sets its own lengths (see `console/api/endpoint.py`). What
was measured is in `docs/decisions/request-path.md`.
"""

from collections.abc import Iterable
from typing import Any

from django.http import HttpResponseBase

from console.api.errors import defect_reply
from console.api.replies import Reply, Response
from console.api.request import ApiRequest
from console.api.routing import Routes
from console.api.urls import urlpatterns
from console.live.responses import LiveResponse
from storage.postgres.database import release_connection

# The status with its reason, the headers, and the body: a list where it goes out in one piece; anything else is sent as it is
# read, and then closed.
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]


_PREFIX = "/v1"
_routes = Routes(urlpatterns)


def answer(environ: dict[str, Any]) -> Answer:
    """The answer to a request for a path of `console/api/urls.py` below `/v1`, whose WSGI environment this is."""
    response = _respond(environ)
    if isinstance(response, Reply):
        return response.status_line, list(response.headers.items()), [response.content]
    status = f"{response.status_code} {response.reason_phrase}"
    if isinstance(response, LiveResponse):
        return status, list(response.items()), response.live
    # What is no list would be taken for a stream, at twice the cost.
    body = response if response.streaming else [response.content]  # type: ignore[attr-defined]
    return status, list(response.items()), body


def respond(environ: dict[str, Any]) -> HttpResponseBase:
    """The same as Django's response, for who is inside Django already."""
    response = _respond(environ)
    return response.as_response() if isinstance(response, Reply) else response


def _respond(environ: dict[str, Any]) -> Response:
    try:
        request = ApiRequest(environ)
        view, arguments = _routes.find(request.path.removeprefix(_PREFIX).removeprefix("/"))
        response: Response = view(request, **arguments)
        return response
    except Exception as error:
        return defect_reply(error)
    finally:
        # The rare request that used the ORM gives its connection back, unless it is part of somebody's transaction.
        release_connection()
