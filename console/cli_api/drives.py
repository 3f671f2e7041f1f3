"""Drives for the command, beyond the public API: which there are, files with their hashes, uploads that can be gone on with.

An upload is the console's (`storage/drive/person_uploads.py`), and tells the hash of each part that is there.
"""

from django.http.response import HttpResponseBase

from console import access
from console.cli_api.gate import TokenRequest
from console.json_views import json_response, read_asked, read_text
from console.streams import FileBody
from storage import jobs, limits, names
from storage.collections import usage
from storage.drive import drives, folders, listing, person_uploads
from storage.errors import InvalidInput
from storage.models import Role
from storage.postgres.caller import Access
from storage.postgres.database import release_connection

_FINGERPRINT_MAX_CHARACTERS = 200


def list_all(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"drives": [{"name", "files", "size_bytes"}, ...]}`, as last counted; null for what is not counted yet."""
    access.by_person(request, collection_id)
    if usage.is_count_due():
        jobs.start(jobs.count_everything)
    told = [
        {
            "name": drive.name,
            "files": drive.figures.files if hasattr(drive, "figures") else None,
            "size_bytes": drive.figures.size_bytes if hasattr(drive, "figures") else None,
        }
        for drive in usage.list_drives(collection_id)
    ]
    return json_response({"drives": told})


def create(request: TokenRequest, collection_id: str) -> HttpResponseBase:
    """`{"name"}`: a Drive, also when there is one of this name already."""
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    name = names.check_name(read_text(read_asked(request).get("name"), "name"))
    drives.create_drive(collection_id=collection_id, name=name)
    return json_response({"name": name}, status=201)


def list_files(request: TokenRequest, collection_id: str, name: str) -> HttpResponseBase:
    """A page of the files behind `?prefix=`, after `?last=`; `last` in the answer is null at the end. Raises DriveNotFound."""
    access.by_person(request, collection_id)
    drive_id = folders.find_drive(collection_id=collection_id, name=name)
    page = listing.list_with_hashes(
        drive_id=drive_id, prefix=request.GET.get("prefix", ""), last=request.GET.get("last", "")
    )
    told = [
        {
            "name": file.name,
            "size": file.size_bytes,
            "content_type": file.content_type,
            "changed_at": file.changed_at.isoformat(),
            "hash": file.etag,
            "parts": file.parts or [(0, 1)],
        }
        for file in page.files
    ]
    return json_response({"files": told, "last": page.last})


def start_upload(request: TokenRequest, collection_id: str, name: str) -> HttpResponseBase:
    """`{"name", "size", "fingerprint", "content_type"}`: an upload that replaces the file.

    It is the open one of the same fingerprint, if there is one:

    `{"id", "part_size", "parts": [{"number", "size", "hash"}, ...]}`.
    """
    who = _writer(request, collection_id)
    asked = read_asked(request)
    size_bytes = asked.get("size")
    if type(size_bytes) is not int:
        raise InvalidInput("`size` is not a whole number")
    content_type = asked.get("content_type")
    upload = person_uploads.start_upload(
        access=who,
        drive=name,
        name=read_text(asked.get("name"), "name"),
        size_bytes=size_bytes,
        content_type=None if content_type is None else _check_type(read_text(content_type, "content_type")),
        if_exists="replace",
        fingerprint=read_text(asked.get("fingerprint"), "fingerprint")[:_FINGERPRINT_MAX_CHARACTERS],
    )
    parts = [{"number": part.number, "size": part.stored.size_bytes, "hash": part.stored.md5} for part in upload.parts]
    told = {"id": upload.id, "part_size": limits.FILE_BODY_MAX_BYTES, "parts": parts}
    return json_response(told, status=201)


def put_part(request: TokenRequest, collection_id: str, name: str, upload_id: str, number: int) -> HttpResponseBase:
    """The body as a part. Its bytes go on to S3 as they are read."""
    who = _writer(request, collection_id)
    body = FileBody(request.META)
    body.check_size()
    release_connection()
    person_uploads.put_part(access=who, drive=name, upload_id=upload_id, number=number, content=body)
    return json_response({"number": number, "size": body.size_bytes})


def end_upload(request: TokenRequest, collection_id: str, name: str, upload_id: str) -> HttpResponseBase:
    """The file out of its parts: `{"name", "size", "hash"}`. Ending it again changes nothing."""
    who = _writer(request, collection_id)
    stored_as, file = person_uploads.end_upload(access=who, drive=name, upload_id=upload_id)
    return json_response({"name": stored_as, "size": file.size_bytes, "hash": file.etag})


def _writer(request: TokenRequest, collection_id: str) -> Access:
    access.by_person(request, collection_id, at_least=Role.MEMBER)
    return Access(collection_id, person_id=request.user.pk)


def _check_type(declared: str) -> str:
    if not (declared.isascii() and declared.isprintable() and 1 <= len(declared) <= limits.CONTENT_TYPE_MAX_CHARACTERS):
        raise InvalidInput("Bad content type")
    return declared
