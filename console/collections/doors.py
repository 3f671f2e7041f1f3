"""The first steps in a new collection: three doors, each of which makes what it leads to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console import access
from console.page import go_to
from storage.base.bases import create_base
from storage.drive.drives import create_drive
from storage.models import Role

# What the first Base and the first Drive are called, where nobody is asked.
FIRST_BASE = "data"
FIRST_DRIVE = "files"


@require_http_methods(["GET", "HEAD", "POST"])
def start(request: HttpRequest, collection_id: str) -> HttpResponse:
    """The doors; a POST with `door` goes through one."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    if request.method == "POST":
        return go_through(request, collection_id)
    return render(request, "collections/start.html", {"granted": granted})


def go_through(request: HttpRequest, collection_id: str) -> HttpResponse:
    """The door that the form names: `data`, `files`, `connect` or `import`; all of them for another. Raises DiskFull."""
    match request.POST.get("door"):
        case "data":
            create_base(collection_id=collection_id, name=FIRST_BASE)
            return go_to(request, f"{reverse('base', args=[collection_id, FIRST_BASE])}#add-item")
        case "files":
            create_drive(collection_id=collection_id, name=FIRST_DRIVE)
            return go_to(request, "drive", collection_id, FIRST_DRIVE)
        case "connect":
            return go_to(request, "connect", collection_id)
        case "import":
            return go_to(request, "new-import", collection_id)
        case _:
            return go_to(request, "start", collection_id)
