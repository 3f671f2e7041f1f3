"""What a Micro printed, and what the server has to say of it: the newest lines, which go on, or a page of older ones."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.micros import shown
from console.page import PageRequest
from storage import limits
from storage.micro_logs import logs
from storage.micro_logs.logs import LineRow, Source
from storage.micros import deployments
from storage.models import Deployment
from storage.numbers import BEYOND, read_number

SOURCES = {
    "app": ("The app", (Source.OUTPUT, Source.ERROR)),
    "errors": ("The app's errors", (Source.ERROR,)),
    "server": ("The server", (Source.SERVER,)),
    "build": ("Deployments", (Source.BUILD,)),
}
_SEARCH_MAX_CHARACTERS = 200


@require_safe
def index(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    """`?q=`, `?from=` and `?deployment=` choose lines; `?before=` and `?after=` turn pages; `?live=` is the last line shown."""
    granted, micro = shown.find(request, collection_id, micro_id)
    found = deployments.list_deployments(collection_id=collection_id, micro_id=micro_id)
    chosen = _read_filter(request, found)
    live = _line_id(request, "live")
    if live is not None:
        lines = _lines(micro_id, chosen, after=live)
        context = {"granted": granted, "micro": micro, **_page(collection_id, micro_id, chosen, lines, live)}
        return render(request, "micros/_more_lines.html", context) if lines else HttpResponse(status=204)
    before, after = _line_id(request, "before"), _line_id(request, "after")
    lines = _lines(micro_id, chosen, before=before, after=after)
    is_live = before is None and (after is None or len(lines) < limits.MICRO_LINES_PER_LIST)
    more = {
        "deployments": found,
        "sources": SOURCES,
        "chosen": chosen,
        "is_live": is_live,
        "has_older": bool(lines) and (after is not None or len(lines) == limits.MICRO_LINES_PER_LIST),
        "kept": limits.MICRO_LINES_KEPT,
        "kept_days": limits.MICRO_LINES_KEPT_DAYS,
        **_page(collection_id, micro_id, chosen, lines, 0),
    }
    return render(request, "micros/logs.html", shown.page_of(request, granted, micro, "logs", **more))


def _read_filter(request: PageRequest, found: list[Deployment]) -> dict[str, Any]:
    number = read_number(request.GET.get("deployment", ""))
    source = request.GET.get("from", "")
    return {
        "q": request.GET.get("q", "").strip()[:_SEARCH_MAX_CHARACTERS],
        "from": source if source in SOURCES else "",
        "deployment": next((each for each in found if each.number == number), None),
    }


def _lines(micro_id: str, chosen: dict[str, Any], **place: Any) -> list[LineRow]:
    deployment = chosen["deployment"]
    return logs.list_lines(
        micro_id=micro_id,
        search=chosen["q"],
        sources=SOURCES[chosen["from"]][1] if chosen["from"] else (),
        deployment_id=deployment.id if deployment else None,
        **place,
    )


def _page(collection_id: str, micro_id: str, chosen: dict[str, Any], lines: list[LineRow], last: int) -> dict[str, Any]:
    """The lines, and the addresses of what comes before and after them."""
    deployment = chosen["deployment"]
    asked = {"q": chosen["q"], "from": chosen["from"], "deployment": deployment.number if deployment else ""}
    query = {name: value for name, value in asked.items() if value}
    here = reverse("micro-logs", args=[collection_id, micro_id])

    def address(**place: int) -> str:
        return f"{here}?{urlencode(query | place)}"

    ends = (lines[0].id, lines[-1].id) if lines else (last, last)
    return {
        "lines": lines,
        "newest_address": f"{here}?{urlencode(query)}" if query else here,
        "older_address": address(before=ends[0]),
        "newer_address": address(after=ends[1]),
        "live_address": address(live=ends[1]),
    }


def _line_id(request: PageRequest, name: str) -> int | None:
    number = read_number(request.GET.get(name, ""))
    return number if number is not None and number < BEYOND else None
