"""Data keys: create, show once, list and revoke.

Only a key's SHA-256 is stored (promises: P7). Whether a key is good is decided by the database in the statement that
does the work, so that a revoked key is refused by the very next request in every process.
"""

import hashlib
import re
import secrets
import string
from collections.abc import Collection as Ids
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from storage import disk_space, limits, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import CollectionNotFound, DataKeyNotFound, InvalidInput, Unauthorized
from storage.models import Collection, DataKey, DataKeyUse
from storage.postgres import clock
from storage.postgres.caller import Access

# How a key begins that `deta dev` makes for the person who calls it.
DEV_KEY_NAME = "deta dev"

_ALPHABET = string.ascii_letters + string.digits
_SHAPE = re.compile(
    rf"([a-z0-9]{{{limits.COLLECTION_ID_CHARACTERS}}})_[A-Za-z0-9]{{{limits.SECRET_CHARACTERS}}}", re.ASCII
)


class NewKey(NamedTuple):
    """A new data key; `text` is the only place that ever has its secret."""

    data_key: DataKey
    text: str


# What it asks for, whether or not it may: that says the statement.
@lru_cache(maxsize=1024)
def read_key(text: str) -> Access:
    """The access that a data key's text asks for. Raises Unauthorized when it does not look like a key."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise Unauthorized()
    return Access(shape[1], hashlib.sha256(text.encode()).digest())


def create_key(
    *,
    collection_id: str,
    name: str,
    can_write: bool = True,
    base_names: list[str] | None = None,
    drive_names: list[str] | None = None,
    expires_at: datetime | None = None,
    requests_per_second: int | None = None,
    bytes_per_day: int | None = None,
    made_by: User | None = None,
) -> NewKey:
    """Create a data key. Without `base_names` or `drive_names` it is valid for all of them; an empty list means none.

    Without a limit there is none. `made_by` is noted, None for a command. Raises CollectionNotFound, InvalidInput (the key's
    name, a Base's or Drive's name, a limit), DiskFull.
    """
    disk_space.check_space_for_items()
    _check_limits(requests_per_second, bytes_per_day)
    if not 1 <= len(name.strip()) <= limits.DATA_KEY_NAME_MAX_CHARACTERS:
        raise InvalidInput(f"A data key's name has 1 to {limits.DATA_KEY_NAME_MAX_CHARACTERS} characters")
    for chosen in (base_names or []) + (drive_names or []):
        names.check_name(chosen)
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(limits.SECRET_CHARACTERS))
    text = f"{collection_id}_{secret}"
    with transaction.atomic():
        # Held, so that the collection is not deleted before the key is there.
        if not Collection.objects.select_for_update(no_key=True).filter(id=collection_id).exists():
            raise CollectionNotFound(f"No collection has the id {collection_id}")
        data_key = DataKey.objects.create(
            collection_id=collection_id,
            name=name.strip(),
            digest=hashlib.sha256(text.encode()).digest(),
            secret_start=secret[:4],
            secret_end=secret[-4:],
            can_write=can_write,
            base_names=base_names,
            drive_names=drive_names,
            expires_at=expires_at,
            requests_per_second=requests_per_second,
            bytes_per_day=bytes_per_day,
            made_by=made_by,
        )
        _record(Verb.KEY_CREATED, data_key, rights="write" if can_write else "read", **_scope(data_key))
        return NewKey(data_key, text)


def _scope(data_key: DataKey) -> dict[str, object]:
    """What the key is limited to, for the audit log."""
    scope: dict[str, object] = {
        "bases": data_key.base_names,
        "drives": data_key.drive_names,
        "expires_at": data_key.expires_at and data_key.expires_at.isoformat(),
        **_limits(data_key),
    }
    return {kind: chosen for kind, chosen in scope.items() if chosen is not None}


def _limits(data_key: DataKey) -> dict[str, int | None]:
    return {"requests_per_second": data_key.requests_per_second, "bytes_per_day": data_key.bytes_per_day}


def _check_limits(requests_per_second: int | None, bytes_per_day: int | None) -> None:
    for what, limit, most in (
        ("requests a second", requests_per_second, limits.KEY_REQUESTS_PER_SECOND_MAX),
        ("bytes a day", bytes_per_day, limits.KEY_BYTES_PER_DAY_MAX),
    ):
        if limit is not None and not 1 <= limit <= most:
            raise InvalidInput(f"A data key's limit is 1 to {most:,} {what}")


def _record(verb: Verb, data_key: DataKey, **details: object) -> None:
    told = {"key": data_key.pk, **details}
    audit.record(verb, collection_id=data_key.collection_id, about=data_key.name, details=told)


def list_keys(collection_id: str) -> list[DataKey]:
    """The collection's keys, revoked ones too, oldest first, each with who made it and its `use` once it has one.

    Empty when there is no such collection.
    """
    found = DataKey.objects.select_related("use", "allowance", "made_by").filter(collection_id=collection_id)
    return list(found.order_by("created_at", "id"))


def find_key(*, collection_id: str, key_id: int) -> DataKey:
    """Raises DataKeyNotFound."""
    found = DataKey.objects.select_related("use").filter(collection_id=collection_id, id=key_id).first()
    if found is None:
        raise DataKeyNotFound(f"Collection {collection_id} has no data key {key_id}")
    return found


def find_first_use(collection_id: str) -> DataKeyUse | None:
    """The first use of any key of this collection, with its `data_key`; None before the first use."""
    uses = DataKeyUse.objects.select_related("data_key").filter(data_key__collection_id=collection_id)
    return uses.order_by("first_used_at").first()


def set_limits(*, collection_id: str, key_id: int, requests_per_second: int | None, bytes_per_day: int | None) -> None:
    """Give a key other limits, None for no limit; every process follows within two seconds.

    Raises DataKeyNotFound, InvalidInput.
    """
    _check_limits(requests_per_second, bytes_per_day)
    with transaction.atomic():
        found = DataKey.objects.select_for_update().filter(collection_id=collection_id, id=key_id).first()
        if found is None:
            raise DataKeyNotFound(f"Collection {collection_id} has no data key {key_id}")
        before = _limits(found)
        found.requests_per_second, found.bytes_per_day = requests_per_second, bytes_per_day
        found.save(update_fields=["requests_per_second", "bytes_per_day"])
        changed = {kind: limit for kind, limit in _limits(found).items() if limit != before[kind]}
        _record(Verb.KEY_CHANGED, found, **changed, **{f"{kind}_before": before[kind] for kind in changed})


def revoke_key(*, collection_id: str, key_id: int) -> None:
    """Revoke the key: it is refused from now on. Revoking it again changes nothing. Raises DataKeyNotFound."""
    with transaction.atomic():
        data_key = find_key(collection_id=collection_id, key_id=key_id)
        if DataKey.objects.filter(id=key_id, revoked_at=None).update(revoked_at=clock.now()):
            _record(Verb.KEY_REVOKED, data_key)


def list_keys_made_by(person_id: int, *, collection_id: str | None = None) -> list[DataKey]:
    """The keys that this person made and that are still good, in one collection or (None) in all, oldest first."""
    now = clock.now()
    good = DataKey.objects.select_related("collection").filter(made_by_id=person_id, revoked_at=None)
    good = good.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    if collection_id is not None:
        good = good.filter(collection_id=collection_id)
    return list(good.order_by("created_at", "id"))


def revoke_dev_keys(person_id: int, *, collection_id: str | None = None) -> None:
    """Revoke the development keys that this person made for themselves, in one collection or (None) in all."""
    for key in list_keys_made_by(person_id, collection_id=collection_id):
        if key.name.startswith(DEV_KEY_NAME) and key.expires_at is not None:
            revoke_key(collection_id=key.collection_id, key_id=key.pk)


def revoke_keys_made_by(person_id: int, *, key_ids: Ids[int], collection_id: str | None = None) -> None:
    """Revoke those of the keys that this person made, in one collection or (None) in all. Others do not change."""
    for key in list_keys_made_by(person_id, collection_id=collection_id):
        if key.pk in key_ids:
            revoke_key(collection_id=key.collection_id, key_id=key.pk)
