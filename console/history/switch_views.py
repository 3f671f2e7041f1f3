"""Whether the history of a Base is kept, since when and for how long, and the switch for it."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods

from console import access
from console.base.row_pages import access_of, find_base
from console.history.distributed import explain
from console.page import PageRequest, go_to, show_dialog
from storage.errors import BaseNotFound
from storage.history.beginnings import find_beginning
from storage.history.switch import set_history
from storage.models import Base, Role
from storage.postgres.distribution import items_are_distributed


@dataclass(frozen=True, slots=True)
class History:
    """What is kept of a Base, and of the whole collection at most. Of what happened before `begins_at` something may be
    missing."""

    is_on: bool
    begins_at: datetime
    days: int
    most_mb: int


def describe_history(base: Base) -> History:
    return History(base.history_kept, find_beginning(base.pk).at, settings.HISTORY_DAYS, settings.HISTORY_MAX_MB)


@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: PageRequest, collection_id: str, name: str) -> HttpResponse:
    """What is kept, and the switch; by POST it is on with `on=1`, off without."""
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    base = find_base(collection_id, name)
    if items_are_distributed():
        return explain(request, granted, base)
    if request.method != "POST":
        context = {"granted": granted, "base": base, "history": describe_history(base)}
        return show_dialog(request, "history/switch.html", title=f"History of “{name}”", **context)
    is_kept = bool(request.POST.get("on"))
    try:
        set_history(access=access_of(request, collection_id), base=name, is_kept=is_kept)
    except BaseNotFound as error:
        raise Http404(error.messages[0]) from None
    said = (
        "History is on: each change is kept from now on."
        if is_kept
        else "History is off. What is kept stays for its time."
    )
    return go_to(request, "base-history", collection_id, name, said=said)
