"""The history of a Base: a stream of who changed what, and the versions of one item in a panel beside it."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console import access
from console.base.row_pages import access_of, find_base
from console.history import requests
from console.history.distributed import explain
from console.history.filters import KINDS, Filters, read_filters, read_version
from console.history.lines import VersionLine, describe_versions
from console.history.switch_views import describe_history
from console.history.writers import list_writers
from console.page import PageRequest
from storage.base import edits
from storage.collections.roles import CollectionAccess
from storage.errors import InvalidInput
from storage.events.blocks import Line
from storage.history import versions
from storage.history.versions import Page
from storage.models import Base
from storage.postgres.caller import Access
from storage.postgres.distribution import items_are_distributed

_LINES = 50
_VERSIONS = 20


@require_safe
def stream(request: PageRequest, collection_id: str, name: str) -> HttpResponse:
    """Newest first; `?before=` is the version to go on before."""
    granted = access.by_person(request, collection_id)
    base = find_base(collection_id, name)
    if items_are_distributed():
        return explain(request, granted, base)
    return render(request, "history/stream.html", _list(request, granted, base))


@require_safe
def item(request: PageRequest, collection_id: str, name: str) -> HttpResponse:
    """The versions of `?key=`, before `?last=`. The panel alone for scripts, else beside the stream."""
    granted = access.by_person(request, collection_id)
    base = find_base(collection_id, name)
    if items_are_distributed():
        return explain(request, granted, base)
    panel = _panel(request, granted, base, request.GET.get("of", ""))
    if request.htmx or request.headers.get("X-Requested-With") == "fetch":
        return render(request, "history/_item.html", panel)
    return render(request, "history/stream.html", _list(request, granted, base) | panel)


def _list(request: PageRequest, granted: CollectionAccess, base: Base) -> dict[str, Any]:
    filters = read_filters(request.GET, sees_keys=granted.sees_keys)
    who = access_of(request, granted.collection.id)
    page, asked = _find_page(request, base, filters, who)
    lines = describe_versions(granted, page.versions)
    return {
        "granted": granted,
        "tab": "bases",
        "base": base,
        "filters": filters,
        "lines": lines,
        "older": page.last,
        "looked_until": page.looked_until,
        "is_first_page": not request.GET.get("before"),
        "request_line": asked,
        "kinds": KINDS,
        "writers": list_writers(granted, lines),
        "history": describe_history(base),
    }


def _find_page(request: PageRequest, base: Base, filters: Filters, who: Access) -> tuple[Page, Line | None]:
    """The versions that the filter means, and the recorded request that it names, if any."""
    before = read_version(request.GET.get("before", ""))
    if filters.event:
        return requests.find_written(who, base.name, event_id=filters.event)
    if filters.key:
        return _of_item(who, base.name, filters, before), None
    return versions.list_changes(
        access=who, base=base.name, conditions=filters.conditions, limit=_LINES, last=before
    ), None


def _of_item(who: Access, base: str, filters: Filters, before: int | None) -> Page:
    """One item's versions, of which those that meet the rest of the filter are kept."""
    try:
        page = versions.list_versions(access=who, base=base, key=filters.key, limit=_LINES, last=before)
    except InvalidInput:
        return Page([], None)
    return replace(page, versions=[version for version in page.versions if filters.meets(version)])


def _panel(request: PageRequest, granted: CollectionAccess, base: Base, key: str) -> dict[str, Any]:
    who, last = access_of(request, granted.collection.id), read_version(request.GET.get("last", ""))
    try:
        page = versions.list_versions(access=who, base=base.name, key=key, limit=_VERSIONS, last=last)
        present = edits.get_states(access=who, base=base.name, keys=[key]).get(key)
    except InvalidInput:
        page, present = Page([], None), None
    lines = [
        _with_ways(line, present.revision if present else None) for line in describe_versions(granted, page.versions)
    ]
    return {
        "granted": granted,
        "base": base,
        "item_key": key,
        "present": present,
        "versions": requests.with_requests(granted.collection.id, base.name, lines),
        "next": page.last,
        "last": last,
        "history": describe_history(base),
        "filters": read_filters(request.GET, sees_keys=granted.sees_keys),
    }


def _with_ways(line: VersionLine, present: int | None) -> VersionLine:
    """With what of it can be brought back: what it made, or what a deletion took."""
    version = line.version
    is_present = present is not None and version.revision == present and version.after is not None
    if version.after is not None:
        return replace(line, restores="" if is_present else "after", is_present=is_present)
    return replace(line, restores="before" if version.before is not None and present is None else "")
