"""The page about the whole server, for its owners: what is wrong with it and what to do, and how it is doing."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.monitoring.observed import observe
from console.monitoring.overview import describe
from console.page import PageRequest


@require_safe
def overview(request: PageRequest) -> HttpResponse:
    """The page asks for what changes on it again and again."""
    access.server_owner(request)
    template = "server/_overview.html" if request.htmx.target == "server-live" else "server/overview.html"
    return render(request, template, {"server_part": "overview", **describe(observe())})
