"""Invitations: links that let somebody in once, to a collection or as an owner of the server."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now

from storage import disk_space, limits
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import roles
from storage.collections.holding import hold_people
from storage.errors import Forbidden, InvalidInput, InvitationSpent
from storage.models import Invitation, Membership, Role

INVITATION_LASTS = timedelta(days=7)


def invite_person(*, collection_id: str | None, role: Role, note: str, invited_by: User) -> Invitation:
    """Create an invitation that is valid for a week. Without a collection it is for a new owner of the server.

    `note` says whom it is for. Raises InvalidInput when it is too long, DiskFull, and Forbidden when the person may not invite
    there (any more).
    """
    disk_space.check_space_for_items()
    if len(note) > limits.INVITATION_NOTE_MAX_CHARACTERS:
        raise InvalidInput(f"A note has at most {limits.INVITATION_NOTE_MAX_CHARACTERS} characters")
    with transaction.atomic():
        maker = hold_people(invited_by.pk).get(invited_by.pk)
        if maker is None or not roles.may_invite(maker, collection_id):
            raise Forbidden()
        made = Invitation.objects.create(
            collection_id=collection_id,
            role=role,
            note=note.strip(),
            invited_by=maker,
            expires_at=Now() + INVITATION_LASTS,
        )
        audit.record(Verb.INVITED, **_recorded(made))
        return made


def list_invitations(collection_id: str | None) -> list[Invitation]:
    """Valid invitations, oldest first; without a collection those for new owners of the server."""
    open_ones = Invitation.objects.select_related("invited_by").filter(expires_at__gt=Now())
    return list(open_ones.filter(collection_id=collection_id).order_by("created_at", "id"))


def find_invitation(invitation_id: int) -> Invitation:
    """Raises InvitationSpent when it was used or withdrawn, is too old, or its maker may no longer invite."""
    found = (
        Invitation.objects.select_related("collection", "invited_by")
        .filter(id=invitation_id, expires_at__gt=Now())
        .first()
    )
    if found is None or not roles.may_invite(found.invited_by, found.collection_id):
        raise InvitationSpent()
    return found


def withdraw_invitation(*, collection_id: str | None, invitation_id: int) -> None:
    """Withdraw an invitation: its link no longer works. Withdrawing it again changes nothing."""
    with transaction.atomic():
        found = Invitation.objects.select_for_update().filter(id=invitation_id, collection_id=collection_id).first()
        if found is not None:
            audit.record(Verb.INVITATION_WITHDRAWN, **_recorded(found))
            found.delete()


def accept_invitation(*, invitation_id: int, person: User) -> None:
    """Give the person the role of the invitation, and use it up. A better role the person already has is kept.

    Raises DiskFull, and InvitationSpent, also for the second of two people who accept at once. Whoever made the invitation is
    held meanwhile: who loses the right to invite at this moment loses it before, and nothing is given, or after.
    """
    disk_space.check_space_for_items()
    with transaction.atomic():
        maker_id = find_invitation(invitation_id).invited_by_id
        held = hold_people(maker_id, person.pk)
        invitation = Invitation.objects.select_for_update().filter(id=invitation_id, expires_at__gt=Now()).first()
        if invitation is None or held.keys() != {maker_id, person.pk}:
            raise InvitationSpent()
        if not roles.may_invite(held[maker_id], invitation.collection_id):
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
        known = actors.current()
        audit.record(
            Verb.INVITATION_ACCEPTED,
            **_recorded(invitation),
            by=known if known.person_id == person.pk else actors.person(person, address=known.address),
        )
        invitation.delete()


def _recorded(invitation: Invitation) -> dict[str, Any]:
    """What the audit log says of an invitation."""
    role = invitation.role if invitation.collection_id else "owner of the server"
    return {
        "collection_id": invitation.collection_id or "",
        "about": invitation.note,
        "details": {"role": role, "invitation": invitation.pk},
    }
