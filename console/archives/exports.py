"""The pages of exports. An export contains the whole collection, so they need a role above read-only."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console import access
from console.downloads import send_file
from console.error_status import RangeNotSatisfiable
from console.json_views import error_response
from console.page import PageRequest, go_to, show_dialog
from storage import jobs
from storage.archive.exporting import exports
from storage.errors import ArchiveNotFound, InvalidInput
from storage.models import Collection, Export, Role


@require_safe
def index(request: PageRequest, collection_id: str) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    found = exports.list_exports(collection_id)
    context = {"granted": granted, "tab": "exports", "part": "exports", "exports": found}
    return render(request, "archives/exports.html", context | {"is_moving": any(map(_is_moving, found))})


@require_POST
def new(request: PageRequest, collection_id: str) -> HttpResponse:
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    try:
        exports.ask_for_export(collection_id=collection_id, asked_by=request.user)
    except InvalidInput as error:
        messages.error(request, f"{error.messages[0]}.")
        return redirect("exports", collection_id)
    jobs.start(jobs.continue_archives)
    return go_to(request, "exports", collection_id)


@require_safe
def download(request: PageRequest, collection_id: str, export_id: UUID) -> HttpResponseBase:
    """The zip; an interrupted download can be resumed."""
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    try:
        export = exports.find_export(collection_id=collection_id, export_id=export_id)
        file = exports.open_export(collection_id=collection_id, export_id=export_id)
        # What turns out to be for other threads, and comes again there, is undone here.
        with transaction.atomic():
            if request.method == "GET":
                exports.note_download(export)
            return send_file(request, file, headers=_headers(granted.collection, export))
    except ArchiveNotFound as error:
        raise Http404(error.messages[0]) from None
    except RangeNotSatisfiable as error:
        return error_response(error)


@require_POST
def check(request: PageRequest, collection_id: str, export_id: UUID) -> HttpResponse:
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    try:
        exports.request_check(collection_id=collection_id, export_id=export_id)
    except ArchiveNotFound as error:
        raise Http404(error.messages[0]) from None
    jobs.start(jobs.continue_archives)
    return go_to(request, "exports", collection_id)


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: PageRequest, collection_id: str, export_id: UUID) -> HttpResponse:
    granted = access.by_person(request, collection_id, at_least=Role.MEMBER)
    try:
        export = exports.find_export(collection_id=collection_id, export_id=export_id)
    except ArchiveNotFound as error:
        raise Http404(error.messages[0]) from None
    if request.method == "POST":
        exports.delete_export(collection_id=collection_id, export_id=export_id)
        jobs.make_room_if_short()
        return go_to(request, "exports", collection_id, said="Export deleted.")
    title = "Stop and delete this export?" if _is_moving(export) else "Delete this export?"
    return show_dialog(request, "archives/delete_export.html", granted=granted, export=export, title=title)


def _is_moving(export: Export) -> bool:
    busy = (Export.Check.WANTED, Export.Check.RUNNING)
    is_being_checked = export.state == Export.State.DONE and export.check_state in busy
    return export.state in (Export.State.QUEUED, Export.State.RUNNING) or is_being_checked


def _headers(collection: Collection, export: Export) -> dict[str, str]:
    name = f"{slugify(collection.name) or collection.id}-{export.asked_at:%Y-%m-%d-%H%M}.zip"
    # A zip is packed already, and one that is packed once more on its way has no length and no ranges.
    return {"Content-Disposition": str(content_disposition_header(True, name)), "Content-Encoding": "identity"}
