"""The Drives of a collection: created by their first write."""

from django.db import IntegrityError, transaction

from storage import disk_space
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import AlreadyTaken, Unauthorized
from storage.models import Drive
from storage.postgres.database import engine_errors
from storage.postgres.failures import lacks_collection


def ensure_drive(*, collection_id: str, name: str) -> int:
    """The id of the Drive, which is created if it does not exist (contract: Everywhere).

    Raises Unauthorized when the collection was deleted in the meantime.
    """
    return _find_or_make(collection_id, name)[0].pk


def _find_or_make(collection_id: str, name: str) -> tuple[Drive, bool]:
    try:
        return Drive.objects.get_or_create(collection_id=collection_id, name=name)
    except IntegrityError as error:
        if lacks_collection(error):
            raise Unauthorized() from None
        raise


def create_drive(*, collection_id: str, name: str) -> None:
    """What a person asks for: `ensure_drive`, recorded where it is new. Raises Unauthorized as that does, and DiskFull."""
    disk_space.check_space_for_items()
    with transaction.atomic():
        if _find_or_make(collection_id, name)[1]:
            audit.record(Verb.DRIVE_CREATED, collection_id=collection_id, about=name)


def make_drive(*, collection_id: str, name: str) -> int:
    """The id of a Drive that was not there before, recorded. Raises AlreadyTaken, and Unauthorized as `ensure_drive` does."""
    with transaction.atomic():
        drive, is_new = _find_or_make(collection_id, name)
        if not is_new:
            raise AlreadyTaken(f"There is a Drive called “{name}” already")
        audit.record(Verb.DRIVE_CREATED, collection_id=collection_id, about=name)
    return drive.pk


def list_drive_names(*, collection_id: str, limit: int) -> list[str]:
    """The names of the collection's first `limit` Drives, in their order."""
    found = Drive.objects.filter(collection_id=collection_id).order_by("name")
    return list(found.values_list("name", flat=True)[:limit])


def note_zip(*, collection_id: str, drive: str, files: int, size_bytes: int) -> None:
    """Record that somebody downloads many files as a zip: before its first byte goes out. Raises EngineUnreachable."""
    details = {"size_bytes": size_bytes}
    with engine_errors(), transaction.atomic():
        audit.record(Verb.FILES_ZIPPED, collection_id=collection_id, about=drive, amount=files, details=details)
