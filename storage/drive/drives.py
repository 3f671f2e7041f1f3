"""The Drives of a collection: created by their first write."""

from django.db import IntegrityError

from storage.errors import Unauthorized
from storage.models import Drive
from storage.postgres.failures import lacks_collection


def ensure_drive(*, collection_id: str, name: str) -> int:
    """The id of the Drive, which is created if it does not exist (contract: Everywhere).

    Raises Unauthorized when the collection was deleted in the meantime.
    """
    try:
        return Drive.objects.get_or_create(collection_id=collection_id, name=name)[0].pk
    except IntegrityError as error:
        if lacks_collection(error):
            raise Unauthorized() from None
        raise
