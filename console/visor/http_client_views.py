"""The HTTP client: a request written by hand, or a recorded one changed, sent or tried, with the answer beside it."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from console import access, host_names
from console.connect.addresses import addresses_for
from console.page import UNPROCESSABLE, PageRequest
from console.visor import event_panel, replay
from console.visor.comparing import compare_all
from console.visor.dry_run import DryRun, run_dry
from console.visor.http_client_form import ClientForm, form_of
from console.visor.line_diff import pretty
from console.visor.views import find_event, show_sent, visitor_of
from storage.collections import usage
from storage.collections.roles import CollectionAccess
from storage.errors import InvalidInput
from storage.events import blocks as event_blocks
from storage.events import queries as event_queries
from storage.events.queries import Conditions
from storage.micros.micros import list_micros
from storage.models import Micro
from storage.postgres.caller import Access

_HISTORY = 20


@require_http_methods(["GET", "HEAD", "POST"])
def client(request: PageRequest, collection_id: str) -> HttpResponse:
    """`?from=` fills the form with a recorded request, `?sent=` with one and shows its answer."""
    granted = access.by_person(request, collection_id)
    micros = list_micros(collection_id)
    if request.method != "POST":
        return _show(request, granted, _start_form(request, collection_id, micros), micros)
    form = ClientForm(request.POST, collection_id=collection_id, micros=micros)
    if not form.is_valid():
        return _show(request, granted, form, micros, status=UNPROCESSABLE)
    if "try" in request.POST:
        rights = Access(collection_id, person_id=request.user.pk)
        tried = run_dry(form.draft, access=rights, sent_by=request.user.get_username())
        return _show(request, granted, form, micros, dry_run=tried)
    replay_of = form.cleaned_data["replay_of"]
    try:
        sent = replay.send_for(
            visitor_of(request),
            form.draft,
            collection_id=collection_id,
            origin=event_blocks.CLIENT,
            replay_of=replay_of,
        )
    except InvalidInput as error:
        form.add_error(None, f"{error.messages[0]}.")
        return _show(request, granted, form, micros, status=UNPROCESSABLE)
    return show_sent(request, granted, sent.event, tab="difference" if replay_of else "response", page="visor-client")


def _start_form(request: PageRequest, collection_id: str, micros: list[Micro]) -> ClientForm:
    for name in ("sent", "from"):
        if event_panel.is_event_id(event_id := request.GET.get(name, "")):
            found = find_event(collection_id, event_id)
            return form_of(found, replay_of=found.line.replay_of if name == "sent" else event_id, micros=micros)
    given = {"target": "path", "method": "method", "to": "to"}
    initial = {"method": "GET", "target": "/" if request.GET.get("to") else ""} | {
        field: request.GET[name] for field, name in given.items() if name in request.GET
    }
    return ClientForm(collection_id=collection_id, micros=micros, initial=initial)


def _show(
    request: PageRequest,
    granted: CollectionAccess,
    form: ClientForm,
    micros: list[Micro],
    *,
    dry_run: DryRun | None = None,
    status: int = 200,
) -> HttpResponse:
    collection_id = granted.collection.id
    history = event_queries.list_events(
        collection_id=collection_id, conditions=Conditions(origin="by hand"), limit=_HISTORY
    ).lines
    origin = addresses_for(request).origin
    context: dict[str, Any] = {
        "granted": granted,
        "tab": "visor",
        "form": form,
        "history": history,
        "micros": [(micro, host_names.micro_origin(micro.subdomain, console=origin)) for micro in micros],
        "bases": usage.list_bases(collection_id),
        "drives": usage.list_drives(collection_id),
    }
    prefixes = {micro.id: origin for micro, origin in context["micros"]}
    to = str(form["to"].value() or "") if micros else ""
    context["api_path"] = f"{settings.URL_PREFIX}/v1/{collection_id}/"
    context["prefix"] = prefixes.get(to, context["api_path"])
    shown = request.GET.get("sent") or request.GET.get("from") or ""
    if dry_run is not None:
        compared = compare_all([(pretty(each.before or ""), pretty(each.after or "")) for each in dry_run.changes])
        changes = [(each.name, _state(each), lines) for each, lines in zip(dry_run.changes, compared, strict=True)]
        answer = dry_run.event.content.response.text if dry_run.event else ""
        context |= {"dry_run": dry_run, "changes": changes, "answer": pretty(answer or "")}
    elif request.method != "POST" and event_panel.is_event_id(shown):
        found = find_event(collection_id, shown)
        context |= event_panel.panel(found, tab=request.GET.get("tab", ""), origin=origin)
        context["is_in_client"] = "sent" if "sent" in request.GET else "from"
    return render(request, "visor/client.html", context, status=status)


def _state(change: Any) -> str:
    if change.before is None:
        return "would be created"
    return "would be deleted" if change.after is None else "would change"
