"""The page about the whole server, for its owners: what is wrong with it and what to do, and how it is doing."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.page import PageRequest
from storage.monitoring import problems


@require_safe
def overview(request: PageRequest) -> HttpResponse:
    access.server_owner(request)
    context = {"server_part": "overview", "problems": problems.find_problems()}
    return render(request, "server/overview.html", context)
