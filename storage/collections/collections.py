"""Collections: create, rename and list."""

from storage import disk_space, limits
from storage.errors import CollectionNotFound, InvalidInput
from storage.models import Collection


def create_collection(name: str) -> Collection:
    """Create an empty collection. Raises InvalidInput when the name is blank or too long, and DiskFull."""
    disk_space.check_space_for_items()
    return Collection.objects.create(name=_check_collection_name(name))


def rename_collection(*, collection_id: str, name: str) -> None:
    """Give a collection another name; its id and keys stay. Raises CollectionNotFound, InvalidInput."""
    if not Collection.objects.filter(id=collection_id).update(name=_check_collection_name(name)):
        raise CollectionNotFound(f"No collection has the id {collection_id}")


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
