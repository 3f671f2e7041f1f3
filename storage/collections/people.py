"""People and what they may do: roles in collections, invitations, and the sessions that are theirs.

Accounts are Django's. An owner of the server (`is_superuser`) may do everything that a collection's owner may, in every
collection and without a membership. Everyone else sees only the collections they are a member of.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from storage import limits, names
from storage.errors import CollectionNotFound, InvalidInput, InvitationSpent, PersonNotFound
from storage.models import Collection, Invitation, Membership, Role, Session

INVITATION_LASTS = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CollectionAccess:
    """A collection, and what the person who asked may do in it."""

    collection: Collection
    role: Role

    def allows(self, role: Role) -> bool:
        """Whether the person has at least this role."""
        return self.role.reaches(role)

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER

    @property
    def can_write(self) -> bool:
        return self.allows(Role.MEMBER)


def find_access(*, person: User, collection_id: str) -> CollectionAccess:
    """The collection as this person may use it.

    Raises CollectionNotFound when the collection does not exist or the person has no access to it.
    """
    missing = CollectionNotFound(f"No collection has the id {collection_id}")
    if not names.is_collection_id(collection_id):
        raise missing
    if person.is_superuser:
        collection = Collection.objects.filter(id=collection_id, scratch_of=None).first()
        if collection is None:
            raise missing
        return CollectionAccess(collection, Role.OWNER)
    membership = (
        Membership.objects.select_related("collection").filter(person=person, collection_id=collection_id).first()
    )
    if membership is None:
        raise missing
    return CollectionAccess(membership.collection, Role(membership.role))


def list_members(collection_id: str) -> list[Membership]:
    """The collection's memberships with their people, oldest first. Those who own the server are not among them."""
    members = Membership.objects.select_related("person").filter(
        collection_id=collection_id, person__is_superuser=False
    )
    return list(members.order_by("created_at", "id"))


def find_member(*, collection_id: str, person_id: int) -> Membership:
    """Raises PersonNotFound."""
    found = Membership.objects.select_related("person").filter(collection_id=collection_id, person_id=person_id).first()
    if found is None:
        raise PersonNotFound(f"Collection {collection_id} has no person {person_id}")
    return found


def set_role(*, collection_id: str, person_id: int, role: Role) -> None:
    """Give a member another role. Raises PersonNotFound."""
    if not Membership.objects.filter(collection_id=collection_id, person_id=person_id).update(role=role):
        raise PersonNotFound(f"Collection {collection_id} has no person {person_id}")


def remove_member(*, collection_id: str, person_id: int) -> None:
    """Remove a person from the collection; data keys do not change. Raises PersonNotFound."""
    if not Membership.objects.filter(collection_id=collection_id, person_id=person_id).delete()[0]:
        raise PersonNotFound(f"Collection {collection_id} has no person {person_id}")


def list_people() -> "QuerySet[User]":
    """All accounts by name, each with `places`, the number of collections the person is a member of."""
    return User.objects.annotate(places=Count("memberships")).order_by("username")


def find_person(person_id: int) -> User:
    """Raises PersonNotFound."""
    person = User.objects.filter(id=person_id).first()
    if person is None:
        raise PersonNotFound(f"Nobody has the id {person_id}")
    return person


def remove_person(*, person_id: int, asked_by: User) -> None:
    """Delete an account and end its sessions. Raises PersonNotFound, InvalidInput for one's own."""
    if person_id == asked_by.id:
        raise InvalidInput("You cannot remove your own account: ask another owner of this server")
    with transaction.atomic():
        if not User.objects.filter(id=person_id).delete()[0]:
            raise PersonNotFound(f"Nobody has the id {person_id}")
        Session.objects.filter(person_id=person_id).delete()


def invite_person(*, collection_id: str | None, role: Role, note: str, invited_by: User) -> Invitation:
    """Create an invitation that is valid for a week. Without a collection it is for a new owner of the server.

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
    """Valid invitations, oldest first; without a collection those for new owners of the server."""
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
    """Withdraw an invitation: its link no longer works. Withdrawing it again changes nothing."""
    Invitation.objects.filter(id=invitation_id, collection_id=collection_id).delete()


def accept_invitation(*, invitation_id: int, person: User) -> None:
    """Give the person the role of the invitation, and use it up. A better role the person already has is kept.

    Raises InvitationSpent, also for the second of two people who accept at once.
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


def end_sessions(*, person_id: int) -> int:
    """Sign a person out of every browser; how many there were."""
    return Session.objects.filter(person_id=person_id).delete()[0]


def remove_spent() -> None:
    """Delete expired sessions and invitations."""
    now: datetime = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    Invitation.objects.filter(expires_at__lt=now).delete()
