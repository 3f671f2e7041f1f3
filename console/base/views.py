"""The page of one Base, its rows page by page, and one item whole."""

from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.base.last_changed_by import describe_changer
from console.base.query_text import Mistake, understand
from console.base.row_pages import access_of, find_base, find_items, limit_from, moment_from, read_page
from console.json_views import answers_json, json_response
from console.page import UNPROCESSABLE
from storage import names
from storage.base import bases, edits
from storage.base.query import parse_query
from storage.errors import HistoryNotKept, InvalidInput, ItemNotFound, ItemsDistributed
from storage.history import feed
from storage.postgres.distribution import items_are_distributed

_BASES_IN_MENU = 1_000


@require_safe
def base(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """With the first rows of `?q=` in it; `?sort=`, `?last=`, `?as_of=` and `?key=` as for the rows."""
    granted = access.by_person(request, collection_id)
    context: dict[str, object] = {
        "granted": granted,
        "tab": "bases",
        "base": find_base(collection_id, name),
        "base_names": bases.list_base_names(collection_id=collection_id, limit=_BASES_IN_MENU),
        "key": request.GET.get("key", ""),
        # Before the rows are read: what changes behind it is told. Of an earlier moment nothing does.
        "cursor": "" if request.GET.get("as_of") else _end_of_changes(request, collection_id, name),
        "as_of": request.GET.get("as_of", ""),
        "has_history": not items_are_distributed(),
        "can_edit": granted.can_write and not request.GET.get("as_of"),
    }
    return _with_rows(request, "base/page.html", collection_id, name, context)


@require_safe
def rows(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """The rows alone, from `?last=` on, in the `columns` that the table has by now."""
    access.by_person(request, collection_id)
    find_base(collection_id, name)
    return _with_rows(request, "base/_rows.html", collection_id, name, {})


@require_safe
@answers_json
def item(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """`?key=` whole, as JSON text, and who changed it when; with `?as_of=` as it was then, whoever made it so."""
    granted = access.by_person(request, collection_id)
    find_base(collection_id, name)
    if (moment := moment_from(request)) is not None:
        return json_response(_item_then(request, collection_id, name, moment))
    state = edits.get_state(
        access=access_of(request, collection_id), base=name, key=names.check_key(request.GET.get("key", ""))
    )
    return json_response(
        {"key": state.key, "revision": str(state.revision), "json": state.json} | describe_changer(granted, state)
    )


def _end_of_changes(request: HttpRequest, collection_id: str, name: str) -> feed.Cursor | str:
    """ "" where nobody tells of changes, so that the table does not follow any."""
    try:
        return feed.read_changes(access=access_of(request, collection_id), base=name, since="now").cursor
    except ItemsDistributed:
        return ""


def _item_then(request: HttpRequest, collection_id: str, name: str, moment: datetime) -> dict[str, str]:
    key = names.check_key(request.GET.get("key", ""))
    page = find_items(
        access=access_of(request, collection_id),
        base=name,
        predicate=parse_query([{"key": key}]),
        limit=1,
        last=None,
        moment=moment,
    )
    if not page.items:
        raise ItemNotFound()
    return {"key": key, "revision": str(page.revisions[0]), "json": page.items[0]}


def _with_rows(
    request: HttpRequest, template: str, collection_id: str, name: str, context: dict[str, object]
) -> HttpResponse:
    understood = understand(request.GET.get("q", ""))
    sort, limit, status, page = request.GET.get("sort", ""), limit_from(request), 200, None
    moment: datetime | None = None
    fault: Mistake | None = None
    if understood.predicate is None:
        template, status = (template if context else "base/_query_error.html"), UNPROCESSABLE
    else:
        try:
            moment = moment_from(request)
            page = read_page(
                access=access_of(request, collection_id),
                base=name,
                predicate=understood.predicate,
                sort=sort,
                last=request.GET.get("last", ""),
                limit=limit,
                columns=request.GET.getlist("columns"),
                moment=moment,
            )
        except (InvalidInput, HistoryNotKept) as error:
            template, status = (template if context else "base/_query_error.html"), UNPROCESSABLE
            fault = Mistake(". ".join(error.messages[1:] or error.messages))
    context |= {
        "q": understood.text,
        "sort": sort,
        "page": page,
        "mistake": understood.mistake or (None if template == "base/page.html" else fault),
        "moment": moment,
        "moment_fault": fault.message if fault else "",
    }
    return render(request, template, context, status=status)
