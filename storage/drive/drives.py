"""The Drives of a collection: created by their first write."""

from django.db import IntegrityError

from storage.errors import Unauthorized
from storage.models import Drive


def ensure_drive(*, collection_id: str, name: str) -> int:
    """The id of the Drive, which is created if it does not exist (contract: Everywhere).

    Raises Unauthorized when the
    collection was deleted in the meantime."""
    try:
        return Drive.objects.get_or_create(collection_id=collection_id, name=name)[0].pk
    except IntegrityError:
        raise Unauthorized() from None
