"""The first line of every view of a Drive: the collection's gate, then the Drive itself."""

from dataclasses import dataclass

from django.http import Http404

from console import access
from console.page import PageRequest
from storage.collections.roles import CollectionAccess
from storage.drive import folders
from storage.errors import DriveNotFound
from storage.models import Role
from storage.postgres.caller import Access


@dataclass(frozen=True, slots=True)
class DriveContext:
    """A Drive, with the role of the person who asks and their access for storage."""

    granted: CollectionAccess
    name: str
    id: int
    access: Access
    person_id: int


def open_drive(request: PageRequest, collection_id: str, drive: str, *, at_least: Role = Role.READER) -> DriveContext:
    """The Drive, for a person who has at least this role in its collection.

    Raises Http404 without access and for a missing Drive, and PermissionDenied for a role that is too low.
    """
    granted = access.by_person(request, collection_id, at_least=at_least)
    try:
        drive_id = folders.find_drive(collection_id=collection_id, name=drive)
    except DriveNotFound as error:
        raise Http404(error.messages[0]) from None
    person_id = request.user.pk
    return DriveContext(granted, drive, drive_id, Access(collection_id, person_id=person_id), person_id)
