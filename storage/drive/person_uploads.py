"""Uploads from the console: the API's protocol in parts, for a person instead of a data key.

In addition the size is announced and checked at the end, an interrupted upload is found again by its file's
fingerprint, and the person chooses what happens when the name is taken. An upload is one person's:
nobody else can see it or add to it (promises: P8).
"""

import hashlib
import uuid
from dataclasses import dataclass

from storage import disk_space, limits, names
from storage.drive import folders, free_names, uploads
from storage.drive.files import Content, IfExists, StoredFile, check_access, get_file
from storage.drive.sql import moves as moves_sql
from storage.drive.sql import uploads as uploads_sql
from storage.drive.uploads import Part
from storage.errors import InvalidInput, NamesTaken, UploadNotFound
from storage.postgres.caller import Access
from storage.postgres.database import run

MAX_BYTES = limits.PARTS_MAX * limits.FILE_BODY_MAX_BYTES


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload as it stands. `name` is the one the file is to get, or got; `parts` are those acknowledged so far."""

    id: str
    name: str
    size_bytes: int
    parts: list[Part]
    has_ended: bool


def start_upload(
    *,
    access: Access,
    drive: str,
    name: str,
    size_bytes: int,
    content_type: str | None,
    if_exists: IfExists,
    fingerprint: str,
) -> Upload:
    """A new upload, or the open one of this person's for the same file: same name, size, `fingerprint` and `if_exists`.

    Without a fingerprint (empty) it is always a new one. With "keep-both" the file gets a name that is free now.
    Raises InvalidInput (name, size), NamesTaken ("fail"), DriveNotFound, DiskFull, and Unauthorized or Forbidden when the person
    may not write here (any more).
    """
    disk_space.check_space_for_files()
    names.check_file_name(name)
    if not 0 <= size_bytes <= MAX_BYTES:
        raise InvalidInput("Bad size", f"A file has at most {MAX_BYTES:,} bytes")
    check_access(access=access, name=drive, write=True)
    drive_id = folders.find_drive(collection_id=access.collection_id, name=drive)
    told_apart = hashlib.sha256(f"{name}\x00{fingerprint}".encode()).hexdigest() if fingerprint else None
    if told_apart:
        statement = uploads_sql.resume_person_upload(
            access, drive, size_bytes=size_bytes, if_exists=if_exists, fingerprint=told_apart
        )
        for upload_id, given_name in run(statement):
            return Upload(upload_id, given_name, size_bytes, uploads.list_parts(upload_id), has_ended=False)
    if if_exists != "replace" and run(moves_sql.find_existing(drive_id, [name])):
        if if_exists == "fail":
            raise NamesTaken([name])
        name = names.check_file_name(free_names.find_free_name(drive_id, name))
    upload_id = uuid.uuid4().hex
    run(
        uploads_sql.start_person_upload(
            access,
            drive,
            upload_id=upload_id,
            name=name,
            content_type=content_type,
            size_bytes=size_bytes,
            if_exists=if_exists,
            fingerprint=told_apart,
        )
    )
    return Upload(upload_id, name, size_bytes, [], has_ended=False)


def find_upload(*, access: Access, drive: str, upload_id: str) -> Upload:
    """An upload of this person's, ended ones of the last day too. Raises UploadNotFound."""
    name, size_bytes, _, has_ended = _find(access, drive, upload_id)
    parts = [] if has_ended else uploads.list_parts(upload_id)
    return Upload(upload_id, name, size_bytes, parts, has_ended)


def put_part(*, access: Access, drive: str, upload_id: str, number: int, content: Content) -> None:
    """Store a part, or replace one. Raises as `uploads.put_part` does."""
    name = _find(access, drive, upload_id)[0]
    uploads.put_part(access=access, drive=drive, upload_id=upload_id, name=name, number=number, content=content)


def end_upload(*, access: Access, drive: str, upload_id: str) -> tuple[str, StoredFile]:
    """Make the file out of the parts; its name and what it is. Ending it again changes nothing.

    Raises UploadNotFound, UploadMismatch, NamesTaken, FileNotFound (deleted since it was ended), as `uploads.end_upload`.
    """
    name, size_bytes, if_exists, has_ended = _find(access, drive, upload_id)
    if not has_ended:
        uploads.end_upload(
            access=access, drive=drive, upload_id=upload_id, name=name, if_exists=if_exists, size_bytes=size_bytes
        )
        name = _find(access, drive, upload_id)[0]
    return name, get_file(access=access, drive=drive, name=name)


def abort_upload(*, access: Access, drive: str, upload_id: str) -> None:
    """Delete an upload and its parts. Raises UploadNotFound, also when it has ended."""
    name = _find(access, drive, upload_id)[0]
    uploads.abort_upload(access=access, drive=drive, upload_id=upload_id, name=name)


def _find(access: Access, drive: str, upload_id: str) -> tuple[str, int, IfExists, bool]:
    rows = run(uploads_sql.find_person_upload(access, drive, upload_id))
    if not rows:
        raise UploadNotFound()
    found = rows[0]
    return found.stored_name or found.file_name, found.size_bytes, found.if_exists, found.has_ended
