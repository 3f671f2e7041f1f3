"""Collections and the Bases and Drives in them: made and listed."""

from django.db import IntegrityError

from storage import limits
from storage.errors import BaseNotFound, CollectionNotFound, InvalidInput, Unauthorized
from storage.models import Base, Collection, Drive


def create_collection(name: str) -> Collection:
    """Make an empty collection. Raises InvalidInput when the name is blank or too long."""
    return Collection.objects.create(name=_check_collection_name(name))


def rename_collection(*, collection_id: str, name: str) -> None:
    """Give a collection another name; its id and keys stay. Raises CollectionNotFound, InvalidInput."""
    if not Collection.objects.filter(id=collection_id).update(name=_check_collection_name(name)):
        raise CollectionNotFound(f"No collection has the id {collection_id}")


def list_collections() -> list[Collection]:
    """All collections, oldest first."""
    return list(Collection.objects.filter(scratch_of=None).order_by("created_at", "id"))


def ensure_base(*, collection_id: str, name: str) -> None:
    """Make the Base if it is not there yet: its first write brings it to exist (contract: Everywhere).

    Raises Unauthorized when the collection has gone in the meantime: nobody has a key to it then.
    """
    try:
        Base.objects.get_or_create(collection_id=collection_id, name=name)
    except IntegrityError:
        raise Unauthorized() from None


def list_base_names(*, collection_id: str, limit: int) -> list[str]:
    """The names of the collection's first `limit` Bases, in their order."""
    found = Base.objects.filter(collection_id=collection_id).order_by("name")
    return list(found.values_list("name", flat=True)[:limit])


def find_base(*, collection_id: str, name: str) -> Base:
    """Raises BaseNotFound."""
    found = Base.objects.select_related("figures").filter(collection_id=collection_id, name=name).first()
    if found is None:
        raise BaseNotFound(f"Collection {collection_id} has no Base called {name}")
    return found


def ensure_drive(*, collection_id: str, name: str) -> int:
    """The id of the Drive, made if it is not there yet. Raises Unauthorized as `ensure_base` does."""
    try:
        return Drive.objects.get_or_create(collection_id=collection_id, name=name)[0].pk
    except IntegrityError:
        raise Unauthorized() from None


def _check_collection_name(name: str) -> str:
    """Without the spaces around it. Characters that cannot be seen could make two names look the same."""
    name = name.strip()
    if not 1 <= len(name) <= limits.COLLECTION_NAME_MAX_CHARACTERS or not name.isprintable():
        raise InvalidInput(
            f"A collection's name has 1 to {limits.COLLECTION_NAME_MAX_CHARACTERS} characters, all of them visible"
        )
    return name
