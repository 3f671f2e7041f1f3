"""Who may keep an answer: pages and their JSON are one person's and not kept by anybody.

Files say for themselves that a browser may keep them and has to ask each time (`private, no-cache`, with an `ETag`); static
files and the Python client, which are the same for everybody, say how long. All else gets `private, no-store`, error pages too:
after signing out nothing is left in the browser's cache, and no proxy shows a page to somebody else.
"""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

PRIVATE = "private, no-store"


class PrivateByDefault:
    """The middleware around the views; static files are answered before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        # Django's own views write the same in more words.
        if "no-store" in response.get("Cache-Control", "no-store"):
            response["Cache-Control"] = PRIVATE
        return response
