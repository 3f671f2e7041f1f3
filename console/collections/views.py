"""The pages of collections, and of one collection's Bases and Drives."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from console import access
from console.collections import doors
from console.collections.forms import BaseForm, CollectionForm
from console.page import PageRequest, go_to, show_dialog
from storage import jobs, names
from storage.base.bases import create_base
from storage.collections import collections, deletion, stores, usage
from storage.drive.drives import create_drive
from storage.errors import InvalidInput
from storage.models import Role
from storage.numbers import read_number

PAGE_SIZE = 60
_PAGE_MAX = 100_000


@require_safe
def index(request: PageRequest) -> HttpResponse:
    """A page of cards; `?q=` filters by name."""
    search = request.GET.get("q", "").strip()
    page = min(max(read_number(request.GET.get("page", "")) or 1, 1), _PAGE_MAX)
    offset = (page - 1) * PAGE_SIZE
    holdings = usage.list_holdings(person=request.user, search=search, offset=offset, limit=PAGE_SIZE)
    context = {
        "holdings": holdings,
        "search": search,
        "first": offset + 1,
        "last": offset + len(holdings.collections),
        "previous_page": page - 1 if page > 1 else None,
        "next_page": page + 1 if offset + PAGE_SIZE < holdings.total else None,
        "deletions": deletion.list_deletions(request.user),
        "is_recounting": _recount_if_due(),
        "count": usage.last_count(),
    }
    template = "collections/_cards.html" if request.htmx.target == "cards" else "collections/index.html"
    return render(request, template, context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_collection(request: PageRequest) -> HttpResponse:
    """Only for owners of the server; others are invited to collections. `door` says where the form leads (`doors.py`)."""
    access.server_owner(request)
    door = request.POST.get("door") or request.GET.get("door", "")
    form = CollectionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = collections.create_collection(form.cleaned_data["name"])
            return doors.go_through(request, made.id)
        except InvalidInput as error:
            form.add_error("name", error.messages[0])
    title = "Import into a new collection" if door == "import" else "New collection"
    return show_dialog(request, "collections/new.html", form=form, door=door, title=title)


@require_safe
def deletions(request: PageRequest) -> HttpResponse:
    """The progress of running deletions; the list of collections polls it."""
    found = deletion.list_deletions(request.user)
    return render(request, "collections/_deletions.html", {"deletions": found})


@require_safe
def collection(request: HttpRequest, collection_id: str) -> HttpResponse:
    access.by_person(request, collection_id)
    return redirect("bases", collection_id)


@require_safe
def bases(request: HttpRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id)
    found = usage.list_bases(collection_id)
    context = {
        "granted": granted,
        "tab": "bases",
        "bases": found,
        "set_aside": stores.list_set_aside(collection_id=collection_id, kind="base"),
        "is_recounting": _recount_if_due() or not all(hasattr(base, "figures") for base in found),
        "count": usage.last_count(),
    }
    return render(request, "collections/bases.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_base(request: HttpRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    form = BaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            name = names.check_name(form.cleaned_data["name"])
            create_base(collection_id=collection_id, name=name)
            return go_to(request, "base", collection_id, name)
        except InvalidInput as error:
            form.add_error("name", error.messages[-1])
    return show_dialog(request, "collections/new_base.html", form=form, granted=granted, title="New Base")


@require_safe
def drives(request: HttpRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id)
    found = usage.list_drives(collection_id)
    context = {
        "granted": granted,
        "tab": "drives",
        "drives": found,
        "set_aside": stores.list_set_aside(collection_id=collection_id, kind="drive"),
        "is_recounting": _recount_if_due() or not all(hasattr(drive, "figures") for drive in found),
        "count": usage.last_count(),
    }
    return render(request, "collections/drives.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def new_drive(request: PageRequest, collection_id: str) -> HttpResponse:
    """Not below `drive/`, where every name is a Drive's."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    form = BaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            name = names.check_name(form.cleaned_data["name"])
            create_drive(collection_id=collection_id, name=name)
            return go_to(request, "drive", collection_id, name)
        except InvalidInput as error:
            form.add_error("name", error.messages[-1])
    return show_dialog(request, "collections/new_drive.html", form=form, granted=granted, title="New Drive")


def _recount_if_due() -> bool:
    """Keep the shown counts fresh: if a count is due, start a job, and let the page ask again."""
    is_due = usage.is_count_due()
    if is_due:
        jobs.start(jobs.count_everything)
    return is_due
