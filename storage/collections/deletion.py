"""Deletion of a collection: access ends in one transaction, then its contents are deleted in the background.

What was deleted or emptied of a collection (`stores.py`) goes the same way when its time to come back is over.

The collection's row is deleted at once, together with its keys, Bases and memberships. So no request finds it, and no
statement has to check whether a collection is still alive. Items and files have no foreign key: they remain under the ids
of Bases and Drives that no longer exist, and a `Deletion` keeps those ids until everything is deleted. The blobs of files
become garbage, which the sweeper collects. Recorded requests are deleted too.
Micros, their deployments, keys and domains go with the collection's row; what they printed, the sweeper collects.
"""

import logging
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q, Sum

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections.sql import deletion as deletion_sql
from storage.collections.sql import stores as stores_sql
from storage.drive.sql import uploads as uploads_sql
from storage.errors import CollectionNotFound, InvalidInput
from storage.events import retention
from storage.history import dropping
from storage.models import (
    Base,
    BaseFigures,
    Collection,
    DataKey,
    Deletion,
    Deployment,
    Drive,
    DriveFigures,
    Export,
    FileDeletion,
    GitFetch,
    Import,
    Micro,
    SavedView,
    ShareLink,
)
from storage.postgres import clock
from storage.postgres.database import run, run_one
from storage.postgres.locks import only_worker

logger = logging.getLogger(__name__)

# A write that was allowed just before may still run, but no statement takes this long. A pass that starts later is the last.
_STRAGGLERS = timedelta(seconds=30)
# How long a finished deletion is still shown.
_SHOWN = timedelta(minutes=1)


def delete_collection(*, collection_id: str, typed_name: str, asked_by: User | None) -> Deletion:
    """End all access to a collection and note what is left to delete.

    Raises CollectionNotFound, InvalidInput when the typed name is not the collection's.
    """
    with transaction.atomic():
        collection = Collection.objects.select_for_update().filter(id=collection_id).first()
        if collection is None:
            raise CollectionNotFound(f"No collection has the id {collection_id}")
        if typed_name.strip() != collection.name:
            raise InvalidInput("That is not the collection's name")
        _lock_what_others_refer_to(collection_id)
        items = BaseFigures.objects.filter(base__collection_id=collection_id).aggregate(total=Sum("items"))["total"]
        files = DriveFigures.objects.filter(drive__collection_id=collection_id).aggregate(total=Sum("files"))["total"]
        deletion = Deletion.objects.create(
            collection_id=collection_id,
            name=collection.name,
            asked_by=asked_by,
            base_ids=list(Base.objects.filter(collection_id=collection_id).values_list("id", flat=True)),
            drive_ids=list(Drive.objects.filter(collection_id=collection_id).values_list("id", flat=True)),
            rows_expected=(items or 0) + (files or 0),
        )
        _drop_archives(collection_id)
        _drop_bundles(collection_id)
        if collection.scratch_of is None:
            details = {"items": items or 0, "files": files or 0}
            audit.record(Verb.COLLECTION_DELETED, collection_id=collection_id, about=collection.name, details=details)
        collection.delete()
        return deletion


def _lock_what_others_refer_to(collection_id: str) -> None:
    """So that nobody adds a row below them meanwhile, such as the last use of a key: it would keep them from being deleted."""
    for model in (Base, DataKey, Drive, Micro):
        list(model._default_manager.select_for_update().filter(collection_id=collection_id).values_list("pk"))


def _drop_archives(collection_id: str) -> None:
    """Exports and imports are deleted at once. Their rows are locked first, so that no worker adds a part to a deleted one."""
    for model in (Export, Import):
        ids = (
            model._default_manager.select_for_update().filter(collection_id=collection_id).values_list("id", flat=True)
        )
        run(uploads_sql.drop_parts([each.hex for each in ids]))


def _drop_bundles(collection_id: str) -> None:
    """The code of Micros, and of repositories, goes as archives do; `storage/micros/announcing.py` has their processes ended."""
    held = Deployment.objects.select_for_update().filter(micro__collection_id=collection_id)
    ids = {each for pair in held.values_list("id", "dependencies_id") for each in pair if each is not None}
    fetched = GitFetch.objects.select_for_update().filter(collection_id=collection_id)
    ids |= set(fetched.values_list("id", flat=True))
    run(uploads_sql.drop_parts([each.hex for each in ids]))


def list_deletions(person: User) -> list[Deletion]:
    """Running and just finished deletions: those this person asked for, or all of them for an owner of the server."""
    # Deletions of scratch collections are not shown: nobody asked for them.
    recent = Deletion.objects.filter(kind=Deletion.Kind.COLLECTION, asked_by__isnull=False).filter(
        Q(emptied_at=None) | Q(emptied_at__gt=clock.now() - _SHOWN)
    )
    return list((recent if person.is_superuser else recent.filter(asked_by=person)).order_by("asked_at", "id"))


def continue_deletions() -> None:
    """Delete the contents of deleted collections, until nothing is left or only the last pass has to wait.

    If it stops, the next call continues. Returns at once when another process is doing this.
    Raises EngineUnreachable.
    """
    with only_worker("collection deletions") as is_ours:
        if is_ours:
            _end_undos()
            unfinished = Deletion.objects.filter(finished_at=None, undone_at=None, undo_until=None)
            for deletion in unfinished.order_by("asked_at", "id"):
                began = clock.now()
                _empty(deletion)
                _finish(deletion, began)


def _end_undos() -> None:
    """From then on what was set aside cannot come back: when its time is over, or its room is needed now."""
    waiting = Deletion.objects.filter(undo_until__isnull=False, undone_at=None)
    if not (disk_space.is_short_for_items() or disk_space.is_short_for_files()):
        waiting = waiting.filter(undo_until__lte=clock.now())
    waiting.update(undo_until=None)


def forget_old() -> None:
    """Delete the rows of deletions that finished a day ago or earlier, or were undone then."""
    earlier = clock.now() - timedelta(days=1)
    Deletion.objects.filter(Q(finished_at__lt=earlier) | Q(undone_at__lt=earlier)).delete()


def _empty(deletion: Deletion) -> None:
    if deletion.moved_into is not None:
        for base_id in deletion.base_ids:
            while run_one(stores_sql.move_items(base_id, deletion.moved_into, limits.DELETE_BATCH_ROWS)).total:
                pass
        return
    is_whole = Collection.objects.filter(id=deletion.collection_id).exists()
    batches = [
        deletion_sql.delete_items_of(
            base_id,
            limits.DELETE_BATCH_ROWS,
            person_id=deletion.asked_by_id,
            keeps_history=is_whole and disk_space.has_room_for_history(),
        )
        for base_id in deletion.base_ids
    ]
    batches += [deletion_sql.delete_files_of(drive_id, limits.DELETE_BATCH_ROWS) for drive_id in deletion.drive_ids]
    batches += [
        deletion_sql.delete_deleted_files_of(drive_id, limits.DELETE_BATCH_ROWS) for drive_id in deletion.drive_ids
    ]
    for statement in batches:
        while deleted := run_one(statement).total:
            Deletion.objects.filter(id=deletion.id).update(rows_deleted=F("rows_deleted") + deleted)
    for drive_id in deletion.drive_ids:
        while run_one(deletion_sql.delete_folders_of(drive_id, limits.DELETE_BATCH_ROWS)).total:
            pass
    if not is_whole:
        dropping.drop_history_of(deletion.collection_id, deletion.base_ids)
    if deletion.kind == Deletion.Kind.COLLECTION:
        retention.delete_events_of(deletion.collection_id)


def _finish(deletion: Deletion, began: datetime) -> None:
    """Record the result of a pass that began at this time.

    The time is counted from an earlier look's end, which saw that access had ended: the transaction that ended it may
    have been committed long after `asked_at`.
    """
    changes = {}
    if deletion.emptied_at is None:
        changes["emptied_at"] = clock.now()
    elif began - deletion.emptied_at > _STRAGGLERS:
        changes["finished_at"] = clock.now()
        FileDeletion.objects.filter(drive_id__in=deletion.drive_ids).delete()
        ShareLink.objects.filter(drive_id__in=deletion.drive_ids).delete()
        SavedView.objects.filter(base_id__in=deletion.base_ids).delete()
        logger.info("The deleted %s %s of %s is fully removed", deletion.kind, deletion.name, deletion.collection_id)
    Deletion.objects.filter(id=deletion.id).update(**changes)
