"""Saving a person's edits: many changes in one request, each compared with the revision it was made from, none applied twice.

The rules of a merge are in `merging.py`; this module owns the batches, their locks and their receipts. A batch and its
receipt are one transaction: a save that is sent again, because its answer never arrived, is answered from the receipts.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Literal, NamedTuple, TypeGuard
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.db import transaction

from storage import disk_space, engine_waits, limits, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.base import generated_keys
from storage.base.items import PreparedItem, find_base_id, prepare_item, with_key
from storage.base.merging import Add, Change, Delete, Members, check_texts, merge_edit
from storage.base.sql import edits as edits_sql
from storage.errors import BaseNotFound, InvalidInput, ItemNotFound, SaveReused
from storage.exact_json import join, parse, split
from storage.models import DataKey
from storage.postgres import rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run, run_one

Outcome = Literal["saved", "merged", "clash", "refused", "gone"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one change.

    saved: as asked. merged: others had changed other attributes meanwhile, or the same to the same. clash: others changed
    the same; `theirs` has their values as JSON texts, None for an attribute they removed. refused: `why` says why.
    gone: the item no longer exists. `revision` and the rest are of the item as this change left or met it.
    """

    id: str
    outcome: Outcome
    key: str | None
    revision: int | None = None
    theirs: dict[str, str | None] = field(default_factory=dict)
    changed_at: datetime | None = None
    changed_by_key: int | None = None
    changed_by_person: int | None = None
    why: str = ""


class ItemState(NamedTuple):
    """An item with its history's last line: `json` is the whole item, changed by a data key or a person or neither."""

    key: str
    json: str
    revision: int
    changed_at: datetime
    changed_by_key: int | None
    changed_by_person: int | None


class _Present(NamedTuple):
    """An item while a batch is applied; `revision` is that of the stored state, until the batch is written."""

    members: Members
    revision: int
    changed_at: datetime | None
    changed_by_key: int | None
    changed_by_person: int | None


def save_changes(*, access: Access, base: str, save_id: UUID, changes: list[Change]) -> list[Result]:
    """Apply the changes in their order, up to 25 in a transaction; a result for each, in that order.

    Sending the same save again applies what was not applied yet and answers the rest as before. Raises BaseNotFound,
    InvalidInput (too many changes), SaveReused, DiskFull (unless all of them delete), Unauthorized or Forbidden when the person
    may not write here (any more), and EngineUnreachable; after the latter, send it again.
    """
    if len(changes) > limits.CHANGES_PER_SAVE:
        raise InvalidInput(f"A save has at most {limits.CHANGES_PER_SAVE:,} changes, this one has {len(changes):,}")
    if not all(isinstance(change, Delete) for change in changes):
        disk_space.check_space_for_items()
    base_id = find_base_id(access, base)
    digest = hashlib.sha256(
        msgspec.json.encode([[type(change).__name__, asdict(change)] for change in changes])
    ).digest()
    results: list[Result] = []
    # Hundreds of transactions take their time where each is as quick as ever.
    with engine_waits.allowed(limits.SAVE_SECONDS) if len(changes) > limits.CHANGES_PER_BATCH else nullcontext():
        for number, some in enumerate(_in_batches(changes)):
            results += _Batch(access, base, base_id, save_id, number, digest).apply(some)
    return results


def get_states(*, access: Access, base: str, keys: Iterable[str]) -> dict[str, ItemState]:
    """The items with these keys, by key; missing and expired ones are left out. Raises BaseNotFound."""
    rows = run(edits_sql.get_items(find_base_id(access, base), list(keys)))
    return {row.key: ItemState(row.key, with_key(row.key, row.value), *row[2:]) for row in rows}


def get_state(*, access: Access, base: str, key: str) -> ItemState:
    """One item, with who last changed it and when. Raises ItemNotFound, BaseNotFound."""
    found = get_states(access=access, base=base, keys=[key])
    if key not in found:
        raise ItemNotFound()
    return found[key]


def name_changers(
    *, collection_id: str, key_ids: Iterable[int], person_ids: Iterable[int]
) -> tuple[dict[int, str], dict[int, str]]:
    """The names of data keys and people by id. Deleted keys and removed people are left out."""
    found = DataKey.objects.filter(collection_id=collection_id, id__in=set(key_ids))
    people = User.objects.filter(id__in=set(person_ids))
    return (
        {key.pk: f"data key “{key.name}” ({key.secret_start}…{key.secret_end})" for key in found},
        {person.pk: person.username for person in people},
    )


def forget_receipts() -> int:
    """Delete the receipts of saves that are too old to be sent again. Returns how many."""
    return run_one(edits_sql.forget_receipts(limits.RECEIPT_KEPT_SECONDS)).total


@dataclass(frozen=True, slots=True)
class _Batch:
    """The Base a batch of changes goes to, who sent it, and which batch of which save it is."""

    access: Access
    base: str
    base_id: int
    save_id: UUID
    number: int
    digest: bytes

    def apply(self, changes: list[Change]) -> list[Result]:
        """Apply the batch once; the second time the receipt answers."""
        person_id = self.access.person_id
        taken = edits_sql.take_receipt(
            self.save_id, self.number, base_id=self.base_id, person_id=person_id, digest=self.digest
        )
        with engine_errors(), transaction.atomic():
            if not run(taken):
                return self._recorded()
            if not run(edits_sql.hold_base(self.base_id)):
                raise BaseNotFound()
            results, deleted = _apply(self.base_id, changes, person_id)
            rights.ask_again(self.access)
            if deleted:
                self._record_deletion(deleted)
            run(edits_sql.keep_results(self.save_id, self.number, msgspec.json.encode(results).decode()))
            return results

    def _record_deletion(self, amount: int) -> None:
        """One entry for the whole save, which grows with each batch."""
        audit.record(
            Verb.ITEMS_DELETED,
            collection_id=self.access.collection_id,
            about=self.base,
            amount=amount,
            merge=f"{Verb.ITEMS_DELETED} {self.save_id}",
        )

    def _recorded(self) -> list[Result]:
        base_id, person_id, digest, results = run_one(edits_sql.get_receipt(self.save_id, self.number))
        if (base_id, person_id, bytes(digest)) != (self.base_id, self.access.person_id, self.digest):
            raise SaveReused()
        return msgspec.json.decode(results, type=list[Result])


def _in_batches(changes: list[Change]) -> Iterator[list[Change]]:
    """The changes in order, with new items apart from others.

    So each transaction locks items in one statement, in the order of their keys, as every put does: none can stand in
    another's way. Locking what is there and then storing what is new would lock in two orders.
    """
    for _, alike in groupby(changes, key=lambda change: isinstance(change, Add)):
        some = list(alike)
        for start in range(0, len(some), limits.CHANGES_PER_BATCH):
            yield some[start : start + limits.CHANGES_PER_BATCH]


def _apply(base_id: int, changes: list[Change], person_id: int | None) -> tuple[list[Result], int]:
    """Decide change by change, on items that are locked unless all of the changes are new ones, then write the outcome.

    Returns the results, and how many items are gone.
    """
    given = _with_made_keys(changes)
    there = sorted({change.key for change in given if not isinstance(change, Add) and _is_key(change.key)})
    locked = run(edits_sql.lock_items(base_id, there)) if there else []
    stored = {row.key: _Present(split(row.value), *row[2:]) for row in locked}
    now: dict[str, _Present | None] = dict(stored)
    prepared: dict[str, PreparedItem] = {}
    results = [_decide(change, now, prepared, person_id) for change in given]
    written = _write(base_id, stored, now, prepared, person_id)
    done = [_after_writing(result, written) for result in results]
    not_free = {key for key, state in written.items() if state is None}
    taken = [place for place, change in enumerate(changes) if _lacks_key(change) and given[place].key in not_free]
    if taken:  # Somebody drew the same keys meanwhile.
        for place, result in zip(taken, _apply(base_id, [changes[n] for n in taken], person_id)[0], strict=True):
            done[place] = result
    return done, sum(now[key] is None for key in stored)


def _is_key(key: str | None) -> TypeGuard[str]:
    try:
        names.check_key(key)
    except InvalidInput:
        return False
    return True


def _with_made_keys(changes: list[Change]) -> list[Change]:
    """The changes, and in place of each new item without a key one with a key that is drawn for it."""
    drawn = iter(generated_keys.draw_keys(sum(_lacks_key(change) for change in changes)))
    return [replace(change, key=next(drawn).key) if _lacks_key(change) else change for change in changes]


def _lacks_key(change: Change) -> bool:
    return isinstance(change, Add) and change.key is None


def _decide(
    change: Change, now: dict[str, _Present | None], prepared: dict[str, PreparedItem], person_id: int | None
) -> Result:
    """The result of a change, if it can be written as decided; `now` and `prepared` then have its item as it will be."""
    assert change.key is not None  # noqa: S101 -- a key was made where none was given
    present = now.get(change.key)
    outcome: Outcome = "saved"
    try:
        names.check_key(change.key)
        if isinstance(change, Add):
            if present is not None:
                return Result(change.id, "refused", change.key, why=_exists(change.key))
            check_texts(change.item)
            members = change.item
        elif present is None:
            return Result(change.id, "saved" if isinstance(change, Delete) else "gone", change.key)
        elif isinstance(change, Delete):
            if present.revision != change.revision:
                return _met(change, present, "clash")
            now[change.key] = None
            return Result(change.id, "saved", change.key)
        else:
            merged = merge_edit(change, members=present.members, revision=present.revision)
            outcome = "saved" if present.revision == change.revision else "merged"
            if merged.members is None:
                return _met(change, present, "clash", theirs=dict(merged.theirs))
            if merged.members == present.members:
                return _met(change, present, outcome)
            members = merged.members
        prepared[change.key] = _prepared(change.key, members)
    except InvalidInput as error:
        return Result(change.id, "refused", change.key, why=". ".join(error.messages))
    now[change.key] = _Present(members, present.revision if present else 0, None, None, person_id)
    return Result(change.id, outcome, change.key, changed_by_person=person_id)


def _prepared(key: str, members: Members) -> PreparedItem:
    return prepare_item({**parse(join(members).encode()), "key": key})


def _met(change: Change, present: _Present, outcome: Outcome, **more: Any) -> Result:
    changed = {name: getattr(present, name) for name in ("changed_at", "changed_by_key", "changed_by_person")}
    return Result(change.id, outcome, change.key, present.revision, **changed, **more)


def _write(
    base_id: int,
    stored: dict[str, _Present],
    now: dict[str, _Present | None],
    prepared: dict[str, PreparedItem],
    person_id: int | None,
) -> dict[str, tuple[int, datetime] | None]:
    """Write what differs; revision and time of each item written, None for a new one whose key was taken."""
    changed = {key for key, present in now.items() if present is not stored.get(key)}
    gone = [key for key in changed if now[key] is None]
    rows = [prepared[key] for key in changed if now[key] is not None]
    if gone:
        keeps_history = disk_space.has_room_for_history()
        run(edits_sql.delete_items(base_id, gone, person_id=person_id, keeps_history=keeps_history))
    if not rows:
        return {}
    found = run(edits_sql.store_items(base_id, list(rows), person_id=person_id, replace=bool(stored)))
    return dict.fromkeys(row.key for row in rows) | {row.key: (row.revision, row.changed_at) for row in found}


def _after_writing(result: Result, written: dict[str, tuple[int, datetime] | None]) -> Result:
    if result.outcome not in ("saved", "merged") or result.key not in written:
        return result
    state = written[result.key]
    if state is None:
        return Result(result.id, "refused", result.key, why=_exists(result.key))
    return replace(result, revision=state[0], changed_at=state[1])


def _exists(key: str) -> str:
    return f"An item with the key “{key}” exists already"
