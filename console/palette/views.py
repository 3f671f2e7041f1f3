"""The command palette: type a few letters, jump to a page, collection, Base, Drive or Micro."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.page import PageRequest
from storage.collections import usage
from storage.collections.usage import Destination
from storage.models import Role

_MOST = 12
# The pages that every collection has, and who may open them.
_PAGES_OF_COLLECTIONS = (
    ("rocket", "Micros", "micros", Role.READER),
    ("plus", "New Micro", "new-micro", Role.MEMBER),
    ("radar", "Visor", "visor", Role.READER),
    ("send", "HTTP client", "visor-client", Role.READER),
    ("key-round", "Data keys", "keys", Role.MEMBER),
    ("plug", "Connect", "connect", Role.READER),
    ("package", "Exports", "exports", Role.MEMBER),
    ("upload", "Imports", "imports", Role.MEMBER),
    ("calendar-clock", "Snapshots", "snapshots", Role.MEMBER),
    ("settings", "Settings", "settings", Role.OWNER),
)


@dataclass(frozen=True, slots=True)
class Jump:
    """A line of the palette. `where` says what it is and where it belongs."""

    icon: str
    name: str
    where: str
    url: str


@require_safe
def jump(request: PageRequest) -> HttpResponse:
    """What `?q=` finds: pages by their name first, then what is in the collections. Also a page without JavaScript."""
    text = request.GET.get("q", "").strip()[:200]
    destinations = usage.search_destinations(person=request.user, text=text, limit=_MOST)
    found = (
        _pages(request, text)
        + [_jump(destination) for destination in destinations]
        + _pages_of_collections(request, text)
    )
    template = "palette/_found.html" if request.htmx else "palette/index.html"
    return render(request, template, {"found": found[:_MOST], "text": text})


def _pages(request: PageRequest, text: str) -> list[Jump]:
    pages = [("layout-grid", "Collections", "collections"), ("user", "Account", "account")]
    if request.user.is_superuser:
        pages += [("users", "People", "people"), ("plus", "New collection", "new-collection")]
    words = text.lower().split()
    wanted = [page for page in pages if all(word in page[1].lower() for word in words)]
    return [Jump(icon, name, "Page", reverse(route)) for icon, name, route in wanted]


def _pages_of_collections(request: PageRequest, text: str) -> list[Jump]:
    """Pages whose name some of the words begin, of the collections that the other words find."""
    words = text.lower().split()
    found = []
    for icon, name, route, at_least in _PAGES_OF_COLLECTIONS:
        others = [word for word in words if len(word) < 3 or f" {word}" not in f" {name.lower()}"]
        if len(others) == len(words):
            continue
        destinations = usage.search_destinations(person=request.user, text=" ".join(others), limit=_MOST)
        found += [
            Jump(icon, name, f"Page of {destination.collection_name}", reverse(route, args=[destination.collection_id]))
            for destination in destinations
            if destination.kind == "collection" and destination.role.reaches(at_least)
        ]
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
