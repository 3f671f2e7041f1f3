"""The public API: Django's requests, URLs and responses without the rest of its machinery.

Signals, middleware and exception pages cost more than a whole GET does below them, and the API has no use for them: it
answers in its own format, takes no cookie and sets its own lengths (see `console/api/endpoint.py`).
"""

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.http import HttpResponseBase
from django.urls.resolvers import RegexPattern, URLResolver

from console.api.errors import defect_reply
from console.api.request import ApiRequest
from console.live.responses import LiveResponse

# The status with its reason, the headers, and the body: a list where it goes out in one piece; anything else is sent as it is
# read, and then closed.
Answer = tuple[str, list[tuple[str, str]], Iterable[bytes]]


class ApiHandler:
    """Serves the paths of `console/api/urls.py` under a prefix: a request's WSGI environment comes in, its answer goes out."""

    def __init__(self, prefix: str) -> None:
        self._resolver = URLResolver(RegexPattern(f"^{prefix}"), "console.api.urls")

    def __call__(self, environ: dict[str, Any]) -> Answer:
        response = self.respond(environ)
        if isinstance(response, LiveResponse):
            return f"{response.status_code} {response.reason_phrase}", list(response.items()), response.live
        # What is no list would be taken for a stream, at twice the cost.
        body = response if response.streaming else [response.content]  # type: ignore[attr-defined]
        return f"{response.status_code} {response.reason_phrase}", list(response.items()), body

    def respond(self, environ: dict[str, Any]) -> HttpResponseBase:
        """The answer as Django's response, for who is inside Django already."""
        try:
            request = ApiRequest(environ)
            view, args, kwargs = self._resolver.resolve(request.path_info)
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response
        except Exception as error:
            return defect_reply(error)
        finally:
            # The rare request that used the ORM gives its connection back, unless it is part of somebody's transaction.
            if connection.connection is not None and not connection.in_atomic_block:
                connection.close()
