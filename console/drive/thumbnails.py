"""Thumbnails of a Drive's pictures: a page asks for those it shows, and again until they are made."""

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from console.downloads import send_file
from console.drive.context import open_drive
from console.json_views import answers_json, json_response, read_asked, read_list
from console.page import PageRequest
from storage import jobs
from storage.drive import files
from storage.errors import FileNotFound, InvalidInput
from storage.postgres.database import release_connection
from storage.thumbnails import thumbnails


@require_POST
@answers_json
def wanted(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """Which of `names` have a thumbnail ("made"), will have one ("wanted"), or can have none; others are left out."""
    at = open_drive(request, collection_id, drive)
    asked = read_list(read_asked(request).get("names"), "names")
    states = thumbnails.want_thumbnails(drive_id=at.id, names_given=asked)
    if "wanted" in states.values():
        jobs.start(jobs.make_thumbnails)
    return json_response({"states": states})


@require_safe
@answers_json
def one(request: PageRequest, collection_id: str, drive: str) -> HttpResponseBase:
    """The thumbnail of `?name=`, which this server has made: nothing of the file's own bytes is in it."""
    at = open_drive(request, collection_id, drive)
    try:
        found = files.get_file(access=at.access, drive=drive, name=request.GET.get("name", ""))
        small = thumbnails.find_thumbnail(found)
    except (FileNotFound, InvalidInput) as error:
        raise Http404(error.messages[0]) from None
    release_connection()
    return send_file(request, small, headers={"Cross-Origin-Resource-Policy": "same-origin"})
