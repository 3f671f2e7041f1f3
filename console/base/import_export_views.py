"""Rows in and out as files: the matches of a query as JSON, NDJSON or CSV, and what is pasted or imported as rows."""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from console import access
from console.base import csv_export, staged_imports
from console.base.query_text import understand
from console.base.row_pages import access_of, find_base, find_items, moment_from
from console.json_views import answers_json, json_response, read_body
from console.page import UNPROCESSABLE
from storage import exact_json, limits
from storage.archive.reading import pasted
from storage.base.bases import note_export
from storage.base.query import Predicate
from storage.errors import HistoryNotKept, InvalidInput
from storage.models import Role
from storage.postgres.caller import Access

_TYPES = {"json": "application/json", "ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}


@require_safe
def export(request: HttpRequest, collection_id: str, name: str) -> HttpResponseBase:
    """All matches of `?q=`, as they are read page by page; `?format=` is json, ndjson or csv. With `?as_of=` as they were
    then."""
    access.by_person(request, collection_id)
    find_base(collection_id, name)
    understood, wanted = understand(request.GET.get("q", "")), request.GET.get("format", "json")
    if understood.predicate is None or wanted not in _TYPES:
        context = {"mistake": understood.mistake or {"message": "An export is `json`, `ndjson` or `csv`"}}
        return render(request, "base/_query_error.html", context, status=UNPROCESSABLE)
    who = access_of(request, collection_id)
    try:
        moment = moment_from(request)
        # What is sent as it is read cannot be refused half-way.
        find_items(access=who, base=name, predicate=understood.predicate, limit=1, last=None, moment=moment)
    except (InvalidInput, HistoryNotKept) as error:
        context = {"mistake": {"message": ". ".join(error.messages[1:] or error.messages)}}
        return render(request, "base/_query_error.html", context, status=UNPROCESSABLE)
    if request.method == "GET":
        note_export(collection_id=collection_id, name=name, query=request.GET.get("q", ""), kind=wanted)
    found = _all_items(who, name, understood.predicate, moment)
    write = {"json": _as_json, "ndjson": _as_lines, "csv": csv_export.write}[wanted]
    response = StreamingHttpResponse(write(found), content_type=_TYPES[wanted])
    made = f"{datetime.now(UTC):%Y-%m-%d}"
    response["Content-Disposition"] = f'attachment; filename="{name}-{made}.{wanted}"'
    return response


@require_POST
@answers_json
def parse(request: HttpRequest, collection_id: str, name: str) -> HttpResponse:
    """The body as rows to stage, whatever its form and encoding (`staged_imports.describe`); nothing is stored.

    `?name=` is the file's. `?types=` is a JSON object of the table's columns in their order and their types, which decide what
    `true` or `12` mean in cells, and what the cells are when no line names them.
    """
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    find_base(collection_id, name)
    body = read_body(request, most_bytes=limits.IMPORT_MAX_BYTES)
    read = pasted.read_rows(body, file_name=request.GET.get("name", ""), types=_read_types(request))
    return json_response(staged_imports.describe(read, access=access_of(request, collection_id), base=name))


def _read_types(request: HttpRequest) -> dict[str, str]:
    """Raises InvalidInput."""
    types = exact_json.parse((request.GET.get("types") or "{}").encode())
    if not isinstance(types, dict) or not all(isinstance(each, str) for each in types.values()):
        raise InvalidInput("`types` is not an object of column names and types")
    return types


def _all_items(who: Access, base: str, predicate: Predicate, moment: datetime | None) -> Iterator[str]:
    """Every match as JSON text, in key order, a page in memory at a time."""
    last: str | None = None
    while True:
        page = find_items(
            access=who, base=base, predicate=predicate, limit=limits.QUERY_LIMIT_MAX, last=last, moment=moment
        )
        yield from page.items
        last = page.last
        if last is None:
            return


def _as_json(found: Iterator[str]) -> Iterator[str]:
    """A JSON list. A failure half-way leaves it without its closing bracket, so that half an export is not valid JSON."""
    yield "["
    for number, text in enumerate(found):
        yield f"{',' if number else ''}\n{text}"
    yield "\n]\n"


def _as_lines(found: Iterator[str]) -> Iterator[str]:
    for text in found:
        yield f"{text}\n"
