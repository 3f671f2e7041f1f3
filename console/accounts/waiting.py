"""The page for those who tried too often."""

import math

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def told_to_wait(request: HttpRequest, wait_seconds: int, *, back: str) -> HttpResponse:
    """Says how long to wait; `back` names the page to try again on. For machines the answer says it in seconds."""
    context = {"minutes": math.ceil(wait_seconds / 60), "back": back}
    response = render(request, "accounts/too_many_tries.html", context, status=429)
    response["Retry-After"] = str(wait_seconds)
    return response
