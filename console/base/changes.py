"""Many items changed at once: counted first, then changed, looked at and undone. What the page's script asks for, in JSON."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import access
from console.base.query_text import understand
from console.base.row_pages import access_of, find_base
from console.json_views import answers_json, json_response, read_asked, read_list, read_text
from storage import jobs
from storage.base import changes
from storage.base.acts import describe_act, read_act
from storage.errors import EngineUnreachable
from storage.exact_json import parse
from storage.models import ItemChange, Role
from storage.postgres import clock

# Most changes are done by then, and the answer says what came of them.
_AT_ONCE_SECONDS = 1.0
_LISTED = 10


@require_POST
@answers_json
def count(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """How many items `{"q", "keys"}` are: those of these keys, or all that the bar's text finds."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    find_base(collection_id, name)
    query, keys = _read_which(read_asked(request))
    found = changes.count_meant(access=access_of(request, collection_id), base=name, query=query, keys=keys)
    is_everything = keys is None and not query.strip()
    is_exact = found.is_exact if is_everything else found.is_whole
    return json_response({"items": found.total if is_everything else found.matched, "exact": is_exact})


@require_http_methods(["GET", "HEAD", "POST"])
@answers_json
def many(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """The last changes, or by POST a new one: `{"act", "q", "keys"}`."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    base = find_base(collection_id, name)
    if request.method != "POST":
        found = changes.list_changes(base_id=base.pk, limit=_LISTED)
        return json_response({"changes": [_tell(change) for change in found]})
    asked = read_asked(request)
    query, keys = _read_which(asked)
    made = changes.ask_for_change(
        access=access_of(request, collection_id), base=name, act=read_act(asked.get("act")), query=query, keys=keys
    )
    return json_response(_tell(_begin(made)))


@require_safe
@answers_json
def one(request: HttpRequest, collection_id: str, name: str, change_id: UUID) -> HttpResponse:
    """How far it is."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    find_base(collection_id, name)
    return json_response(_tell(changes.find_change(collection_id=collection_id, change_id=change_id)))


@require_POST
@answers_json
def undo(request: HttpRequest, collection_id: str, name: str, change_id: UUID) -> HttpResponse:
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    find_base(collection_id, name)
    found = changes.ask_for_undo(access=access_of(request, collection_id), change_id=change_id)
    return json_response(_tell(_begin(found)))


def _begin(change: ItemChange) -> ItemChange:
    """Do what can be done while the person waits; the job worker does the rest."""
    try:
        change = changes.work_a_while(change_id=change.pk, seconds=_AT_ONCE_SECONDS)
    except EngineUnreachable:
        # It is noted: the job worker tries again.
        return change
    if change.finished_at is None:
        jobs.start(jobs.continue_changes)
    return change


def _read_which(asked: dict[str, Any]) -> tuple[str, list[str] | None]:
    """The query in strict JSON, or the words; and the keys of a selection. Raises InvalidInput for a mistake."""
    understood = understand(read_text(asked.get("q", ""), "q"))
    understood.checked()
    keys = None if asked.get("keys") is None else [read_text(key, "keys") for key in read_list(asked["keys"], "keys")]
    return understood.query or understood.text.strip(), keys


def _tell(change: ItemChange) -> dict[str, Any]:
    left = 0 if change.undo_until is None else int((change.undo_until - clock.now()).total_seconds())
    return {
        "id": str(change.pk),
        "act": describe_act(read_act(parse(change.act.encode()))),
        "state": change.state,
        "expected": change.expected,
        "seen": change.seen,
        "changed": change.changed,
        "refused": change.refused,
        "problems": change.problems,
        "reason": change.reason,
        "restored": change.restored,
        "kept": change.kept,
        "asked_at": change.asked_at.isoformat(),
        "undo_seconds": max(0, left) if changes.can_undo(change) else 0,
    }
