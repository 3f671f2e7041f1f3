"""Bringing back what was: as rows that the table stages, and the preview of undoing all that one writer did."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from console import access
from console.base.row_pages import access_of, find_base
from console.history import bring_back as restoring
from console.history import undoing
from console.history.distributed import explain
from console.history.switch_views import describe_history
from console.history.writers import list_writers, name_writer
from console.json_views import answers_json, json_response, read_asked
from console.page import PageRequest
from storage import limits
from storage.models import Role
from storage.postgres.distribution import items_are_distributed


@require_POST
@answers_json
def bring_back(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """What was, as rows to stage: of versions, of a moment, or what undoes a writer's changes. Nothing is stored."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    find_base(collection_id, name)
    asked, who = read_asked(request), access_of(request, collection_id)
    if "undo" in asked:
        return json_response(undoing.find_rows(asked["undo"], granted=granted, access=who, base=name))
    return json_response(restoring.find_rows(asked, access=who, base=name))


@require_safe
def undo(request: PageRequest, collection_id: str, name: str) -> HttpResponse:
    """What undoing `?by=` since `?since=` comes to, a batch of items behind `?after=`; a form as long as one is missing."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    base = find_base(collection_id, name)
    if items_are_distributed():
        return explain(request, granted, base)
    given = {field: request.GET.get(field, "") for field in ("by", "since", "after")}
    asked = undoing.read_asked(**given)
    preview = undoing.find_preview(asked, access=access_of(request, collection_id), base=name) if asked else None
    writers = list_writers(granted) | {f"p{request.user.pk}": request.user.username}
    context = {
        "granted": granted,
        "tab": "bases",
        "base": base,
        "given": given,
        "asked": asked,
        "writers": writers,
        "is_listed": given["by"] in writers,
        "history": describe_history(base),
        "most": limits.UNDO_BATCH_ITEMS,
        "preview": preview,
        # Names are told of those alone who have been here.
        "who": name_writer(granted, asked.writer) if asked and preview and preview.items else "",
    }
    return render(request, "history/undo.html", context)
