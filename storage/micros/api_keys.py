"""API keys: each lets a caller into one Micro that asks for sign-in. Created and shown once, listed, revoked, checked.

Only a key's SHA-256 is stored. They have nothing to do with data keys, which let an app into a collection.
"""

import hashlib
import re
import secrets
import string
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import AlreadyTaken, InvalidInput, MicroKeyNotFound
from storage.micros import sql as micros_sql
from storage.micros.micros import hold_micro
from storage.models import Micro, MicroKey
from storage.postgres.database import run

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_CHARACTERS = 8
_SHAPE = re.compile(rf"[A-Za-z0-9]{{{_PREFIX_CHARACTERS}}}\.[A-Za-z0-9]{{{limits.SECRET_CHARACTERS}}}", re.ASCII)


class NewApiKey(NamedTuple):
    """A new API key; `text` is the only place that ever has its secret."""

    key: MicroKey
    text: str


def create_key(
    *, collection_id: str, micro_id: str, name: str, description: str = "", made_by: User | None = None
) -> NewApiKey:
    """Create an API key of a Micro.

    Raises MicroNotFound, AlreadyTaken (the name), InvalidInput (the name, the description, or there are too many), DiskFull.
    """
    disk_space.check_space_for_items()
    name, description = _check_text(name, "name"), description.strip()
    if description:
        _check_text(description, "description")
    text = f"{_random(_PREFIX_CHARACTERS)}.{_random(limits.SECRET_CHARACTERS)}"
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        found = MicroKey.objects.filter(micro=micro)
        if found.filter(name=name).exists():
            raise AlreadyTaken(f"The Micro has an API key “{name}” already")
        if found.count() >= limits.MICRO_KEYS_MAX:
            raise InvalidInput(f"A Micro has at most {limits.MICRO_KEYS_MAX} API keys")
        key = MicroKey.objects.create(
            micro=micro,
            name=name,
            description=description,
            digest=_digest(text),
            prefix=text[:_PREFIX_CHARACTERS],
            made_by=made_by,
        )
        _record(Verb.MICRO_KEY_CREATED, micro, key)
    key.refresh_from_db()
    return NewApiKey(key, text)


def list_keys(micro_id: str) -> list[MicroKey]:
    """A Micro's API keys, oldest first, each with who made it."""
    return list(MicroKey.objects.select_related("made_by").filter(micro_id=micro_id).order_by("created_at", "id"))


def revoke_key(*, collection_id: str, micro_id: str, name: str) -> None:
    """Delete the API key of this name: the next request with it is refused. Raises MicroNotFound, MicroKeyNotFound."""
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        key = MicroKey.objects.filter(micro=micro, name=name).first() if "\x00" not in name else None
        if key is None:
            raise MicroKeyNotFound()
        _record(Verb.MICRO_KEY_REVOKED, micro, key)
        key.delete()


def check_key(text: str, *, micro_id: str) -> bool:
    """Whether this is an API key of this Micro; its use is noted, once a minute at most. Raises EngineUnreachable, DiskFull.

    What does not look like one costs no question: apps have `X-API-Key` headers of their own.
    """
    if _SHAPE.fullmatch(text) is None:
        return False
    return bool(run(micros_sql.use_key(micro_id, _digest(text), limits.MICRO_KEY_USES_SECONDS)))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _random(characters: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(characters))


def _check_text(text: str, what: str) -> str:
    text = text.strip()
    most = limits.DATA_KEY_NAME_MAX_CHARACTERS if what == "name" else limits.MICRO_TEXT_MAX_CHARACTERS
    if not 1 <= len(text) <= most or not text.isprintable():
        raise InvalidInput(f"An API key's {what} has 1 to {most} characters, all of them visible")
    return text


def _record(verb: Verb, micro: Micro, key: MicroKey) -> None:
    details: dict[str, object] = {"micro": micro.id, "key": key.name, "prefix": key.prefix}
    audit.record(verb, collection_id=micro.collection_id, about=micro.name, details=details)
