"""The page, which is for anybody who is signed in: what it tells is in the product's public documentation as well."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.api_reference.reading import read_reference
from console.openapi.document import document
from console.page import PageRequest


@require_safe
def reference(request: PageRequest) -> HttpResponse:
    server = document()["servers"][0]["url"]
    return render(request, "api_reference/index.html", {"reference": read_reference(), "server": server})
