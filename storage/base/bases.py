"""The Bases of a collection: created by their first write, found and listed."""

from django.db import IntegrityError

from storage.errors import BaseNotFound, Unauthorized
from storage.models import Base
from storage.postgres.failures import lacks_collection


def ensure_base(*, collection_id: str, name: str) -> None:
    """Create the Base if it does not exist: the first write creates it (contract: Everywhere).

    Raises Unauthorized when the collection was deleted in the meantime: nobody has a key to it then.
    """
    try:
        Base.objects.get_or_create(collection_id=collection_id, name=name)
    except IntegrityError as error:
        if lacks_collection(error):
            raise Unauthorized() from None
        raise


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
