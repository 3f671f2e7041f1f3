"""Holding people still while something is decided by what they may do, or while that changes.

Whoever takes a right from a person, or gives something away on the strength of one, holds the person's row until its
transaction ends. So of a removal and an invitation by the removed person one comes first, and the other sees it.
"""

from django.contrib.auth.models import User


def hold_people(*person_ids: int) -> dict[int, User]:
    """In the caller's transaction: these people as they are now, by id, until it ends. Those without an account are left out."""
    held = User.objects.select_for_update(no_key=True).filter(id__in=person_ids).order_by("id")
    return {person.pk: person for person in held}
