"""What stands in the place of a Base's history where its items are distributed over several servers: why there is none."""

from django.http import HttpResponse
from django.shortcuts import render

from console.page import PageRequest
from storage.collections.roles import CollectionAccess
from storage.models import Base


def explain(request: PageRequest, granted: CollectionAccess, base: Base) -> HttpResponse:
    """The panel or dialog alone for scripts, else the page."""
    is_part = request.htmx or request.headers.get("X-Requested-With") == "fetch"
    template = "history/_distributed.html" if is_part else "history/distributed.html"
    return render(request, template, {"granted": granted, "tab": "bases", "base": base})
