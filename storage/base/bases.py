"""The Bases of a collection: created by their first write, found and listed."""

from django.db import IntegrityError, transaction

from storage import disk_space, engine_waits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import BaseNotFound, Unauthorized
from storage.models import Base
from storage.postgres.database import engine_errors
from storage.postgres.failures import lacks_collection


def ensure_base(*, collection_id: str, name: str) -> bool:
    """Create the Base if it does not exist, and say whether that is so: the first write creates it (contract: Everywhere).

    Raises Unauthorized when the collection was deleted in the meantime: nobody has a key to it then.
    """
    engine_waits.will_wait()
    try:
        return Base.objects.get_or_create(collection_id=collection_id, name=name)[1]
    except IntegrityError as error:
        if lacks_collection(error):
            raise Unauthorized() from None
        raise


def create_base(*, collection_id: str, name: str) -> None:
    """What a person asks for: `ensure_base`, recorded where it is new. Raises Unauthorized as that does, and DiskFull."""
    disk_space.check_space_for_items()
    with transaction.atomic():
        if ensure_base(collection_id=collection_id, name=name):
            audit.record(Verb.BASE_CREATED, collection_id=collection_id, about=name)


def note_export(*, collection_id: str, name: str, query: str, kind: str) -> None:
    """Record that somebody downloads the items that a query finds: before the first of them goes out.

    Raises EngineUnreachable.
    """
    details = {"format": kind} | ({"query": query} if query else {})
    with engine_errors(), transaction.atomic():
        audit.record(Verb.ITEMS_EXPORTED, collection_id=collection_id, about=name, details=details)


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
