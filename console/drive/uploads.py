"""Uploads from the browser: the API's protocol in parts, with the session in place of a data key.

The bytes of a part go on to S3 as they arrive. That works behind Django's middleware because nothing there touches the
body of a PUT: the token against forged requests is in a header (`X-CSRFToken`).
"""

import re
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods, require_POST

from console.drive.answers import announced_length, answers_json, read_if_exists, read_json, read_text
from console.drive.place import open_drive
from console.frame import PageRequest
from console.streams import read_chunks
from storage import limits
from storage.drive import files, moves, person_uploads
from storage.drive.person_uploads import Upload
from storage.errors import BodyTooLarge, InvalidInput, NamesTaken
from storage.models import Role
from storage.postgres.database import release_connection

_CONTENT_TYPE = re.compile(rf"[\x20-\x7e]{{1,{limits.CONTENT_TYPE_MAX_CHARACTERS}}}")
_FINGERPRINT_MAX_CHARACTERS = 4096


class SentBody:
    """A request's body as the content of a file or part. Raises BodyTooLarge; it or its chunks InvalidInput when it was cut."""

    def __init__(self, request: HttpRequest, *, content_type: str | None = None) -> None:
        self.content_type = content_type
        self._stream = request.META["wsgi.input"]
        self._length = announced_length(request)
        if self._length > limits.FILE_BODY_MAX_BYTES:
            raise BodyTooLarge()

    def open(self) -> tuple[int, Iterator[bytes]]:
        return self._length, read_chunks(self._stream, self._length)


@require_POST
@answers_json
def start(request: PageRequest, collection_id: str, drive: str) -> HttpResponse:
    """Asked for again with the same fingerprint it is the same upload, and the answer says which parts are there."""
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    asked = read_json(request)
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
    return JsonResponse(told | {"parts_there": [part.number for part in upload.parts]}, status=201)


@require_http_methods(["GET", "HEAD", "DELETE"])
@answers_json
def one(request: PageRequest, collection_id: str, drive: str, upload_id: str) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    if request.method == "DELETE":
        person_uploads.abort_upload(access=at.access, drive=drive, upload_id=upload_id)
        return JsonResponse({"id": upload_id})
    return JsonResponse(_describe(person_uploads.find_upload(access=at.access, drive=drive, upload_id=upload_id)))


@require_http_methods(["PUT"])
@answers_json
def part(request: PageRequest, collection_id: str, drive: str, upload_id: str, number: int) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    body = SentBody(request)
    release_connection()
    person_uploads.put_part(access=at.access, drive=drive, upload_id=upload_id, number=number, content=body)
    return JsonResponse({"number": number, "size": announced_length(request)})


@require_POST
@answers_json
def end(request: PageRequest, collection_id: str, drive: str, upload_id: str) -> HttpResponse:
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    name, file = person_uploads.end_upload(access=at.access, drive=drive, upload_id=upload_id)
    return JsonResponse({"name": name, "size": file.size_bytes, "etag": file.etag})


def put_whole(request: PageRequest, collection_id: str, drive: str) -> HttpResponseBase:
    """A file of up to 10 MB in one request: `?name=` and `?if_exists=`, the bytes as the body."""
    at = open_drive(request, collection_id, drive, at_least=Role.MEMBER)
    name = request.GET.get("name", "")
    if_exists = read_if_exists(request.GET.get("if_exists"))
    # Better said before the bytes are taken in than after.
    if if_exists == "fail" and moves.find_taken(drive_id=at.id, names_given=[name]):
        raise NamesTaken([name])
    body = SentBody(request, content_type=_read_content_type(request.META.get("CONTENT_TYPE")))
    release_connection()
    stored = files.put_file(access=at.access, drive=drive, name=name, content=body, if_exists=if_exists)
    return JsonResponse({"name": stored, "size": announced_length(request)}, status=201)


def _describe(upload: Upload) -> dict[str, object]:
    parts = [{"number": part.number, "size": part.stored.size_bytes} for part in upload.parts]
    return {"id": upload.id, "name": upload.name, "size": upload.size_bytes, "parts": parts, "ended": upload.has_ended}


def _read_content_type(declared: object) -> str | None:
    """What the browser takes the file for; None when it does not know, or says what no header could."""
    if not isinstance(declared, str) or not _CONTENT_TYPE.fullmatch(declared.strip()):
        return None
    return declared.strip()
