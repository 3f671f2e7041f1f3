"""Access tokens: each lets the `deta` command in as its person. Made and shown once, checked, listed, revoked.

Only a token's SHA-256 is stored, in this server's database: it is good here and nowhere else. A token ends as a session of its
person's does: when it expires, when it is revoked, with another password, with signing out everywhere, and with the account.
"""

import hashlib
import re
import secrets
import string
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import constant_time_compare

from storage import disk_space, limits
from storage.access_tokens import sql as tokens_sql
from storage.access_tokens.sql import FoundToken
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import AccessTokenNotFound, DiskFull, InvalidInput, Unauthorized
from storage.models import AccessToken
from storage.postgres import clock
from storage.postgres.database import engine_errors, run

START = "hp_"
_ALPHABET = string.ascii_letters + string.digits
_PREFIX_CHARACTERS = len(START) + 4
_SHAPE = re.compile(rf"{START}[A-Za-z0-9]{{{limits.ACCESS_TOKEN_CHARACTERS}}}", re.ASCII)


class NewToken(NamedTuple):
    """A new access token; `text` is the only place that ever has its secret."""

    token: AccessToken
    text: str


class Bearer(NamedTuple):
    """Whom a token lets in, which token it is, and until when it is good (UTC)."""

    person: User
    token_id: int
    name: str
    expires_at: datetime


def create_token(*, person: User, name: str, days: float = limits.ACCESS_TOKEN_DAYS) -> NewToken:
    """Make a token for a person, good for so many days.

    Raises InvalidInput (the name, the days, or the person has too many), DiskFull.
    """
    disk_space.check_space_for_items()
    name = check_name(name)
    if not 0 < days <= limits.ACCESS_TOKEN_DAYS_MAX:
        raise InvalidInput(
            f"An access token is good for some time, and for {limits.ACCESS_TOKEN_DAYS_MAX:,} days at most"
        )
    with transaction.atomic():
        return add_token(person=person, name=name, days=days)


def add_token(*, person: User, name: str, days: float = limits.ACCESS_TOKEN_DAYS, is_in_use: bool = False) -> NewToken:
    """The same in the caller's transaction, of a name that was checked. `is_in_use`: its first use is its making.

    Raises InvalidInput for too many.
    """
    if len(list_tokens(person.pk)) >= limits.ACCESS_TOKENS_MAX:
        raise InvalidInput(f"{person.get_username()} has {limits.ACCESS_TOKENS_MAX} access tokens: revoke one first")
    text = START + "".join(secrets.choice(_ALPHABET) for _ in range(limits.ACCESS_TOKEN_CHARACTERS))
    now = clock.now()
    token = AccessToken.objects.create(
        person=person,
        name=name,
        digest=_digest(text),
        prefix=text[:_PREFIX_CHARACTERS],
        session_hash=person.get_session_auth_hash(),
        expires_at=now + timedelta(days=days),
        last_used_at=now if is_in_use else None,
    )
    _record(Verb.TOKEN_CREATED, token, expires_at=token.expires_at.isoformat())
    return NewToken(token, text)


def check_token(text: str, *, address: str = "") -> Bearer:
    """Whom the token lets in. Its use is noted, once a minute at most, and its first one is in the audit log.

    Raises Unauthorized, which says whether the token is unknown, revoked or too old; EngineUnreachable; DiskFull for a first use.
    """
    found = (
        run(tokens_sql.find_token(_digest(text), limits.ACCESS_TOKEN_USES_SECONDS)) if _SHAPE.fullmatch(text) else []
    )
    if not found:
        raise Unauthorized("Unauthorized", "This server does not know the access token")
    (token,) = found
    if token.is_revoked:
        raise Unauthorized("Unauthorized", "The access token was revoked")
    if token.is_expired:
        raise Unauthorized("Unauthorized", f"The access token expired on {token.expires_at:%Y-%m-%d}")
    person = User.objects.filter(id=token.person_id, is_active=True).first()
    if person is None or not constant_time_compare(token.session_hash, person.get_session_auth_hash()):
        raise Unauthorized("Unauthorized", "The access token ended with its person's password of then")
    if not token.was_used:
        _note_first_use(token, person, address)
    elif not token.is_use_noted:
        _note_use(token.id)
    return Bearer(person, token.id, token.name, token.expires_at)


def list_tokens(person_id: int) -> list[AccessToken]:
    """The person's tokens that are good, newest first."""
    good = AccessToken.objects.select_related("person").filter(
        person_id=person_id, revoked_at=None, expires_at__gt=clock.now()
    )
    found = good.order_by("-created_at", "-id")
    return [token for token in found if token.session_hash == token.person.get_session_auth_hash()]


def revoke_token(*, person_id: int, token_id: int) -> AccessToken:
    """Revoke one of the person's tokens: the next request with it is refused. Raises AccessTokenNotFound."""
    with transaction.atomic():
        token = AccessToken.objects.select_for_update().filter(person_id=person_id, id=token_id).first()
        if token is None:
            raise AccessTokenNotFound()
        if token.revoked_at is None:
            token.revoked_at = clock.now()
            token.save(update_fields=["revoked_at"])
            _record(Verb.TOKEN_REVOKED, token)
        return token


def check_name(name: str) -> str:
    """The name of a token, or of the device it is on, without white space around it. Raises InvalidInput."""
    name = name.strip()
    most = limits.ACCESS_TOKEN_NAME_MAX_CHARACTERS
    if not 1 <= len(name) <= most or not name.isprintable():
        raise InvalidInput(f"A device's name has 1 to {most} characters, all of them visible")
    return name


def revoke_all(person_id: int) -> int:
    """Revoke all of a person's tokens, in the caller's transaction, as a part of something that is recorded; how many."""
    return AccessToken.objects.filter(person_id=person_id, revoked_at=None).update(revoked_at=clock.now())


def forget_old() -> None:
    """Forget tokens that ended long ago. Until then whoever uses one is told why it is refused."""
    since = clock.now() - timedelta(days=limits.ACCESS_TOKEN_KEPT_DAYS)
    AccessToken.objects.filter(Q(expires_at__lt=since) | Q(revoked_at__lt=since)).delete()


def _note_use(token_id: int) -> None:
    """Reading goes on while the disk is too full to note that somebody reads."""
    try:
        run(tokens_sql.note_use(token_id))
    except DiskFull:
        return


def _note_first_use(token: FoundToken, person: User, address: str) -> None:
    with engine_errors(), transaction.atomic():
        if run(tokens_sql.note_first_use(token.id)):
            by = actors.person(person, address=address)
            audit.record(Verb.TOKEN_FIRST_USED, about=token.name, details={"token": token.id}, by=by)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _record(verb: Verb, token: AccessToken, **details: object) -> None:
    told = {"token": token.pk, "prefix": token.prefix, "for": token.person.get_username(), **details}
    audit.record(verb, about=token.name, details=told)
