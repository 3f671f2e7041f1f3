"""Roles: what a person may do in a collection, and its members.

An owner of the server (`is_superuser`) may do everything that a collection's owner may, in every collection and without a
membership. Everyone else sees only the collections they are a member of.
"""

from collections.abc import Collection as Ids
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from storage import names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import keys
from storage.collections.departures import end_without_right
from storage.collections.holding import hold_people
from storage.errors import CollectionNotFound, PersonNotFound
from storage.models import Collection, Membership, Role


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
    def sees_keys(self) -> bool:
        """Whether the person may know which data keys there are, by their names."""
        return self.allows(Role.MEMBER)

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
    """Give a member another role, and end what they began and may no longer. Raises PersonNotFound."""
    with transaction.atomic():
        held = hold_people(person_id)
        member = _lock_member(collection_id, person_id)
        before, member.role = member.role, role
        member.save(update_fields=["role"])
        details = {"person": person_id, "role_before": before, "role": str(role)}
        audit.record(Verb.ROLE_CHANGED, collection_id=collection_id, about=member.person.username, details=details)
        end_without_right(held[person_id], collection_id=collection_id, role=role)


def remove_member(*, collection_id: str, person_id: int, revoked_keys: Ids[int] = ()) -> None:
    """Remove a person from the collection, and end what they began. Raises PersonNotFound.

    Data keys do not change, but for those that the person made whose ids are in `revoked_keys`.
    """
    with transaction.atomic():
        held = hold_people(person_id)
        member = _lock_member(collection_id, person_id)
        details = {"person": person_id, "role": member.role}
        audit.record(Verb.MEMBER_REMOVED, collection_id=collection_id, about=member.person.username, details=details)
        member.delete()
        end_without_right(held[person_id], collection_id=collection_id, role=None)
        keys.revoke_keys_made_by(person_id, collection_id=collection_id, key_ids=revoked_keys)


def _lock_member(collection_id: str, person_id: int) -> Membership:
    found = (
        Membership.objects.select_for_update(of=("self",))
        .select_related("person")
        .filter(collection_id=collection_id, person_id=person_id)
        .first()
    )
    if found is None:
        raise PersonNotFound(f"Collection {collection_id} has no person {person_id}")
    return found


def may_invite(person: User, collection_id: str | None) -> bool:
    """Whether the person may let others in: to a collection, in any role, or (None) as owners of the server.

    Ask in the transaction that holds the person (`hold_people`) where something is given on the strength of it.
    """
    if not person.is_active:
        return False
    if collection_id is None or person.is_superuser:
        return person.is_superuser
    return Membership.objects.filter(person=person, collection_id=collection_id, role=Role.OWNER).exists()
