"""Uploads from the browser: the API's protocol in parts, with the session in place of a data key.

The bytes of a part go on to S3 as they arrive. That works behind Django's middleware because nothing there touches the
body of a PUT: the token against forged requests is in a header (`X-CSRFToken`).
"""

import re

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods, require_POST

from console.drive.context import open_drive
from console.drive.if_exists import read_if_exists
from console.json_views import answers_json, json_response, read_asked, read_text
from console.page import PageRequest
from console.streams import FileBody
from storage import jobs, limits
from storage.drive import files, moves, person_uploads
from storage.drive.person_uploads import Upload
from storage.errors import InvalidInput, NamesTaken
from storage.models import Role
from storage.postgres.database import release_connection

_CONTENT_TYPE = re.compile(rf"[\x20-\x7e]{{1,{limits.CONTENT_TYPE_MAX_CHARACTERS}}}")
_FINGERPRINT_MAX_CHARACTERS = 4096


@require_POST
@answers_json
def start(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """Asked for again with the same fingerprint it is the same upload, and the answer says which parts are there."""
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    asked = read_asked(request)
    size_bytes = asked.get("size")
    if not isinstance(size_bytes, int) or isinstance(size_bytes, bool):
        raise InvalidInput("`size` is not a whole number")
    upload = person_uploads.start_upload(
        access=at.access,
        drive=drive,
        name=read_text(asked.get("name"), "name"),
        size_bytes=size_bytes,
        content_type=_read_content_type(asked.get("content_type")),
        if_exists=read_if_exists(asked.get("if_exists")),
        fingerprint=read_text(asked.get("fingerprint") or "", "fingerprint")[:_FINGERPRINT_MAX_CHARACTERS],
    )
    told = {"id": upload.id, "name": upload.name, "part_size": limits.FILE_BODY_MAX_BYTES}
    return json_response(told | {"parts_there": [part.number for part in upload.parts]}, status=201)


@require_http_methods(["GET", "HEAD", "DELETE"])
@answers_json
def one(request: PageRequest, collection_id: str, drive: str, upload_id: str) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    if request.method == "DELETE":
        person_uploads.abort_upload(access=at.access, drive=drive, upload_id=upload_id)
        jobs.make_room_if_short()
        return json_response({"id": upload_id})
    return json_response(_describe(person_uploads.find_upload(access=at.access, drive=drive, upload_id=upload_id)))


@require_http_methods(["PUT"])
@answers_json
def part(request: PageRequest, collection_id: str, drive: str, upload_id: str, number: int) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    body = FileBody(request.META)
    body.check_size()
    release_connection()
    person_uploads.put_part(access=at.access, drive=drive, upload_id=upload_id, number=number, content=body)
    return json_response({"number": number, "size": body.size_bytes})


@require_POST
@answers_json
def end(request: PageRequest, collection_id: str, drive: str, upload_id: str) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    name, file = person_uploads.end_upload(access=at.access, drive=drive, upload_id=upload_id)
    return json_response({"name": name, "size": file.size_bytes, "etag": file.etag})


def put_whole(request: PageRequest, collection_id: str, drive: str) -> HttpResponseBase:
    """A file of up to 10 MB in one request: `?name=` and `?if_exists=`, the bytes as the body."""
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    name = request.GET.get("name", "")
    if_exists = read_if_exists(request.GET.get("if_exists"))
    # Better said before the bytes are taken in than after.
    if if_exists == "fail" and moves.find_taken(drive_id=at.id, names_given=[name]):
        raise NamesTaken([name])
    body = FileBody(request.META, content_type=_read_content_type(request.META.get("CONTENT_TYPE")))
    body.check_size()
    release_connection()
    stored = files.put_file(access=at.access, drive=drive, name=name, content=body, if_exists=if_exists)
    return json_response({"name": stored, "size": body.size_bytes}, status=201)


def _describe(upload: Upload) -> dict[str, object]:
    parts = [{"number": part.number, "size": part.stored.size_bytes} for part in upload.parts]
    return {"id": upload.id, "name": upload.name, "size": upload.size_bytes, "parts": parts, "ended": upload.has_ended}


def _read_content_type(declared: object) -> str | None:
    """What the browser takes the file for; None when it does not know, or says what no header could."""
    if not isinstance(declared, str) or not _CONTENT_TYPE.fullmatch(declared.strip()):
        return None
    return declared.strip()
