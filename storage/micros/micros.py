"""Micros: create, list, find, change and delete. What runs for one is decided by its row (`wanted.py`).

Each has a data key of its own to its collection, which is kept sealed, and revoked when the Micro is deleted.
"""

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F

from storage import disk_space, limits, micro_addresses, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import keys
from storage.drive import parts
from storage.errors import AlreadyTaken, CollectionNotFound, InvalidInput, MicroNotFound
from storage.micros import sealing, subdomains
from storage.micros.announcing import announce_change
from storage.micros.runtimes import read_runtime
from storage.models import Collection, DataKey, Deployment, Micro, MicroDomain

_KEY_NAME_ROOM = limits.DATA_KEY_NAME_MAX_CHARACTERS - len("Micro ")


def create_micro(
    *, collection_id: str, name: str, runtime: str = "", subdomain: str = "", made_by: User | None = None
) -> Micro:
    """Create a Micro without code, and its data key.

    `runtime` is a name such as `python3.9` or `nodejs14.x`; when it is empty, the first deployment decides. Without a
    `subdomain` the Micro gets its name's, or one with something random in it.

    Raises CollectionNotFound, AlreadyTaken (the name or the sub-domain), InvalidInput (one of these, or there are too many
    Micros), DiskFull.
    """
    disk_space.check_space_for_items()
    name = check_micro_name(name)
    if runtime:
        read_runtime(runtime)
    chosen = subdomains.check_subdomain(subdomain) if subdomain else ""
    with transaction.atomic():
        _hold_collection(collection_id)
        if Micro.objects.filter(collection_id=collection_id).count() >= limits.MICROS_PER_COLLECTION:
            raise InvalidInput(f"A collection has at most {limits.MICROS_PER_COLLECTION} Micros")
        _check_free(collection_id=collection_id, name=name, subdomain=chosen)
        micro = Micro(
            id=names.new_micro_id(),
            collection_id=collection_id,
            name=name,
            subdomain=chosen or find_free_subdomain(name),
            runtime=runtime.strip().lower(),
            made_by=made_by,
        )
        _give_data_key(micro)
        _save_new(micro)
        _record(Verb.MICRO_CREATED, micro, subdomain=micro.subdomain)
        announce_change(micro.id)
    return find_micro(collection_id=collection_id, micro_id=micro.id)


def list_micros(collection_id: str) -> list[Micro]:
    """A collection's Micros by name, each with the `deployment` that serves and its `domains`."""
    found = Micro.objects.filter(collection_id=collection_id).select_related("deployment", "made_by")
    return sorted(found.prefetch_related("domains"), key=lambda micro: (micro.name.casefold(), micro.id))


def find_micro(*, collection_id: str, micro_id: str) -> Micro:
    """A Micro with the `deployment` that serves. Raises MicroNotFound."""
    found = Micro.objects.select_related("deployment", "data_key", "made_by").filter(
        collection_id=collection_id, id=micro_id
    )
    micro = found.first() if names.is_text(micro_id) else None
    if micro is None:
        raise MicroNotFound()
    return micro


def find_micro_by_name(*, collection_id: str, name: str) -> Micro:
    """As `find_micro`, by its name."""
    micro = Micro.objects.filter(collection_id=collection_id, name=name).first() if names.is_text(name) else None
    if micro is None:
        raise MicroNotFound()
    return find_micro(collection_id=collection_id, micro_id=micro.id)


def find_micro_by_host(host: str) -> Micro | None:
    """The Micro that is served under the name in a Host header, with its collection and `deployment`; None for none.

    The name may have any case, a port and a dot at its end.
    """
    name = micro_addresses.normalise_host(host)
    if not name.isascii() or not names.is_text(name):
        return None
    found = Micro.objects.select_related("deployment", "collection").filter(collection__scratch_of=None)
    subdomain = micro_addresses.subdomain_of(name)
    if subdomain is not None:
        return found.filter(subdomain=subdomain).first()
    return found.filter(domains__name=name).first()


def change_micro(
    *,
    collection_id: str,
    micro_id: str,
    name: str | None = None,
    subdomain: str | None = None,
    runtime: str | None = None,
    has_sign_in: bool | None = None,
    is_recorded: bool | None = None,
    is_kept_warm: bool | None = None,
    idle_minutes: int | None = None,
) -> Micro:
    """Change what is given, and leave the rest. The Micro as it is then.

    Another `runtime` counts from the next deployment on; `idle_minutes` is 1 to `MICRO_IDLE_MINUTES_MAX`. The data key stays
    the same, whatever the Micro is called.

    Raises MicroNotFound, AlreadyTaken (the name or the sub-domain), InvalidInput (one of these values), DiskFull.
    """
    disk_space.check_space_for_items()
    given: dict[str, Any] = {
        "name": None if name is None else check_micro_name(name),
        "subdomain": None if subdomain is None else subdomains.check_subdomain(subdomain),
        "runtime": None if runtime is None else _check_runtime(runtime),
        "has_sign_in": has_sign_in,
        "is_recorded": is_recorded,
        "is_kept_warm": is_kept_warm,
        "idle_minutes": None if idle_minutes is None else _check_idle_minutes(idle_minutes),
    }
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        changed = {what: value for what, value in given.items() if value is not None and value != getattr(micro, what)}
        if not changed:
            return find_micro(collection_id=collection_id, micro_id=micro_id)
        before = {f"{what}_before": getattr(micro, what) for what in changed}
        _check_free(collection_id=collection_id, name=changed.get("name", ""), subdomain=changed.get("subdomain", ""))
        _update(micro, changed)
        if "name" in changed and micro.data_key_id is not None:
            DataKey.objects.filter(id=micro.data_key_id).update(name=_key_name(changed["name"]))
        micro.name = changed.get("name", micro.name)
        _record(Verb.MICRO_CHANGED, micro, **changed, **before)
        announce_change(micro_id)
    return find_micro(collection_id=collection_id, micro_id=micro_id)


def renew_data_key(*, collection_id: str, micro_id: str) -> Micro:
    """Give a Micro another data key and revoke the one it had, as when that was revoked or can't be read any more.

    Raises MicroNotFound, DiskFull.
    """
    disk_space.check_space_for_items()
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        _revoke_data_key(micro)
        _give_data_key(micro)
        _update(micro, {"data_key": micro.data_key, "sealed_data_key": micro.sealed_data_key})
        announce_change(micro_id)
    return find_micro(collection_id=collection_id, micro_id=micro_id)


def delete_micro(*, collection_id: str, micro_id: str, typed_name: str) -> None:
    """Delete a Micro: its processes, deployments, keys, domains and data key end with it. Its log goes in the background.

    Raises MicroNotFound, InvalidInput when the typed name is not the Micro's.
    """
    with transaction.atomic():
        micro = hold_micro(collection_id=collection_id, micro_id=micro_id)
        if typed_name.strip() != micro.name:
            raise InvalidInput("That is not the Micro's name")
        _record(Verb.MICRO_DELETED, micro, subdomain=micro.subdomain)
        _revoke_data_key(micro)
        _drop_bundles(micro_id)
        micro.delete()


def hold_micro(*, collection_id: str, micro_id: str) -> Micro:
    """In the caller's transaction: a Micro that nobody else changes until it ends, nor its collection deletes.

    Raises MicroNotFound.
    """
    _hold_collection(collection_id, missing=MicroNotFound())
    found = Micro.objects.select_for_update().filter(collection_id=collection_id, id=micro_id)
    micro = found.first() if names.is_text(micro_id) else None
    if micro is None:
        raise MicroNotFound()
    return micro


def touch_micro(micro: Micro, **changes: Any) -> None:
    """In the caller's transaction: change a held Micro in a way that a running instance has to learn of."""
    _update(micro, changes)
    announce_change(micro.id)


def read_data_key(micro: Micro) -> str:
    """The text of a Micro's data key. Raises SecretsUnreadable."""
    return sealing.unseal(micro.sealed_data_key, micro_id=micro.id).decode()


def check_micro_name(name: str) -> str:
    """The name without spaces around it. Invisible characters are refused: they could make two names look the same.

    Raises InvalidInput.
    """
    name = name.strip()
    if not 1 <= len(name) <= limits.MICRO_NAME_MAX_CHARACTERS or not name.isprintable():
        raise InvalidInput(
            f"A Micro's name has 1 to {limits.MICRO_NAME_MAX_CHARACTERS} characters, all of them visible"
        )
    return name


def _check_runtime(runtime: str) -> str:
    read_runtime(runtime)
    return runtime.strip().lower()


def _check_idle_minutes(minutes: int) -> int:
    if not 1 <= minutes <= limits.MICRO_IDLE_MINUTES_MAX:
        raise InvalidInput(f"A Micro falls asleep after 1 to {limits.MICRO_IDLE_MINUTES_MAX:,} minutes")
    return minutes


def _hold_collection(collection_id: str, missing: Exception | None = None) -> None:
    """Names within it are given one at a time, and it is not deleted meanwhile."""
    held = Collection.objects.select_for_update(no_key=True).filter(id=collection_id)
    if not names.is_collection_id(collection_id) or not held.exists():
        raise missing or CollectionNotFound(f"No collection has the id {collection_id}")


def _check_free(*, collection_id: str, name: str, subdomain: str) -> None:
    if name and Micro.objects.filter(collection_id=collection_id, name=name).exists():
        raise AlreadyTaken(f"The collection has a Micro “{name}” already")
    if subdomain and not is_free(subdomain):
        raise _taken(subdomain)


def is_free(subdomain: str) -> bool:
    """Whether no Micro has this sub-domain, nor the name that it makes as a domain of its own."""
    domain = MicroDomain.objects.filter(name=micro_addresses.hostname(subdomain))
    return not Micro.objects.filter(subdomain=subdomain).exists() and not domain.exists()


def find_free_subdomain(name: str) -> str:
    """A sub-domain for a Micro of this name that nobody has yet."""
    chosen = subdomains.suggest_subdomain(name, is_plain=True)
    while not is_free(chosen):
        chosen = subdomains.suggest_subdomain(name, is_plain=False)
    return chosen


def _taken(subdomain: str) -> AlreadyTaken:
    return AlreadyTaken(f"The sub-domain “{subdomain}” is taken")


def _save_new(micro: Micro) -> None:
    try:
        with transaction.atomic():
            micro.save(force_insert=True)
    except IntegrityError:
        # Of another collection, at this very moment: names within one are given one at a time.
        raise _taken(micro.subdomain) from None


def _update(micro: Micro, changes: dict[str, Any]) -> None:
    try:
        with transaction.atomic():
            Micro.objects.filter(id=micro.id).update(**changes, version=F("version") + 1)
    except IntegrityError:
        raise _taken(changes.get("subdomain", "")) from None


def _key_name(name: str) -> str:
    return f"Micro {name[:_KEY_NAME_ROOM]}".strip()


def _give_data_key(micro: Micro) -> None:
    """A new key for it. Nobody is noted as its maker: it is the Micro's, and stays when somebody leaves."""
    made = keys.create_key(collection_id=micro.collection_id, name=_key_name(micro.name))
    micro.data_key = made.data_key
    micro.sealed_data_key = sealing.seal(made.text.encode(), micro_id=micro.id)


def _revoke_data_key(micro: Micro) -> None:
    if micro.data_key_id is not None:
        keys.revoke_key(collection_id=micro.collection_id, key_id=micro.data_key_id)


def _drop_bundles(micro_id: str) -> None:
    """Let go of all that a Micro's deployments have in the bucket.

    Their rows are locked first, so that no worker adds to a deployment that is about to go.
    """
    found = Deployment.objects.select_for_update().filter(micro_id=micro_id).values_list("id", "dependencies_id")
    parts.drop_parts(*{each for pair in found for each in pair if each is not None})


def _record(verb: Verb, micro: Micro, **details: object) -> None:
    told = {"micro": micro.id, **details}
    audit.record(verb, collection_id=micro.collection_id, about=micro.name, details=told)
