"""Many items changed at once: asked for by a person, done in batches, and undone as far as nobody has changed them since.

A change is of a selection, or of all items that match a query. A batch locks its items, looks whether they still match, and
writes them together with what they were before and how far the change is, in one transaction. So a change whose worker is killed
goes on behind the last batch, and whatever apps write meanwhile comes before or after it, whole. What acts do is in `acts.py`.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from storage import disk_space, limits, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.base import bases, items, overviews
from storage.base.acts import Act, Copy, Delete, describe_act, read_act, write_act
from storage.base.items import PreparedItem, prepare_item, with_key
from storage.base.query import Predicate, parse_query, parse_search
from storage.base.sql import changes as changes_sql
from storage.base.sql import edits as edits_sql
from storage.base.sql.changes import Before
from storage.errors import (
    AlreadyTaken,
    BaseNotFound,
    ChangeNotFound,
    DiskFull,
    EngineUnreachable,
    Forbidden,
    InvalidInput,
    Unauthorized,
    UndoOver,
)
from storage.exact_json import join, parse, split
from storage.models import Base, ItemChange
from storage.postgres import clock, rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, one_connection, run, run_one
from storage.postgres.leases import Lease, Superseded, is_orphaned

logger = logging.getLogger(__name__)

State = ItemChange.State
_WAITING = (State.QUEUED, State.UNDO_QUEUED)
_RUNNING = {State.QUEUED: State.RUNNING, State.UNDO_QUEUED: State.UNDOING}
_OVER = (State.DONE, State.FAILED)
_PROBLEMS_KEPT = 20
_ATTEMPTS_MAX = 10
_KEPT = timedelta(seconds=limits.CHANGE_UNDO_SECONDS)
# One at a time in each process, so that other jobs need not wait.
_place = threading.BoundedSemaphore(1)


class Done(NamedTuple):
    """What a batch has come to: items it was to change, those it did, why others were not, and what all of these were."""

    seen: int
    changed: int
    problems: list[str]


def predicate_of(query: str) -> Predicate:
    """What the text of a query means: strict JSON, words to search for, or everything. Raises BadQuery, InvalidInput."""
    if not query.strip():
        return Predicate()
    return parse_query(parse(query.encode())) if query.lstrip()[0] in "{[" else parse_search(query)


def count_meant(*, access: Access, base: str, query: str, keys: list[str] | None) -> overviews.BaseCount:
    """How many items a change would be of. Raises BadQuery, BaseNotFound."""
    if keys is not None:
        found = len(run(changes_sql.find_matching(items.find_base_id(access, base), keys, Predicate(), lock=False)))
        return overviews.BaseCount(found, True, found, found, True)
    return overviews.count_items(access=access, base=base, predicate=predicate_of(query))


def ask_for_change(
    *, access: Access, base: str, act: Act, query: str = "", keys: list[str] | None = None
) -> ItemChange:
    """Note a change of these items, or of all that match; `continue_changes` makes it.

    Raises InvalidInput (BadQuery), BaseNotFound, Unauthorized or Forbidden when the person may not write here (any more), and
    DiskFull unless it only deletes.
    """
    if not isinstance(act, Delete):
        disk_space.check_space_for_items()
    if keys is not None and not 1 <= len(keys) <= limits.CHANGE_KEYS_MAX:
        raise InvalidInput(f"A selection has 1 to {limits.CHANGE_KEYS_MAX:,} items")
    for key in keys or ():
        names.check_key(key)
    counted = count_meant(access=access, base=base, query=query, keys=keys)
    base_id = items.find_base_id(access, base)
    with engine_errors(), transaction.atomic():
        rights.ask_again(access)
        waiting = ItemChange.objects.filter(collection_id=access.collection_id, state__in=_WAITING).count()
        if waiting >= limits.CHANGES_WAITING_MAX:
            raise InvalidInput(f"{waiting} changes are waiting in this collection: wait until they are done")
        made = ItemChange.objects.create(
            collection_id=access.collection_id,
            base_id=base_id,
            target_id=_target_of(access, act, base_id),
            act=write_act(act),
            query="" if keys is not None else query,
            keys=None if keys is None else sorted(set(keys), key=str.encode),
            asked_by_id=access.person_id,
            expected=counted.matched if keys is not None or query.strip() else counted.total,
        )
        verb = Verb.ITEMS_DELETED if isinstance(act, Delete) else Verb.ITEMS_CHANGED
        _record(verb, access, base, max(1, made.expected), {"act": describe_act(act), "query": made.query})
    return made


def _target_of(access: Access, act: Act, base_id: int) -> int | None:
    """The id of the Base that items are copied into, which is made if there is none."""
    if not isinstance(act, Copy):
        return None
    bases.create_base(collection_id=access.collection_id, name=act.base)
    target = bases.find_base(collection_id=access.collection_id, name=act.base).pk
    if target == base_id:
        raise InvalidInput("Items cannot be copied into the Base they are in")
    return int(target)


def duplicate_base(*, access: Access, base: str, new_name: str) -> ItemChange:
    """Note that all items are to be copied into a new Base, which is there from now on.

    Raises as `ask_for_change`, and AlreadyTaken when there is a Base of the name.
    """
    names.check_name(new_name)
    if Base.objects.filter(collection_id=access.collection_id, name=new_name).exists():
        raise AlreadyTaken(f"There is a Base called “{new_name}” already")
    return ask_for_change(access=access, base=base, act=Copy(new_name))


def find_change(*, collection_id: str, change_id: UUID) -> ItemChange:
    """Raises ChangeNotFound."""
    found = ItemChange.objects.filter(collection_id=collection_id, pk=change_id).first()
    if found is None:
        raise ChangeNotFound()
    return found


def list_changes(*, base_id: int, limit: int) -> list[ItemChange]:
    """The last changes of a Base or into it, newest first."""
    found = ItemChange.objects.filter(Q(base_id=base_id) | Q(target_id=base_id))
    return list(found.order_by("-asked_at", "-pk")[:limit])


def can_undo(change: ItemChange) -> bool:
    return change.state in _OVER and change.undo_until is not None and change.undo_until > clock.now()


def ask_for_undo(*, access: Access, change_id: UUID) -> ItemChange:
    """Note that a change is to be undone; asking again changes nothing.

    Raises ChangeNotFound, UndoOver, DiskFull, Unauthorized or Forbidden when the person may not write here (any more).
    """
    disk_space.check_space_for_items()
    with engine_errors(), transaction.atomic():
        rights.ask_again(access)
        locked = ItemChange.objects.select_for_update().filter(collection_id=access.collection_id, pk=change_id)
        found = locked.first()
        if found is None:
            raise ChangeNotFound()
        if found.state in (State.UNDO_QUEUED, State.UNDOING, State.UNDONE):
            return found
        if not can_undo(found):
            raise UndoOver("This change can no longer be undone")
        found.state, found.attempts, found.finished_at = State.UNDO_QUEUED, 0, None
        found.save(update_fields=["state", "attempts", "finished_at"])
        name = Base.objects.filter(pk=found.base_id).values_list("name", flat=True).first() or ""
        _record(Verb.ITEMS_RESTORED, access, name, max(1, found.changed), {"act": describe_act(_act_of(found))})
        return found


def work_a_while(*, change_id: UUID, seconds: float) -> ItemChange:
    """Work on a waiting change for so long at most: most are done by then. Another worker goes on with the rest."""
    claimed = _claim(Q(pk=change_id))
    if claimed is not None:
        _work(claimed, until=time.monotonic() + seconds)
    return ItemChange.objects.get(pk=change_id)


def continue_changes() -> None:
    """Work on the waiting changes one after another, and on those of dead workers. Raises EngineUnreachable."""
    if not _place.acquire(blocking=False):
        return
    try:
        with engine_errors(), one_connection():
            while claimed := _claim(Q()):
                _work(claimed)
    finally:
        _place.release()


def forget_old() -> None:
    """Let go of what items were before changes that can no longer be undone, and of changes of long ago."""
    kept = ItemChange.objects.filter(undo_until__isnull=False, state__in=(*_OVER, State.UNDONE))
    if not disk_space.is_short_for_items():
        kept = kept.filter(Q(undo_until__lt=clock.now()) | Q(state=State.UNDONE))
    for change_id in kept.values_list("pk", flat=True):
        # Nobody can ask for an undo from here on.
        if ItemChange.objects.filter(pk=change_id, state__in=(*_OVER, State.UNDONE)).update(undo_until=None):
            while run_one(changes_sql.forget_before(change_id, limits.DELETE_BATCH_ROWS)).total:
                pass
    ItemChange.objects.filter(finished_at__lt=clock.now() - 2 * _KEPT, undo_until=None).delete()


def _claim(which: Q) -> ItemChange | None:
    """The next change to work on, which is this process's then."""
    with engine_errors(), transaction.atomic():
        orphaned = Q(state__in=_RUNNING.values()) & is_orphaned()
        waiting = ItemChange.objects.filter(which).filter(Q(state__in=_WAITING) | orphaned)
        found = waiting.select_for_update(skip_locked=True).order_by("asked_at", "pk").first()
        if found is None:
            return None
        found.state = _RUNNING.get(State(found.state), State(found.state))
        found.attempts += 1
        ItemChange.objects.filter(pk=found.pk).update(state=found.state, attempts=found.attempts, heartbeat_at=Now())
        return found


def _work(change: ItemChange, *, until: float | None = None) -> None:
    """Batch after batch. Stops without a word when somebody else has taken it over."""
    is_undo = change.state == State.UNDOING
    lease = Lease(change, state=change.state)
    with suppress(Superseded):
        try:
            if change.attempts > _ATTEMPTS_MAX:
                raise InvalidInput("It was begun too often, and never came to its end")
            batch: Callable[[Lease, ItemChange], bool] = _undo_batch if is_undo else _change_batch
            while batch(lease, change):
                if until is not None and time.monotonic() > until:
                    lease.save(state=State.UNDO_QUEUED if is_undo else State.QUEUED)
                    return
        except EngineUnreachable:
            raise
        except (Unauthorized, Forbidden):
            _fail(lease, "Whoever asked for it may no longer write here.")
        except BaseNotFound:
            _fail(lease, "The Base was deleted, emptied or moved meanwhile.")
        except (DiskFull, InvalidInput) as error:
            _fail(lease, f"{error.messages[-1]}.")
        except Exception:
            logger.exception("The change %s failed", change.pk)
            _fail(lease, "Something went wrong in Homeport. The server's log has the details.")


def _fail(lease: Lease, reason: str) -> None:
    now = clock.now()
    lease.save(state=State.FAILED, reason=reason, finished_at=now, undo_until=now + _KEPT)


def _change_batch(lease: Lease, change: ItemChange) -> bool:
    """One batch; whether more may follow."""
    act, access = _act_of(change), _access_of(change)
    if not isinstance(act, Delete):
        disk_space.check_space_for_items()
    keys, last = _next_keys(change, access)
    with engine_errors(), transaction.atomic():
        done = _apply(change, act, keys)
        rights.ask_again(access)
        room = _PROBLEMS_KEPT - len(change.problems)
        change.problems = [*change.problems, *done.problems[: max(0, room)]]
        change.position = keys[-1] if keys and last is None else last
        more: dict[str, Any] = {}
        if last is None:
            now = clock.now()
            more = {"state": State.DONE, "finished_at": now, "undo_until": now + _KEPT}
        lease.save(
            seen=F("seen") + done.seen,
            changed=F("changed") + done.changed,
            refused=F("refused") + len(done.problems),
            problems=change.problems,
            position=change.position,
            **more,
        )
    return last is not None


def _next_keys(change: ItemChange, access: Access) -> tuple[list[str], str | None]:
    """The keys of the next items, and the key to go on behind, None at the end."""
    if change.keys is not None:
        done = (change.position or "").encode()
        left = [key for key in change.keys if key.encode() > done]
        some = left[: limits.CHANGE_BATCH_ITEMS]
        return some, some[-1] if len(left) > len(some) else None
    while True:
        name = _name_of(change)
        page = items.query_items(
            access=access,
            base=name,
            predicate=predicate_of(change.query),
            limit=limits.CHANGE_BATCH_ITEMS,
            last=change.position,
        )
        # A Base that was renamed in between is empty under its old name.
        if page.items or page.last is not None or _name_of(change) == name:
            return [parse(text.encode())["key"] for text in page.items], page.last


def _apply(change: ItemChange, act: Act, keys: list[str]) -> Done:
    """In the caller's transaction: the act on those of the items that are still meant."""
    _hold(change.base_id)
    predicate = Predicate() if change.keys is not None else predicate_of(change.query)
    found = run(changes_sql.find_matching(change.base_id, keys, predicate, lock=not isinstance(act, Copy)))
    if not found:
        return Done(0, 0, [])
    if isinstance(act, Delete):
        _delete(change, change.base_id, [row.key for row in found])
        run(changes_sql.keep_before(change.pk, [Before(row.key, with_key(row.key, row.value), 0) for row in found]))
        return Done(len(found), len(found), [])
    if isinstance(act, Copy):
        return _copy(change, act, {row.key: with_key(row.key, row.value) for row in found})
    rows, before, problems = [], {}, []
    for row in found:
        members = split(row.value)
        try:
            after = act.apply(members)
            if after is not members and after != members:
                rows.append(_prepared(row.key, join(after)))
                before[row.key] = with_key(row.key, row.value)
        except InvalidInput as error:
            problems.append(f"{row.key}: {error.messages[-1]}")
    return Done(len(found), _store(change, change.base_id, rows, before), problems)


def _copy(change: ItemChange, act: Copy, found: dict[str, str]) -> Done:
    target_id = change.target_id or 0
    _hold(target_id)
    there = {row.key: with_key(row.key, row.value) for row in run(edits_sql.lock_items(target_id, list(found)))}
    if not act.replace:
        found = {key: text for key, text in found.items() if key not in there}
    rows = [_prepared(key, text) for key, text in found.items() if there.get(key) != text]
    problems = [] if act.replace else [f"{key}: “{act.base}” has an item with this key" for key in there]
    return Done(len(found) + len(problems), _store(change, target_id, rows, there), problems)


def _prepared(key: str, text: str) -> PreparedItem:
    return prepare_item({**parse(text.encode()), "key": key})


def _store(change: ItemChange, base_id: int, rows: list[PreparedItem], before: dict[str, str]) -> int:
    """Store the rows, and keep what was there before; how many were stored."""
    if not rows:
        return 0
    # Of keys that are new somebody may have taken one since it was looked up: it stays theirs.
    taken = {row.key for row in rows if row.key in before}
    written = [
        *_written(base_id, [row for row in rows if row.key in taken], change.asked_by_id, replace_them=True),
        *_written(base_id, [row for row in rows if row.key not in taken], change.asked_by_id, replace_them=False),
    ]
    if written:
        run(changes_sql.keep_before(change.pk, [Before(row.key, before.get(row.key), row.revision) for row in written]))
    return len(written)


def _written(
    base_id: int, rows: list[PreparedItem], person_id: int | None, *, replace_them: bool
) -> list[edits_sql.Written]:
    if not rows:
        return []
    return run(edits_sql.store_items(base_id, list(rows), person_id=person_id, replace=replace_them))


def _delete(change: ItemChange, base_id: int, keys: list[str]) -> None:
    keeps_history = disk_space.has_room_for_history()
    run(edits_sql.delete_items(base_id, keys, person_id=change.asked_by_id, keeps_history=keeps_history))


def _undo_batch(lease: Lease, change: ItemChange) -> bool:
    """Put the next items back that are still as the change left them; whether more may follow."""
    disk_space.check_space_for_items()
    access = _access_of(change)
    base_id = change.target_id or change.base_id
    with engine_errors(), transaction.atomic():
        _hold(base_id)
        kept = run(changes_sql.take_before(change.pk, limits.CHANGE_BATCH_ITEMS))
        restored = _put_back(change, base_id, kept)
        rights.ask_again(access)
        is_over = len(kept) < limits.CHANGE_BATCH_ITEMS
        more = {"state": State.UNDONE, "finished_at": clock.now()} if is_over else {}
        lease.save(restored=F("restored") + restored, kept=F("kept") + len(kept) - restored, **more)
    return not is_over


def _put_back(change: ItemChange, base_id: int, kept: list[Before]) -> int:
    present = {row.key: row.revision for row in run(edits_sql.lock_items(base_id, [row.key for row in kept]))}
    ours = [row for row in kept if present.get(row.key, 0) == row.revision]
    gone = [row.key for row in ours if row.before is None]
    if gone:
        _delete(change, base_id, gone)
    back = [_prepared(row.key, row.before) for row in ours if row.before is not None]
    there = [row for row in back if row.key in present]
    away = [row for row in back if row.key not in present]
    written = _written(base_id, there, change.asked_by_id, replace_them=True)
    written += _written(base_id, away, change.asked_by_id, replace_them=False)
    return len(gone) + len(written)


def _hold(base_id: int) -> None:
    """In the caller's transaction: the Base stays until it ends. Raises BaseNotFound."""
    if not run(edits_sql.hold_base(base_id)):
        raise BaseNotFound()


def _name_of(change: ItemChange) -> str:
    """The name of its Base now. Raises BaseNotFound, also when it was moved away."""
    found = Base.objects.filter(pk=change.base_id, collection_id=change.collection_id)
    name = found.values_list("name", flat=True).first()
    if name is None:
        raise BaseNotFound()
    return name


def _act_of(change: ItemChange) -> Act:
    return read_act(parse(change.act.encode()))


def _access_of(change: ItemChange) -> Access:
    """As whoever asked for it. Raises Unauthorized when there is no such person any more."""
    if change.asked_by_id is None:
        raise Unauthorized()
    return Access(change.collection_id, person_id=change.asked_by_id)


def _record(verb: Verb, access: Access, base: str, amount: int, details: dict[str, object]) -> None:
    audit.record(verb, collection_id=access.collection_id, about=base, amount=amount, details=details)
