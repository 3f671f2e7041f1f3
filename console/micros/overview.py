"""The first page of a Micro: what it is doing, and what became of it lately."""

from zlib import crc32

from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from console.micros import shown
from console.page import PageRequest
from storage.micro_logs import logs
from storage.micros import deployments, figures, schedules

_LINES = 8


@require_safe
def overview(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """As the list of Micros: `?seen=` is what the page shows already."""
    granted, micro = shown.find(request, collection_id, micro_id)
    context = shown.page_of(
        request,
        granted,
        micro,
        "overview",
        figures=figures.find_last_hour([micro_id])[micro_id],
        latest=deployments.list_latest(collection_id, micro_id=micro_id).get(micro_id),
        lines=logs.list_lines(micro_id=micro_id, limit=_LINES),
        domains=[domain.name for domain in micro.domains.order_by("id")],
        log_address="",
        schedule=schedules.find_schedule(micro_id),
    )
    facts = render_to_string("micros/_facts.html", context, request=request)
    seen = f"{crc32(facts.encode()):08x}"
    if request.htmx.target == "micro-live" and request.GET.get("seen") == seen:
        return HttpResponse(status=204)
    template = "micros/_overview.html" if request.htmx.target == "micro-live" else "micros/overview.html"
    return render(request, template, context | {"facts": facts, "seen": seen})
