"""The pages of recorded requests: the list, which updates itself, and one request in a panel beside it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zlib import crc32

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from console import access
from console.connect.addresses import addresses_for
from console.json_views import answers_json
from console.live.pages import follow_visor
from console.page import PageRequest, go_to, show_dialog
from console.visor import event_panel, replay
from console.visor.chart import SPANS, make_chart
from console.visor.filters import ONLY_API, ORIGINS, STATUSES, Filters, read_filters
from console.visor.har import make_har
from console.visor.micro_replay import Visitor
from console.visor.request_drafts import METHODS, repeat
from storage import exact_json, limits
from storage.collections import keys
from storage.collections.roles import CollectionAccess
from storage.errors import EngineUnreachable, EventNotFound, InvalidInput, MicroNotFound
from storage.events import blocks as event_blocks
from storage.events import queries as event_queries
from storage.events import recording
from storage.events.blocks import Event, Line
from storage.events.queries import Page as EventPage
from storage.micro_logs import logs
from storage.micros import micros
from storage.models import Role
from storage.postgres import clock


@require_safe
def index(request: PageRequest, collection_id: str) -> HttpResponse:
    """The list; `?seen=` is what the page shows already, and if that is all there is, so is the answer: 204."""
    granted = access.by_person(request, collection_id)
    context = _list(request, granted)
    if request.GET.get("seen") == context["fingerprint"]:
        return HttpResponse(status=204)
    is_part = request.htmx.target == "visor-live" or "seen" in request.GET
    return render(request, "visor/_live.html" if is_part else "visor/index.html", context | _counted(context))


@require_GET
@answers_json
def live(request: PageRequest, collection_id: str) -> HttpResponseBase:
    """Server-sent events: one whenever requests were recorded, or went; the page then asks for its list."""
    access.by_person(request, collection_id)
    return follow_visor(request, collection_id)


@require_safe
def event(request: PageRequest, collection_id: str, event_id: str) -> HttpResponse:
    """One request: `?tab=` says which side of it. The panel alone for htmx, else with the list beside it."""
    granted = access.by_person(request, collection_id)
    shown = _panel(request, granted, find_event(collection_id, event_id))
    if request.htmx.target == "panel":
        return render(request, "visor/_event.html", shown)
    context = _list(request, granted)
    return render(request, "visor/index.html", context | _counted(context) | shown)


@require_safe
def har(request: PageRequest, collection_id: str) -> HttpResponse:
    """The newest of what the filter shows, as a file for other tools."""
    granted = access.by_person(request, collection_id)
    filters = read_filters(request.GET, sees_keys=granted.sees_keys)
    if request.method == "GET":
        event_queries.note_export(collection_id=collection_id, query=replace(filters, text="").query)
    lines = _find_page(collection_id, filters, limit=limits.HAR_EVENTS_MAX).lines[: limits.HAR_EVENTS_MAX]
    found = make_har(_bounded(collection_id, lines), origin=addresses_for(request).origin)
    response = HttpResponse(exact_json.dump(found), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="requests-{clock.now():%Y-%m-%d-%H-%M}.har"'
    return response


def _bounded(collection_id: str, lines: list[Line]) -> Iterator[Event]:
    """These events, as long as their bodies are not too much for one file, but for those that go meanwhile."""
    size = 0
    for found in event_queries.find_events(collection_id=collection_id, ids=[line.id for line in lines]):
        size += sum(len(body.text or "") for body in (found.content.request, found.content.response))
        if size > limits.HAR_MAX_CHARACTERS:
            return
        yield found


@require_POST
def switch(request: PageRequest, collection_id: str) -> HttpResponse:
    """Switch recording on with `on=1`, off without; `micro=` names one whose own switch that is."""
    access.by_person(request, collection_id, at_least=Role.OWNER)
    if micro_id := request.POST.get("micro", ""):
        return _switch_micro(request, collection_id, micro_id)
    if request.POST.get("on"):
        recording.start_recording(collection_id)
        said = "Recording is on. It takes effect within two seconds."
    else:
        recording.stop_recording(collection_id)
        said = "Recording is off. It stops within two seconds. Recorded requests are kept until they expire."
    target = "settings" if request.POST.get("from") == "settings" else "visor"
    return go_to(request, target, collection_id, said=said)


def _switch_micro(request: PageRequest, collection_id: str, micro_id: str) -> HttpResponse:
    is_on = bool(request.POST.get("on"))
    try:
        micro = micros.change_micro(collection_id=collection_id, micro_id=micro_id, is_recorded=is_on)
    except MicroNotFound as error:
        raise Http404(error.messages[0]) from None
    said = f"Recording of “{micro.name}” is {'on' if is_on else 'off'}. It takes effect within two seconds."
    messages.success(request, said)
    return redirect(f"{reverse('visor', args=[collection_id])}?micro={micro_id}")


@require_POST
def pin(request: PageRequest, collection_id: str, event_id: str) -> HttpResponse:
    """Pin it with `on=1`, unpin it without."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    fault = ""
    try:
        if request.POST.get("on"):
            found = event_queries.find_event(collection_id=collection_id, event_id=event_id)
            printed = logs.list_printed(found)
            event_queries.pin_event(collection_id=collection_id, event_id=event_id, printed=printed)
        else:
            event_queries.unpin_event(collection_id=collection_id, event_id=event_id)
    except EventNotFound as error:
        raise Http404(error.messages[0]) from None
    except InvalidInput as error:
        fault = error.messages[0]
    if request.htmx.target == "panel":
        shown = _panel(request, granted, find_event(collection_id, event_id))
        return render(request, "visor/_event.html", shown | {"fault": fault})
    if fault:
        messages.error(request, fault)
    return redirect("visor-event", collection_id, event_id)


@require_http_methods(["GET", "HEAD", "POST"])
def redo(request: PageRequest, collection_id: str, event_id: str) -> HttpResponse:
    """Send it again unchanged, with the person's own access, and show both answers. A GET asks whether to, before a write."""
    granted = access.by_person(request, collection_id)
    found = find_event(collection_id, event_id)
    if request.method != "POST":
        return show_dialog(request, "visor/redo.html", granted=granted, line=found.line, title="Send this write again?")
    try:
        draft = repeat(found, micro=event_panel.find_micro(found))
        sent = replay.send_for(
            visitor_of(request), draft, collection_id=collection_id, origin=event_blocks.REPLAY, replay_of=event_id
        )
    except InvalidInput as error:
        messages.error(request, f"{error.messages[0]}.")
        return redirect("visor-event", collection_id, event_id)
    return show_sent(request, granted, sent.event, tab="difference")


def visitor_of(request: PageRequest) -> Visitor:
    """Who sends a request by hand."""
    return Visitor(request.user, addresses_for(request).origin)


def find_event(collection_id: str, event_id: str) -> Event:
    """Raises Http404."""
    try:
        return event_queries.find_event(collection_id=collection_id, event_id=event_id)
    except EventNotFound as error:
        raise Http404(error.messages[0]) from None


def show_sent(
    request: PageRequest, granted: CollectionAccess, sent: Event, *, tab: str, page: str = "visor-event"
) -> HttpResponse:
    """Store the result of a request sent by hand, and redirect to it. If it cannot be stored, show it once."""
    try:
        event_queries.keep_event(sent)
    except EngineUnreachable:
        messages.error(
            request, "The request was sent, but its answer could not be recorded. It is shown only this once."
        )
        context = _list(request, granted)
        shown = context | _counted(context) | _panel(request, granted, sent)
        return render(request, "visor/index.html", shown)
    if page == "visor-event":
        return redirect(f"{reverse(page, args=[granted.collection.id, sent.line.id])}?tab={tab}")
    return redirect(f"{reverse(page, args=[granted.collection.id])}?sent={sent.line.id}&tab={tab}")


def _list(request: PageRequest, granted: CollectionAccess) -> dict[str, Any]:
    filters = read_filters(request.GET, sees_keys=granted.sees_keys)
    collection_id = granted.collection.id
    before = request.GET.get("before", "")
    if not event_panel.is_event_id(before):
        before = ""
    page = _find_page(collection_id, filters, before=before)
    chosen = request.GET.get("span", "")
    span = chosen if chosen in SPANS else next(iter(SPANS))
    of_all = event_queries.chart_events(
        collection_id=collection_id, minutes=SPANS[span].minutes, width=SPANS[span].bar_minutes
    )
    known = " ".join(f"{line.id}{line.is_pinned}" for line in page.lines)
    all_micros = micros.list_micros(collection_id)
    recorded_micros = [micro for micro in all_micros if micro.is_recorded]
    shown_micro = next((micro for micro in all_micros if micro.id == filters.micro), None)
    recorded = recording.find_recording(collection_id)
    return {
        "granted": granted,
        "tab": "visor",
        "recording": recorded,
        "micros": all_micros,
        "recorded_micros": recorded_micros,
        "shown_micro": shown_micro,
        "only_api": ONLY_API,
        "switch_is_on": shown_micro.is_recorded if shown_micro else recorded is not None,
        "page": page,
        "filters": filters,
        "before": before,
        "kept": event_queries.sum_events(collection_id),
        "most_bytes": limits.EVENTS_MAX_BYTES,
        "keys": keys.list_keys(collection_id) if granted.sees_keys else [],
        "methods": METHODS,
        "statuses": STATUSES,
        "origins": ORIGINS,
        "span": span,
        "spans": SPANS,
        "of_all": of_all,
        "fingerprint": f"{crc32(known.encode()):08x}{sum(each.requests for each in of_all):x}",
    }


def _find_page(
    collection_id: str, filters: Filters, *, before: str = "", limit: int = limits.EVENTS_PER_PAGE
) -> EventPage:
    if filters.pinned:
        return event_queries.list_pinned(collection_id=collection_id, conditions=filters.conditions)
    since, until = filters.times
    return event_queries.list_events(
        collection_id=collection_id,
        conditions=filters.conditions,
        since=since,
        until=until,
        before=before,
        limit=limit,
    )


def _counted(context: dict[str, Any]) -> dict[str, Any]:
    """The chart of what the list's filter shows. Apart from the list, as a page that has nothing new to show needs none."""
    filters, span = context["filters"], SPANS[context["span"]]
    if not filters.query:
        return {"chart": make_chart(context["of_all"], span)}
    since, until = filters.times
    counted = event_queries.chart_matches(
        collection_id=context["granted"].collection.id,
        conditions=filters.conditions,
        is_pinned=bool(filters.pinned),
        minutes=span.minutes,
        width=span.bar_minutes,
        since=since,
        until=until,
    )
    return {"chart": make_chart(counted.slices, span), "counted_until": counted.looked_until}


def _panel(request: PageRequest, granted: CollectionAccess, found: Event) -> dict[str, Any]:
    origin = addresses_for(request).origin
    context = event_panel.panel(found, tab=request.GET.get("tab", ""), origin=origin)
    return context | {"granted": granted, "filters": read_filters(request.GET, sees_keys=granted.sees_keys)}
