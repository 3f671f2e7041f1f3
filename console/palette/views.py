"""The command palette: type a few letters, jump to a page, collection, Base or Drive."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.frame import PageRequest
from storage import figures
from storage.figures import Destination

_MOST = 12
_PAGE_ICONS = {"exports": "package", "imports": "upload", "snapshots": "calendar-clock"}


@dataclass(frozen=True, slots=True)
class Jump:
    """A line of the palette. `where` says what it is or whose."""

    icon: str
    name: str
    where: str
    url: str


@require_safe
def jump(request: PageRequest) -> HttpResponse:
    """What `?q=` finds: pages by their name first, then what is in the collections. Also a page without JavaScript."""
    text = request.GET.get("q", "").strip()[:200]
    found = _pages(request, text) + [
        _jump(place) for place in figures.search_places(person=request.user, text=text, limit=_MOST)
    ]
    found += _tools(request, text)
    template = "palette/_found.html" if request.htmx else "palette/index.html"
    return render(request, template, {"found": found[:_MOST], "text": text})


def _pages(request: PageRequest, text: str) -> list[Jump]:
    pages = [("layout-grid", "Collections", "collections"), ("user", "Account", "account")]
    if request.user.is_superuser:
        pages += [("users", "People", "people"), ("plus", "New collection", "new-collection")]
    words = text.lower().split()
    wanted = [page for page in pages if all(word in page[1].lower() for word in words)]
    return [Jump(icon, name, "Page", reverse(route)) for icon, name, route in wanted]


def _tools(request: PageRequest, text: str) -> list[Jump]:
    """The Visor and the HTTP client of the collections that the other words find."""
    words = text.lower().split()
    tools = [("radar", "Visor", "visor"), ("send", "HTTP client", "visor-client")]
    found = []
    for icon, name, route in tools:
        others = [word for word in words if word not in name.lower()]
        if len(others) < len(words):
            places = figures.search_places(person=request.user, text=" ".join(others), limit=_MOST)
            collections = [place for place in places if place.kind == "collection"]
            found += [
                Jump(icon, name, f"of {place.collection_name}", reverse(route, args=[place.collection_id]))
                for place in collections
            ]
    return found


def _jump(place: Destination) -> Jump:
    if place.kind == "collection":
        return Jump("box", place.name, "Collection", reverse("collection", args=[place.collection_id]))
    if place.kind in _PAGE_ICONS:
        url = reverse(place.kind, args=[place.collection_id])
        return Jump(_PAGE_ICONS[place.kind], place.name, f"Page of {place.collection_name}", url)
    where = f"{place.kind.title()} in {place.collection_name}"
    icon = "table-2" if place.kind == "base" else "folder"
    return Jump(icon, place.name, where, reverse(place.kind, args=[place.collection_id, place.name]))
