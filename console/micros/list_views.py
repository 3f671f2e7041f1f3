"""The list of a collection's Micros."""

from typing import Any
from zlib import crc32

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from console import access
from console.micros.addresses import address_of
from console.micros.shown import conditions_of, find_why_off
from console.page import PageRequest
from storage.collections.roles import CollectionAccess
from storage.micros import deployments, figures, micros, schedules


@require_safe
def index(request: PageRequest, collection_id: str) -> HttpResponse:
    """The cards; `?seen=` is what the page shows already, and if nothing has changed the answer is 204."""
    granted = access.by_person(request, collection_id)
    context = _cards(request, granted)
    cards = render_to_string("micros/_cards.html", context, request=request)
    seen = f"{crc32(cards.encode()):08x}"
    if request.htmx.target == "micros" and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    template = "micros/_list.html" if request.htmx.target == "micros" else "micros/index.html"
    return render(request, template, context | {"cards": cards, "seen": seen})


def _cards(request: PageRequest, granted: CollectionAccess) -> dict[str, Any]:
    found = micros.list_micros(granted.collection.id)
    why_off = find_why_off()
    conditions = conditions_of(found, why_off=why_off)
    counted = figures.find_last_hour([micro.id for micro in found])
    latest = deployments.list_latest(granted.collection.id)
    scheduled = schedules.find_schedules([micro.id for micro in found])
    return {
        "granted": granted,
        "tab": "micros",
        "why_off": why_off,
        "rows": [
            {
                "micro": micro,
                "address": address_of(request, micro),
                "condition": conditions[micro.id],
                "figures": counted[micro.id],
                "latest": latest.get(micro.id),
                "schedule": scheduled.get(micro.id),
            }
            for micro in found
        ],
    }
