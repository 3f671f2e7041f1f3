"""The audit log: what people did, written in the transaction of what they did.

So an act whose entry cannot be written does not happen, and one that is undone leaves none. Reading and exporting the log are
here too, and dropping what is older than `HOMEPORT_AUDIT_DAYS`. What apps do with data keys is Visor's (`storage/events/`),
and what an item or file was before is nobody's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.conf import settings
from django.db import connection, transaction

from storage import disk_space, limits
from storage.audit import actors
from storage.audit import sql as audit_sql
from storage.audit.actors import Actor
from storage.audit.sql import Entry
from storage.audit.verbs import Kind, Verb
from storage.exact_json import dump
from storage.postgres import clock
from storage.postgres.database import engine_errors, run, run_one

__all__ = [
    "Conditions",
    "Entry",
    "Kind",
    "Verb",
    "all_entries",
    "forget_old",
    "list_entries",
    "list_names",
    "note_act",
    "note_export",
    "record",
    "record_failed_sign_in",
    "record_refused_sign_in",
]

# What `merge` texts become ids in.
_NAMESPACE = UUID("6b0a6f52-6f0b-4c8e-9a7e-5f3c0f1d2a44")


@dataclass(frozen=True, slots=True)
class Conditions:
    """Which entries: of one collection (None: of the whole server), by whom, of which kind, from and until when (UTC)."""

    collection_id: str | None
    actor: str = ""
    name: str = ""
    kind: Kind | None = None
    since: datetime | None = None
    until: datetime | None = None


def record(
    verb: Verb,
    *,
    collection_id: str = "",
    about: str = "",
    amount: int = 1,
    details: Mapping[str, object] | None = None,
    merge: str = "",
    by: Actor | None = None,
) -> None:
    """Write what is being done into the log, as a part of the caller's transaction.

    `about` is the name of what is acted on, `amount` how many there are of it, `details` small and without any secret. Acts
    with the same `merge` become one entry, whose amount grows. `by` is the one who acts unless given.

    Raises RuntimeError outside of a transaction, EngineUnreachable, DiskFull.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{verb} is recorded outside of the transaction of what it tells")
    actor = by or actors.current()
    told = {name: _clean_value(value) for name, value in (details or {}).items()}
    if actor.token:
        told["by_token"] = _clean(actor.token)
    run(
        audit_sql.add_entry(
            Actor(actor.kind, _clean(actor.name), actor.person_id, _clean(actor.address)),
            verb=verb,
            collection_id=collection_id,
            about=_clean(about),
            amount=amount,
            details=dump(told).decode(),
            merge_id=uuid5(_NAMESPACE, merge) if merge else None,
        )
    )


def note_act(verb: Verb, *, details: Mapping[str, object] | None = None) -> None:
    """Record what is about to begin and is no single transaction, in one of its own. Raises as `record` does."""
    with engine_errors(), transaction.atomic():
        record(verb, details=details)


def note_export(*, collection_id: str, kind: str, query: str) -> None:
    """Record that somebody downloads the log itself, before its first line goes out. Raises as `record` does."""
    details = {"format": kind} | ({"filter": query} if query else {})
    with engine_errors(), transaction.atomic():
        record(Verb.AUDIT_EXPORTED, collection_id=collection_id, details=details)


def record_failed_sign_in(*, account: str, address: str, how: str = "password") -> None:
    """A try that failed, in the caller's transaction: an entry an hour for each address and account, which counts them.

    `account` is the name of an account that exists, "" for any other name: people type passwords into the field for the name.
    Strangers must not fill the log, so after `AUDIT_FAILED_SIGN_INS_PER_HOUR` entries, and while the disk is too full, the rest
    of the hour is one for each account: that many other tries hide none at a person. Raises as `record` does.
    """
    _record_try(Verb.SIGN_IN_FAILED, account=account, address=address, how=how)


def record_refused_sign_in(*, account: str, address: str, how: str = "password") -> None:
    """A try that was refused unseen, after too many: as `record_failed_sign_in`."""
    _record_try(Verb.SIGN_IN_REFUSED, account=account, address=address, how=how)


def _record_try(verb: Verb, *, account: str, address: str, how: str) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    most = limits.AUDIT_FAILED_SIGN_INS_PER_HOUR
    details: dict[str, object] = {"by": how}
    if disk_space.is_short_for_items() or run_one(audit_sql.count_since(verb, hour, most)).total >= most:
        address = ""
        details["addresses"] = "many"
    record(
        verb,
        about=account,
        details=details,
        merge=f"{verb} {hour.isoformat()} {address} {account} {how}",
        by=Actor("nobody", address=address),
    )


def list_entries(
    conditions: Conditions, *, before: tuple[datetime, int] | None = None, limit: int = limits.AUDIT_ENTRIES_PER_PAGE
) -> list[Entry]:
    """Entries, newest first; `before` is the time and id of the one to go on behind. Raises EngineUnreachable."""
    return run(
        audit_sql.list_entries(
            collection_id=conditions.collection_id,
            actor=conditions.actor,
            name=conditions.name,
            verbs=[str(verb) for verb in conditions.kind.verbs] if conditions.kind else [],
            since=conditions.since,
            until=conditions.until,
            before=before,
            limit=limit,
        )
    )


def all_entries(conditions: Conditions) -> Iterator[Entry]:
    """All entries, newest first, read in batches as they are wanted. Raises EngineUnreachable."""
    before = None
    while found := list_entries(conditions, before=before, limit=limits.AUDIT_EXPORT_BATCH):
        yield from found
        before = (found[-1].at, found[-1].id)


def list_names(collection_id: str | None) -> list[str]:
    """The names of people in the log of a collection, or of the server for None; sorted, the first of very many."""
    return [name for (name,) in run(audit_sql.list_names(collection_id, limits.AUDIT_NAMES_MAX))]


def forget_old() -> int:
    """Drop entries of more than `HOMEPORT_AUDIT_DAYS` ago; how many there were. Raises EngineUnreachable."""
    total = 0
    while dropped := run_one(audit_sql.drop_entries(settings.AUDIT_DAYS, limits.SWEEP_BATCH_ROWS)).total:
        total += dropped
    return total


def _clean_value(value: object) -> object:
    if isinstance(value, list):
        return [_clean_value(each) for each in value]
    return _clean(value) if isinstance(value, str) else value


def _clean(text: str) -> str:
    """The text on one line, as Postgres can keep it, cut to the length of a column."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in text)
    most = limits.AUDIT_TEXT_MAX_CHARACTERS
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
