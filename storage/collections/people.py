"""People with an account on this server, and the sessions that are theirs. An account is Django's own."""

from collections.abc import Collection as Ids
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, QuerySet

from storage.access_tokens import tokens
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import keys
from storage.collections.departures import fail_imports, revoke_share_links
from storage.collections.holding import hold_people
from storage.errors import InvalidInput, PersonNotFound
from storage.models import Invitation, Membership, Session
from storage.postgres import clock


def list_people() -> "QuerySet[User]":
    """All accounts by name, each with `places`, the number of collections the person is a member of."""
    return User.objects.annotate(places=Count("memberships")).order_by("username")


def find_person(person_id: int) -> User:
    """Raises PersonNotFound."""
    person = User.objects.filter(id=person_id).first()
    if person is None:
        raise PersonNotFound(f"Nobody has the id {person_id}")
    return person


def find_person_by_name(name: str) -> User:
    """As it is typed to sign in. Raises PersonNotFound."""
    person = User.objects.filter(username=name).first()
    if person is None:
        raise PersonNotFound(f"Nobody has the name {name}")
    return person


def set_password(*, person: User) -> None:
    """Store the new password that `person` holds, hashed, and sign them out everywhere. A second factor stays."""
    with transaction.atomic():
        person.save(update_fields=["password"])
        end_sessions(person_id=person.id)
        audit.record(Verb.PASSWORD_CHANGED, about=person.username)


def make_owner(*, person: User) -> bool:
    """Make somebody an owner of the server, from their next request on; False when they are one already."""
    with transaction.atomic():
        if not User.objects.filter(id=person.id, is_superuser=False).update(is_superuser=True):
            return False
        audit.record(Verb.OWNER_MADE, about=person.username)
        return True


def remove_person(*, person_id: int, asked_by: User, revoked_keys: Ids[int] = ()) -> None:
    """Delete an account with its invitations, end its sessions, its imports, its share links and its development keys.

    Other data keys do not change, but for those that the person made whose ids are in `revoked_keys`. Raises PersonNotFound, and
    InvalidInput for one's own account.
    """
    if person_id == asked_by.id:
        raise InvalidInput("You cannot remove your own account: ask another owner of this server")
    with transaction.atomic():
        person = hold_people(person_id).get(person_id)
        if person is None:
            raise PersonNotFound(f"Nobody has the id {person_id}")
        keys.revoke_keys_made_by(person_id, key_ids=revoked_keys)
        keys.revoke_dev_keys(person_id)
        fail_imports(person)
        revoke_share_links(person)
        details = {"person": person_id}
        for collection_id in Membership.objects.filter(person=person).values_list("collection_id", flat=True):
            audit.record(Verb.MEMBER_REMOVED, collection_id=collection_id, about=person.username, details=details)
        audit.record(Verb.ACCOUNT_REMOVED, about=person.username, details=details)
        person.delete()
        Session.objects.filter(person_id=person_id).delete()


def end_sessions(*, person_id: int) -> int:
    """Sign a person out of every browser and, by revoking their access tokens, every terminal; how many there were."""
    with transaction.atomic():
        ended = Session.objects.filter(person_id=person_id).delete()[0] + tokens.revoke_all(person_id)
        of_another = actors.current().person_id != person_id
        person = User.objects.filter(id=person_id).first() if of_another else None
        audit.record(Verb.SIGNED_OUT_EVERYWHERE, about=person.username if person else "", amount=ended)
        return ended


def remove_spent() -> None:
    """Delete expired sessions and invitations, and access tokens that ended long ago."""
    now: datetime = clock.now()
    Session.objects.filter(expire_date__lt=now).delete()
    Invitation.objects.filter(expires_at__lt=now).delete()
    tokens.forget_old()
