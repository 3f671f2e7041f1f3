"""Builders of people, and of one collection with somebody in every role."""

import functools
import secrets
from dataclasses import dataclass

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User

from console.accounts.sessions import SessionStore
from storage.collections import collections
from storage.models import Collection, Membership, Role

PASSWORD = "correct horse staple"
HASH_ROUNDS = 1_000


def make_person(name: str = "", *, owns_server: bool = False) -> User:
    """Somebody with an account; the name is made unique."""
    name = f"{name or 'person'}-{secrets.token_hex(4)}"
    return User.objects.create(username=name, is_superuser=owns_server, password=_hashed())


def make_member(collection_id: str, role: Role = Role.MEMBER, name: str = "") -> User:
    """Somebody with this role in a collection."""
    person = make_person(name)
    Membership.objects.create(collection_id=collection_id, person=person, role=role)
    return person


@functools.cache
def _hashed() -> str:
    """Hashing is slow on purpose: everybody here has the same password, hashed in few rounds, which the hash tells of itself."""
    return PBKDF2PasswordHasher().encode(PASSWORD, "salt", iterations=HASH_ROUNDS)


@dataclass(frozen=True)
class Cast:
    """A collection and the five kinds of people that a page can meet, but for those who are not signed in."""

    collection: Collection
    server_owner: User
    owner: User
    member: User
    reader: User
    outsider: User

    def __getitem__(self, name: str) -> User:
        person: User = getattr(self, name)
        return person


def make_cast(name: str = "Made by a test") -> Cast:
    collection = collections.create_collection(name)
    cast = Cast(
        collection,
        server_owner=make_person("server-owner", owns_server=True),
        **{role: make_person(role) for role in ("owner", "member", "reader", "outsider")},
    )
    for role in (Role.OWNER, Role.MEMBER, Role.READER):
        Membership.objects.create(collection=collection, person=cast[role.value], role=role)
    return cast


def make_session(person: User) -> str:
    """The session cookie's value of a browser in which this person has signed in."""
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return str(session.session_key)
