"""Collections: create, rename and list."""

from uuid import UUID

from django.db import transaction

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import CollectionNotFound, InvalidInput
from storage.models import Collection


def create_collection(name: str) -> Collection:
    """Create an empty collection. Raises InvalidInput when the name is blank or too long, and DiskFull."""
    disk_space.check_space_for_items()
    with transaction.atomic():
        made = Collection.objects.create(name=_check_collection_name(name))
        audit.record(Verb.COLLECTION_CREATED, collection_id=made.id, about=made.name)
        return made


def create_scratch(export_id: UUID) -> Collection:
    """Create a collection in which this export is tried. No list shows it, and nobody made it."""
    return Collection.objects.create(name="Scratch", scratch_of=export_id)


def rename_collection(*, collection_id: str, name: str) -> None:
    """Give a collection another name; its id and keys stay. Raises CollectionNotFound, InvalidInput."""
    with transaction.atomic():
        found = Collection.objects.select_for_update().filter(id=collection_id).first()
        if found is None:
            raise CollectionNotFound(f"No collection has the id {collection_id}")
        before, found.name = found.name, _check_collection_name(name)
        found.save(update_fields=["name"])
        audit.record(
            Verb.COLLECTION_RENAMED, collection_id=collection_id, about=found.name, details={"name_before": before}
        )


def list_collections() -> list[Collection]:
    """All collections, oldest first."""
    return list(Collection.objects.filter(scratch_of=None).order_by("created_at", "id"))


def _check_collection_name(name: str) -> str:
    """The name without spaces around it. Invisible characters are refused: they could make two names look the same."""
    name = name.strip()
    if not 1 <= len(name) <= limits.COLLECTION_NAME_MAX_CHARACTERS or not name.isprintable():
        raise InvalidInput(
            f"A collection's name has 1 to {limits.COLLECTION_NAME_MAX_CHARACTERS} characters, all of them visible"
        )
    return name
