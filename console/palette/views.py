"""The command palette: type a few letters, jump to a page, collection, Base, Drive or Micro, or do something."""

from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, get_script_prefix, resolve, reverse
from django.views.decorators.http import require_safe

from console.page import PageRequest
from storage.collections import usage
from storage.collections.usage import Destination
from storage.models import Role

_MOST = 12


class OfCollection(NamedTuple):
    """A page that every collection has, or an act that can be done in each: by whom, and `how`, as a `Jump` says."""

    icon: str
    name: str
    route: str
    at_least: Role
    how: str = "go"


_PAGES_OF_COLLECTIONS = (
    OfCollection("rocket", "Micros", "micros", Role.READER),
    OfCollection("plus", "New Micro", "new-micro", Role.MEMBER),
    OfCollection("radar", "Visor", "visor", Role.READER),
    OfCollection("send", "HTTP client", "visor-client", Role.READER),
    OfCollection("key-round", "Data keys", "keys", Role.MEMBER),
    OfCollection("plug", "Connect", "connect", Role.READER),
    OfCollection("package", "Exports", "exports", Role.MEMBER),
    OfCollection("upload", "Imports", "imports", Role.MEMBER),
    OfCollection("calendar-clock", "Snapshots", "snapshots", Role.MEMBER),
    OfCollection("settings", "Settings", "settings", Role.OWNER),
)
_ACTS_OF_COLLECTIONS = (
    OfCollection("plus", "New Base", "new-base", Role.MEMBER, "dialog"),
    OfCollection("folder-plus", "New Drive", "new-drive", Role.MEMBER, "dialog"),
    OfCollection("key-round", "New data key", "new-key", Role.OWNER, "dialog"),
    OfCollection("package", "Export now", "new-export", Role.MEMBER, "post"),
)
_THEMES = (("sun", "Light theme", "light"), ("moon", "Dark theme", "dark"), ("monitor", "Theme of the system", ""))


@dataclass(frozen=True, slots=True)
class Jump:
    """A line of the palette. `where` says what it is and where it belongs.

    `how` is "go" to the page at `url`, "dialog" to open it over the page that is open, "post" to send it a form without
    fields, or "theme" to choose `url`, which is a theme then.
    """

    icon: str
    name: str
    where: str
    url: str
    how: str = "go"


@require_safe
def jump(request: PageRequest) -> HttpResponse:
    """What `?q=` finds: pages whose names begin so, what is in the collections, other pages. Also a page without JavaScript.

    With nothing typed, what can be done in the collection whose page is open comes first.
    """
    text = request.GET.get("q", "").strip()[:200]
    destinations = usage.search_destinations(person=request.user, text=text, limit=_MOST)
    pages = _pages(request, text)
    first = [page for page in pages if page.name.lower().startswith(text.lower())]
    found = (
        (_acts_here(request) if not text else _themes(request, text))
        + first
        + [_jump(destination) for destination in destinations]
        + [page for page in pages if page not in first]
        + _of_collections(request, text)
    )
    template = "palette/_found.html" if request.htmx else "palette/index.html"
    return render(request, template, {"found": found[:_MOST], "text": text})


def _pages(request: PageRequest, text: str) -> list[Jump]:
    pages = [
        ("layout-grid", "Collections", "collections"),
        ("user", "Account", "account"),
        ("braces", "API reference", "api-reference"),
    ]
    if request.user.is_superuser:
        pages += [
            ("activity", "Server", "server"),
            ("users", "People", "people"),
            ("plus", "New collection", "new-collection"),
        ]
    words = text.lower().split()
    wanted = [page for page in pages if all(word in page[1].lower() for word in words)]
    return [Jump(icon, name, "Page", reverse(route)) for icon, name, route in wanted]


def _acts_here(request: PageRequest) -> list[Jump]:
    """What this person can do in the collection whose page is open."""
    path = urlsplit(request.htmx.current_url_abs_path or "").path
    try:
        collection_id = resolve("/" + path.removeprefix(get_script_prefix())).kwargs.get("collection_id", "")
    except Resolver404:
        return []
    if not collection_id:
        return []
    found = usage.search_destinations(person=request.user, text=collection_id, limit=_MOST)
    return [
        jump
        for destination in found
        if destination.collection_id == collection_id
        for act in _ACTS_OF_COLLECTIONS
        if (jump := _of_collection(destination, act))
    ]


def _of_collection(destination: Destination, act: OfCollection) -> Jump | None:
    if destination.kind != "collection" or not destination.role.reaches(act.at_least):
        return None
    where = f"{'Page of' if act.how == 'go' else 'In'} {destination.collection_name}"
    return Jump(act.icon, act.name, where, reverse(act.route, args=[destination.collection_id]), act.how)


def _themes(request: PageRequest, text: str) -> list[Jump]:
    """The themes whose name has words that begin as those that were typed; a script chooses them."""
    if not request.htmx:
        return []
    words = text.lower().split()
    return [
        Jump(icon, name, "This browser", theme, "theme")
        for icon, name, theme in _THEMES
        if all(len(word) >= 3 and f" {word}" in f" {name.lower()}" for word in words)
    ]


def _of_collections(request: PageRequest, text: str) -> list[Jump]:
    """Acts and pages whose name some of the words begin, of the collections that the other words find."""
    words = text.lower().split()
    found = []
    for act in _ACTS_OF_COLLECTIONS + _PAGES_OF_COLLECTIONS:
        meant = [word for word in words if f" {word}" in f" {act.name.lower()}"]
        # One or two letters alone would mean too much; behind a longer word they are the next one, half typed.
        if all(len(word) < 3 for word in meant):
            continue
        others = [word for word in words if word not in meant]
        destinations = usage.search_destinations(person=request.user, text=" ".join(others), limit=_MOST)
        found += [jump for destination in destinations if (jump := _of_collection(destination, act))]
    return found


def _jump(destination: Destination) -> Jump:
    if destination.kind == "collection":
        return Jump("box", destination.name, "Collection", reverse("collection", args=[destination.collection_id]))
    where = f"{destination.kind.title()} in {destination.collection_name}"
    if destination.kind == "micro":
        url = reverse("micro", args=[destination.collection_id, destination.id])
        return Jump("rocket", destination.name, where, url)
    icon = "table-2" if destination.kind == "base" else "folder"
    return Jump(
        icon, destination.name, where, reverse(destination.kind, args=[destination.collection_id, destination.name])
    )
