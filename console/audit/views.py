"""The pages of the audit log: a collection's for its owners, and the whole server's for its owners; each as a file too."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from console import access
from console.audit import files
from console.audit.details import describe
from console.audit.filters import OTHERS, read_cursor, read_filters, write_cursor
from console.page import PageRequest
from storage import limits
from storage.audit import log as audit
from storage.audit.log import Kind
from storage.models import Role

_WRITERS = {"csv": files.write_csv, "jsonl": files.write_lines}


@require_safe
def of_server(request: PageRequest) -> HttpResponse:
    access.server_owner(request)
    context = _list(request, None)
    template = "audit/_list.html" if request.htmx.target == "audit-list" else "audit/server.html"
    return render(request, template, context)


@require_safe
def of_collection(request: PageRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    context = _list(request, collection_id) | {"granted": granted, "tab": "settings"}
    template = "audit/_list.html" if request.htmx.target == "audit-list" else "audit/collection.html"
    return render(request, template, context)


@require_safe
def export_of_server(request: PageRequest) -> HttpResponseBase:
    access.server_owner(request)
    return _send(request, None, "homeport")


@require_safe
def export_of_collection(request: PageRequest, collection_id: str) -> HttpResponseBase:
    granted = access.by_person(request, collection_id, at_least=Role.OWNER)
    return _send(request, collection_id, slugify(granted.collection.name) or collection_id)


def _list(request: PageRequest, collection_id: str | None) -> dict[str, Any]:
    """A page of entries; `?before=` says behind which one it begins."""
    filters = read_filters(request.GET)
    before = read_cursor(request.GET.get("before", ""))
    size = limits.AUDIT_ENTRIES_PER_PAGE
    found = audit.list_entries(filters.conditions(collection_id), before=before, limit=size + 1)
    entries, more = found[:size], found[size:]
    names = audit.list_names(collection_id)
    if filters.person and filters.person not in names:
        names = [filters.person, *names]
    return {
        "lines": [describe(entry) for entry in entries],
        "older": write_cursor(entries[-1].at, entries[-1].id) if more else "",
        "is_first_page": before is None,
        "filters": filters,
        "names": names,
        "others": OTHERS,
        "kinds": [(kind.value, kind.label) for kind in Kind],
        "days": settings.AUDIT_DAYS,
        "address": _address("audit", collection_id),
        "file_address": _address("export-audit", collection_id),
    }


def _address(page: str, collection_id: str | None) -> str:
    if collection_id is None:
        return reverse(page)
    return reverse(page.replace("audit", "collection-audit"), args=[collection_id])


def _send(request: PageRequest, collection_id: str | None, label: str) -> HttpResponseBase:
    """All entries that the filter finds; `?format=` is csv or jsonl. Raises Http404 for another."""
    wanted = request.GET.get("format", "csv")
    if wanted not in files.TYPES:
        raise Http404("The audit log comes as `csv` or `jsonl`")
    filters = read_filters(request.GET)
    if request.method == "HEAD":
        return HttpResponse(content_type=files.TYPES[wanted])
    audit.note_export(collection_id=collection_id or "", kind=wanted, query=filters.query)
    found = audit.all_entries(filters.conditions(collection_id))
    response = StreamingHttpResponse(_WRITERS[wanted](found), content_type=files.TYPES[wanted])
    made = f"{datetime.now(UTC):%Y-%m-%d}"
    response["Content-Disposition"] = f'attachment; filename="{label}-audit-{made}.{wanted}"'
    return response
