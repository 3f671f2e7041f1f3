"""What keeps an open table up to date: which items change, as a stream, and their rows as they are now."""

import json

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_safe

from console import access
from console.base.cells import Line, make_rows
from console.base.last_changed_by import describe_changers
from console.base.query_text import understand
from console.base.row_pages import access_of, find_base
from console.json_views import answers_json
from console.live.pages import follow_base
from console.page import UNPROCESSABLE
from storage import limits, names
from storage.base import edits, overviews
from storage.base.query import Predicate
from storage.errors import InvalidInput


@require_GET
@answers_json
def stream(request: HttpRequest, collection_id: str, name: str) -> HttpResponseBase:
    """Server-sent events, one for each change behind `?since=`: the item's key and revision, and whether it is gone."""
    access.by_person(request, collection_id)
    find_base(collection_id, name)
    return follow_base(request, collection_id, name)


@require_safe
def rows(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """The rows of the items `?keys=` as they are now, in no order; of each, by whom it was changed, and whether it matches `?q=`.

    An item that isn't there has no row.
    """
    granted = access.by_person(request, collection_id)
    find_base(collection_id, name)
    understood, keys = understand(request.GET.get("q", "")), _keys_of(request)
    if understood.predicate is None:
        return render(request, "base/_query_error.html", {"mistake": understood.mistake}, status=UNPROCESSABLE)
    who = access_of(request, collection_id)
    found = list(edits.get_states(access=who, base=name, keys=keys).values())
    matching = (
        {state.key for state in found}
        if understood.predicate == Predicate()
        else overviews.find_matching(access=who, base=name, predicate=understood.predicate, keys=keys)
    )
    about = [
        {"by": changer["changed_by"], "matches": state.key in matching}
        for state, changer in zip(found, describe_changers(granted, found), strict=True)
    ]
    made = make_rows(Line(state.json, state.revision) for state in found)
    return render(request, "base/_live_rows.html", {"rows": made, "about": json.dumps(about)})


def _keys_of(request: HttpRequest) -> list[str]:
    """Raises BadRequest."""
    keys = request.GET.getlist("keys")
    if len(keys) > limits.LIVE_ROWS_MAX:
        raise BadRequest(f"At most {limits.LIVE_ROWS_MAX} rows are read at once")
    try:
        return [names.check_key(key) for key in keys]
    except InvalidInput as error:
        raise BadRequest(error.messages[0]) from None
