"""As what a page's request is counted: by its route."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from console.server.threads import note_operation


class NamedOperation:
    """The first of all, so that it hears of the route before another refuses the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Routes that people go to have names; those of programs are known by their paths, without what stands in these."""
        match = request.resolver_match
        if match is not None:
            surface = "command" if match.route.startswith("cli/") else "pages"
            note_operation(request.META, surface, match.url_name or match.route or "/")
