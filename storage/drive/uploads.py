"""Drive: files sent in parts (contract: section "Drive", "uploads"). Whole files are in files.py.

The engine's own multipart uploads are not used: SeaweedFS, when tried, accepted gaps, listed a replaced part twice and
completed with the old one, and let two completions both succeed. Every part is an object of its own, put like a whole
file's; which of them count stands in Postgres, where taking turns means something. A file that came in parts stays those
objects, read one after the other: ending an upload moves rows, copies no byte and takes as long for 5 GB as for 5 MB.

A file of several parts also has a small object that lists them, its manifest, so that the index can be rebuilt from
the bucket. One of a single part, which is what most uploads are, needs none.
"""

import re
import uuid
from typing import NamedTuple

from django.db import transaction

from storage import disk_space, limits, names
from storage.drive import content_types, files
from storage.drive.failpoints import reach
from storage.drive.files import Content, IfExists, Stored, allowed, discarded_on_error
from storage.drive.sql import files as files_sql
from storage.drive.sql import uploads as uploads_sql
from storage.errors import EngineUnreachable, InvalidInput, UploadMismatch, UploadNotFound
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run
from storage.s3 import blobs

_ID = re.compile("[0-9a-f]{32}")

# A part that arrives while its upload is ending makes the ending start again, this many times at most.
_ATTEMPTS = 5


class Part(NamedTuple):
    """An acknowledged part."""

    number: int
    stored: Stored


def start_upload(*, access: Access, drive: str, name: str, content_type: str | None) -> str:
    """The id of a new upload. Readers see nothing of it until it ends. Raises InvalidInput (the name) and DiskFull."""
    disk_space.check_space_for_files()
    names.check_file_name(name)
    upload_id = uuid.uuid4().hex
    allowed(run(uploads_sql.start_upload(access, drive, upload_id=upload_id, name=name, content_type=content_type)))
    return upload_id


def put_part(*, access: Access, drive: str, upload_id: str, name: str, number: int, content: Content) -> None:
    """Store a part, or replace one: of several with one number the last acknowledged counts.

    Raises InvalidInput (the name or number), UploadNotFound (also when it ends meanwhile), what `content` raises,
    EngineUnreachable and DiskFull; the part is as it was then.
    """
    disk_space.check_space_for_files()
    names.check_file_name(name)
    if not 1 <= number <= limits.PARTS_MAX:
        raise InvalidInput("Bad part", f"A part's number is 1 to {limits.PARTS_MAX}")
    blob_id = uuid.uuid4()
    statement = uploads_sql.reserve_part(access, drive, upload_id=_checked(upload_id), name=name, blob_id=blob_id)
    if not allowed(run(statement)).is_open:
        raise UploadNotFound()
    with discarded_on_error(blob_id):
        owner = blobs.Owner(access.collection_id, drive, name, content.content_type or "", upload_id, number)
        stored = files.store(blob_id, content, owner)
        with engine_errors(), transaction.atomic():
            if not run(uploads_sql.lock_upload(upload_id, content.content_type)):
                raise UploadNotFound()
            # Once more: the bytes may have been on their way for long.
            files.check_access(access=access, name=drive, write=True)
            files.take(stored)
            run(uploads_sql.put_part(upload_id, number, blob_id))
            reach("part-before-commit")
    reach("part-after-commit")


def end_upload(
    *,
    access: Access,
    drive: str,
    upload_id: str,
    name: str,
    if_exists: IfExists = "replace",
    size_bytes: int | None = None,
) -> None:
    """Make the file out of the parts acknowledged so far. Ending it again changes nothing.

    Raises UploadNotFound, InvalidInput when the parts have a gap or a short one before the last, UploadMismatch when
    they are not `size_bytes` together, NamesTaken (the upload stays open), EngineUnreachable and DiskFull.
    """
    disk_space.check_space_for_files()
    names.check_file_name(name)
    for _ in range(_ATTEMPTS):
        found = run(uploads_sql.find_upload(access, drive, upload_id=_checked(upload_id), name=name))
        drive_id, _, found_id, has_ended, content_type = allowed(found)
        if found_id is None:
            raise UploadNotFound()
        owner = blobs.Owner(access.collection_id, drive, name, content_type or content_types.guess(name))
        ending = _Ending(access, owner, upload_id, drive_id, if_exists, size_bytes)
        if has_ended or _try_to_end(ending):
            return
    raise EngineUnreachable("Parts kept arriving while the upload was being ended, please try again")


def abort_upload(*, access: Access, drive: str, upload_id: str, name: str) -> None:
    """Delete an upload and its parts. Raises UploadNotFound, also when it has ended."""
    names.check_file_name(name)
    if allowed(run(uploads_sql.find_upload(access, drive, upload_id=_checked(upload_id), name=name))).id is None:
        raise UploadNotFound()
    with engine_errors(), transaction.atomic():
        if not run(uploads_sql.lock_upload(upload_id)):
            raise UploadNotFound()
        files.check_access(access=access, name=drive, write=True)
        run(uploads_sql.drop_upload(upload_id))


def check_parts(parts: list[Part]) -> None:
    """Raises InvalidInput unless parts, sorted by number, are 1, 2, ... and none but the last is short."""
    for expected, part in enumerate(parts, start=1):
        if part.number != expected:
            raise InvalidInput("Bad upload", f"Part {expected} is missing")
        if part.stored.size_bytes < limits.PART_MIN_BYTES and expected < len(parts):
            raise InvalidInput(
                "Bad upload",
                f"Part {expected} has {part.stored.size_bytes} bytes; all but the last need {limits.PART_MIN_BYTES}",
            )


class _Ending(NamedTuple):
    """An upload that is to end, and how."""

    access: Access
    owner: blobs.Owner
    upload_id: str
    drive_id: int | None
    if_exists: IfExists
    size_bytes: int | None


def _try_to_end(ending: _Ending) -> bool:
    """One attempt; False when a part or another ending came in between.

    S3 is only used before the transaction, so that no lock is held while waiting for S3.
    """
    parts = list_parts(ending.upload_id)
    check_parts(parts)
    if ending.size_bytes is not None and sum(part.stored.size_bytes for part in parts) != ending.size_bytes:
        raise UploadMismatch()
    if len(parts) == 1:
        return _commit(ending, parts, extra=None)
    extra_id = uuid.uuid4()
    allowed(run(files_sql.reserve_blob(ending.access, ending.owner.drive, extra_id)))
    with discarded_on_error(extra_id):
        body = blobs.write_manifest(part.stored.id for part in parts) if parts else b""
        extra = files.store(extra_id, files.InMemory(body), ending.owner._replace(is_manifest=bool(parts)))
        if _commit(ending, parts, extra=extra):
            return True
        run(files_sql.discard_blobs([extra_id]))
        return False


def _commit(ending: _Ending, parts: list[Part], *, extra: Stored | None) -> bool:
    """Let the file be these parts, unless they are no longer the upload's. `extra` is the manifest, or an empty file."""
    owner = ending.owner
    with engine_errors(), transaction.atomic():
        locked = run(uploads_sql.lock_upload(ending.upload_id))
        if not locked or list_parts(ending.upload_id) != parts:
            return False
        if extra:
            files.take(extra)
        name = files.find_place(ending.drive_id, owner.name, if_exists=ending.if_exists)
        files.point_file(
            ending.access,
            owner.drive,
            name,
            drive_id=ending.drive_id,
            parts=[part.stored for part in parts] or ([extra] if extra else []),
            manifest=extra.id if extra and parts else None,
            content_type=locked[0].content_type or owner.content_type,
        )
        run(uploads_sql.end_upload(ending.upload_id, name))
        reach("end-before-commit")
    reach("end-after-commit")
    return True


def list_parts(upload_id: str) -> list[Part]:
    """The parts of an open upload that were acknowledged, by number."""
    return [Part(row.number, Stored(*row[1:])) for row in run(uploads_sql.get_parts(upload_id))]


def _checked(upload_id: str) -> str:
    """The id, or an empty one for an invalid id: the caller's right is checked before the upload is reported as missing."""
    return upload_id if _ID.fullmatch(upload_id) else ""
