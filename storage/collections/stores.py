"""A Base or a Drive as a whole: renamed, moved to another collection, emptied, deleted, brought back.

Items and files hang on their store's id and on nothing else, so none of them is touched. What is renamed or moved keeps
its id. What is emptied gets a new one, and its old id is set aside in a `Deletion` with all that hangs on it, as is that
of one that is deleted; until its time is over it can come back, however much it is (`deletion.py` removes it then).

An app that writes meanwhile loses nothing. Its statement finds the store by its name and writes to its id at once, so it came
before or after: before, and what it wrote is renamed, moved or set aside with the rest; after, and its first write makes a
new store of that name, as ever (contract: Everywhere).
"""

from datetime import timedelta
from typing import Literal

from django.db import IntegrityError, transaction

from storage import disk_space, limits, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import departures
from storage.collections.sql import stores as stores_sql
from storage.errors import (
    AlreadyTaken,
    BaseNotFound,
    CollectionNotFound,
    DeletionNotFound,
    DriveNotFound,
    InvalidInput,
    UndoOver,
)
from storage.history import timelines
from storage.models import Base, BaseFigures, Collection, Deletion, Drive, DriveFigures, SavedView
from storage.postgres import clock, rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run, run_one

Kind = Literal["base", "drive"]
Act = Literal["rename", "move", "arrive", "empty", "delete", "restore"]

LABELS: dict[Kind, str] = {"base": "Base", "drive": "Drive"}
_VERBS: dict[Kind, dict[Act, Verb]] = {
    "base": {
        "rename": Verb.BASE_RENAMED,
        "move": Verb.BASE_MOVED,
        "arrive": Verb.BASE_ARRIVED,
        "empty": Verb.BASE_EMPTIED,
        "delete": Verb.BASE_DELETED,
        "restore": Verb.BASE_RESTORED,
    },
    "drive": {
        "rename": Verb.DRIVE_RENAMED,
        "move": Verb.DRIVE_MOVED,
        "arrive": Verb.DRIVE_ARRIVED,
        "empty": Verb.DRIVE_EMPTIED,
        "delete": Verb.DRIVE_DELETED,
        "restore": Verb.DRIVE_RESTORED,
    },
}
_UNDO = timedelta(seconds=limits.UNDO_SECONDS)


def find_store(*, collection_id: str, kind: Kind, name: str) -> Base | Drive:
    """With its `figures`, once it was counted. Raises BaseNotFound, DriveNotFound."""
    found = _model_of(kind).objects.select_related("figures").filter(collection_id=collection_id, name=name).first()
    return _checked(found, collection_id, kind, name)


def rename_store(*, access: Access, kind: Kind, name: str, new_name: str) -> None:
    """Give a Base or Drive another name, at which the API answers from then on.

    Data keys that may use it alone may go on. Raises InvalidInput (the name), AlreadyTaken, BaseNotFound or DriveNotFound,
    Unauthorized or Forbidden when the person may not write here (any more), EngineUnreachable.
    """
    names.check_name(new_name)
    if new_name == name:
        raise InvalidInput("Bad name", f"The {LABELS[kind]} has this name already")
    with engine_errors(), transaction.atomic():
        store = _hold(access.collection_id, kind, name)
        store.name = new_name
        _place(store, kind)
        run(stores_sql.rename_in_keys(kind, access.collection_id, name, new_name))
        rights.ask_again(access)
        _record("rename", kind, access.collection_id, new_name, {"name_before": name})


def move_store(*, access: Access, kind: Kind, name: str, to_collection_id: str) -> None:
    """Move a Base or Drive to another collection, under its name.

    The data keys of the old collection no longer reach it, those of the new one do. Share links stay good whose makers may write
    in the new one. Raises as `rename_store` does, and
    CollectionNotFound; the person must be able to write in both.
    """
    if to_collection_id == access.collection_id:
        raise InvalidInput(f"The {LABELS[kind]} is in this collection already")
    with engine_errors(), transaction.atomic():
        # In one order, so that two moves never wait for each other; and so that neither collection is deleted meanwhile.
        ids = [access.collection_id, to_collection_id]
        held = Collection.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id").in_bulk()
        if to_collection_id not in held:
            raise CollectionNotFound("The collection was deleted in the meantime")
        store = _hold(access.collection_id, kind, name)
        store.collection_id = to_collection_id
        _place(store, kind)
        rights.ask_again(access)
        rights.ask_again(Access(to_collection_id, person_id=access.person_id))
        if kind == "drive":
            departures.revoke_links_of_strangers(drive_id=store.pk, drive=name, collection_id=to_collection_id)
        _record("move", kind, access.collection_id, name, {"to": to_collection_id})
        _record("arrive", kind, to_collection_id, name, {"from": access.collection_id})


def empty_store(*, access: Access, kind: Kind, name: str) -> Deletion:
    """Set aside all that a Base or Drive holds. While the disk is too full it can't come back, so that its room is free soon.

    Raises BaseNotFound or DriveNotFound, Unauthorized or Forbidden when the person may not write here (any more),
    EngineUnreachable.
    """
    with engine_errors(), transaction.atomic():
        store = _hold(access.collection_id, kind, name)
        deletion = _set_aside(access, kind, store)
        _forget_figures(kind, store.pk)
        old_id = store.pk
        deletion.emptied_id = run_one(stores_sql.renumber(kind, old_id)).id
        _move_views(kind, old_id, deletion.emptied_id)
        _note_turn(access, kind, name, old_id, deletion.emptied_id)
        deletion.save(update_fields=["emptied_id"])
        rights.ask_again(access)
        _record("empty", kind, access.collection_id, name, amount=deletion.rows_expected)
        return deletion


def delete_store(*, access: Access, kind: Kind, name: str, typed_name: str) -> Deletion:
    """Delete a Base or Drive, and set aside what it holds. Raises as `empty_store`, and InvalidInput for another typed name."""
    if typed_name.strip() != name:
        raise InvalidInput(f"That is not the {LABELS[kind]}'s name")
    with engine_errors(), transaction.atomic():
        store = _hold(access.collection_id, kind, name)
        deletion = _set_aside(access, kind, store)
        _note_turn(access, kind, name, store.pk, None)
        store.delete()
        rights.ask_again(access)
        _record("delete", kind, access.collection_id, name, amount=deletion.rows_expected)
        return deletion


def list_set_aside(*, collection_id: str, kind: Kind) -> list[Deletion]:
    """What can come back, the latest first."""
    found = Deletion.objects.filter(collection_id=collection_id, kind=kind, undone_at=None, undo_until__gt=clock.now())
    return list(found.order_by("-asked_at", "-id"))


def bring_back(*, access: Access, deletion_id: int) -> Deletion:
    """Undo `empty_store` or `delete_store`. Its `name` is what the Base or Drive is called now.

    What was emptied goes back where it was. If something was written there since, or the name of what was deleted is taken, it
    comes back under a name with a number. Undoing it again changes nothing. Raises DeletionNotFound, UndoOver, DiskFull,
    Unauthorized or Forbidden when the person may not write here (any more), EngineUnreachable.
    """
    disk_space.check_space_for_items()
    with engine_errors(), transaction.atomic():
        kinds = [Deletion.Kind.BASE, Deletion.Kind.DRIVE]
        set_aside = Deletion.objects.select_for_update().filter(
            pk=deletion_id, collection_id=access.collection_id, kind__in=kinds
        )
        deletion = set_aside.first()
        if deletion is None:
            raise DeletionNotFound()
        rights.ask_again(access)
        if deletion.undone_at is not None:
            return deletion
        now = clock.now()
        if deletion.undo_until is None or deletion.undo_until <= now:
            raise UndoOver()
        kind: Kind = "base" if deletion.kind == Deletion.Kind.BASE else "drive"
        deletion.name = _put_back(access, deletion, kind)
        deletion.undone_at = now
        deletion.save(update_fields=["name", "undone_at"])
        _record("restore", kind, access.collection_id, deletion.name, amount=deletion.rows_expected)
        return deletion


def _put_back(access: Access, deletion: Deletion, kind: Kind) -> str:
    """The name that it has then."""
    model = _model_of(kind)
    [old_id] = deletion.base_ids or deletion.drive_ids
    emptied = model.objects.select_for_update().filter(pk=deletion.emptied_id).first() if deletion.emptied_id else None
    if emptied is not None and not run_one(stores_sql.count_some(kind, emptied.pk)).total:
        _forget_figures(kind, emptied.pk)
        run(stores_sql.number_back(kind, emptied.pk, old_id))
        _move_views(kind, emptied.pk, old_id)
        _note_turn(access, kind, emptied.name, emptied.pk, old_id)
        if kind == "base":
            _expect_left_over(emptied.pk, old_id, deletion.collection_id)
        return emptied.name
    # Whoever makes a store of the name in this moment is waited for, and its name is taken then.
    for name in _free_names(model, deletion.collection_id, deletion.name):
        _, is_new = model.objects.get_or_create(
            collection_id=deletion.collection_id, name=name, defaults={"id": old_id}
        )
        if is_new:
            _note_turn(access, kind, name, 0, old_id)
            return name
    raise InvalidInput(f"There are too many of the name “{deletion.name}”")


def _note_turn(access: Access, kind: Kind, name: str, old_id: int, new_id: int | None) -> None:
    """History is of an id: it is noted which one the name of a Base had until when."""
    if kind == "base":
        timelines.note_turn(
            base_id=old_id, next_id=new_id, collection_id=access.collection_id, name=name, by_person=access.person_id
        )


def _move_views(kind: Kind, store_id: int, new_id: int) -> None:
    """Saved views are the Base's and not its items': they stay with its name."""
    if kind == "base":
        SavedView.objects.filter(base_id=store_id).update(base_id=new_id)


def _expect_left_over(base_id: int, moved_into: int, collection_id: str) -> None:
    """A write that found the Base as it was empty may still be on its way to it: it is moved to the others when it is there."""
    Deletion.objects.create(
        kind=Deletion.Kind.LEFT_OVER,
        collection_id=collection_id,
        name="",
        base_ids=[base_id],
        drive_ids=[],
        rows_expected=0,
        moved_into=moved_into,
    )


def _free_names(model: type[Base] | type[Drive], collection_id: str, name: str) -> list[str]:
    """The name, and others with a number, without those that are taken."""
    most = limits.NAME_MAX_CHARACTERS
    wanted = [name, *(f"{name[: most - len(f'-{number}')]}-{number}" for number in range(2, 1_000))]
    taken = set(model.objects.filter(collection_id=collection_id, name__in=wanted).values_list("name", flat=True))
    return [each for each in wanted if each not in taken]


def _hold(collection_id: str, kind: Kind, name: str) -> Base | Drive:
    """The store, locked until the transaction ends. Saves and files on their way into it are waited for."""
    found = _model_of(kind).objects.select_for_update().filter(collection_id=collection_id, name=name).first()
    return _checked(found, collection_id, kind, name)


def _checked(found: Base | Drive | None, collection_id: str, kind: Kind, name: str) -> Base | Drive:
    if found is None:
        missing = BaseNotFound if kind == "base" else DriveNotFound
        raise missing(f"Collection {collection_id} has no {LABELS[kind]} called {name}")
    return found


def _place(store: Base | Drive, kind: Kind) -> None:
    """Write its new name and collection. Raises AlreadyTaken."""
    try:
        with transaction.atomic():
            store.save(update_fields=["name", "collection_id"])
    except IntegrityError as error:
        if isinstance(error, CollectionNotFound):
            raise
        raise AlreadyTaken(f"There is a {LABELS[kind]} called “{store.name}” already") from None


def _set_aside(access: Access, kind: Kind, store: Base | Drive) -> Deletion:
    too_full = disk_space.is_short_for_items() or disk_space.is_short_for_files()
    return Deletion.objects.create(
        kind=kind,
        collection_id=access.collection_id,
        name=store.name,
        asked_by_id=access.person_id,
        undo_until=None if too_full else clock.now() + _UNDO,
        base_ids=[store.pk] if kind == "base" else [],
        drive_ids=[store.pk] if kind == "drive" else [],
        rows_expected=_counted(kind, store.pk),
    )


def _model_of(kind: Kind) -> type[Base] | type[Drive]:
    return Base if kind == "base" else Drive


def _counted(kind: Kind, store_id: int) -> int:
    """How many items or files it had when it was last counted."""
    if kind == "base":
        return BaseFigures.objects.filter(pk=store_id).values_list("items", flat=True).first() or 0
    return DriveFigures.objects.filter(pk=store_id).values_list("files", flat=True).first() or 0


def _forget_figures(kind: Kind, store_id: int) -> None:
    if kind == "base":
        BaseFigures.objects.filter(pk=store_id).delete()
    else:
        DriveFigures.objects.filter(pk=store_id).delete()


def _record(
    act: Act, kind: Kind, collection_id: str, name: str, details: dict[str, object] | None = None, *, amount: int = 1
) -> None:
    audit.record(_VERBS[kind][act], collection_id=collection_id, about=name, amount=max(1, amount), details=details)
