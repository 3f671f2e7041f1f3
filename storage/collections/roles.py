"""Roles: what a person may do in a collection, and its members.

An owner of the server (`is_superuser`) may do everything that a collection's owner may, in every collection and without a
membership. Everyone else sees only the collections they are a member of.
"""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction

from storage import names
from storage.audit import log as audit
from storage.audit.log import Verb
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
    with transaction.atomic():
        member = _lock_member(collection_id, person_id)
        before, member.role = member.role, role
        member.save(update_fields=["role"])
        details = {"person": person_id, "role_before": before, "role": str(role)}
        audit.record(Verb.ROLE_CHANGED, collection_id=collection_id, about=member.person.username, details=details)


def remove_member(*, collection_id: str, person_id: int) -> None:
    """Remove a person from the collection; data keys do not change. Raises PersonNotFound."""
    with transaction.atomic():
        member = _lock_member(collection_id, person_id)
        details = {"person": person_id, "role": member.role}
        audit.record(Verb.MEMBER_REMOVED, collection_id=collection_id, about=member.person.username, details=details)
        member.delete()


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
