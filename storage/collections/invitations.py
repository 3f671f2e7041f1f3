"""Invitations: links that let somebody in once, to a collection or as an owner of the server."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from storage import limits
from storage.errors import InvalidInput, InvitationSpent
from storage.models import Invitation, Membership, Role

INVITATION_LASTS = timedelta(days=7)


def invite_person(*, collection_id: str | None, role: Role, note: str, invited_by: User) -> Invitation:
    """Keep an invitation for a week. Without a collection it is one to own the server.

    `note` says whom it is for. Raises InvalidInput when it is too long.
    """
    if len(note) > limits.INVITATION_NOTE_MAX_CHARACTERS:
        raise InvalidInput(f"A note has at most {limits.INVITATION_NOTE_MAX_CHARACTERS} characters")
    return Invitation.objects.create(
        collection_id=collection_id,
        role=role,
        note=note.strip(),
        invited_by=invited_by,
        expires_at=Now() + INVITATION_LASTS,
    )


def list_invitations(collection_id: str | None) -> list[Invitation]:
    """Those that still let somebody in, oldest first; without a collection those to own the server."""
    open_ones = Invitation.objects.select_related("invited_by").filter(expires_at__gt=Now())
    return list(open_ones.filter(collection_id=collection_id).order_by("created_at", "id"))


def find_invitation(invitation_id: int) -> Invitation:
    """Raises InvitationSpent when it was used, withdrawn or is too old."""
    found = (
        Invitation.objects.select_related("collection", "invited_by")
        .filter(id=invitation_id, expires_at__gt=Now())
        .first()
    )
    if found is None:
        raise InvitationSpent()
    return found


def withdraw_invitation(*, collection_id: str | None, invitation_id: int) -> None:
    """Its link lets nobody in from now on. Withdrawing one that is gone changes nothing."""
    Invitation.objects.filter(id=invitation_id, collection_id=collection_id).delete()


def accept_invitation(*, invitation_id: int, person: User) -> None:
    """Give the person what the invitation says, and spend it. A better role that they have already is kept.

    Raises InvitationSpent; of two who come at once, the second gets it.
    """
    with transaction.atomic():
        invitation = Invitation.objects.select_for_update().filter(id=invitation_id, expires_at__gt=Now()).first()
        if invitation is None:
            raise InvitationSpent()
        if invitation.collection_id is None:
            person.is_superuser = True
            person.save(update_fields=["is_superuser"])
        else:
            membership, _ = Membership.objects.get_or_create(
                person=person, collection_id=invitation.collection_id, defaults={"role": invitation.role}
            )
            if not Role(membership.role).reaches(Role(invitation.role)):
                membership.role = invitation.role
                membership.save(update_fields=["role"])
        invitation.delete()
