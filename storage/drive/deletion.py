"""Deletion of files in the console: files are set aside, can be restored for ten minutes, and are then removed for good.

A `FileDeletion` says what was chosen. In batches the rows of files become rows of `DeletedFile`, which keep the blobs.
The job queue finishes a large deletion, also after a crash. When the time is over the blobs become garbage, and the
sweeper's own grace period begins. Files deleted through the API become garbage at once (see files.py).
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet

from storage import disk_space, limits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.drive import folders, moves
from storage.drive.free_names import FreeNames
from storage.drive.moves import Chosen
from storage.drive.sql import folders as folders_sql
from storage.drive.sql import moves as moves_sql
from storage.errors import DeletionNotFound, DriveNotFound, UndoOver
from storage.models import Drive, FileDeletion
from storage.postgres import clock, rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run, run_one
from storage.postgres.locks import only_worker

logger = logging.getLogger(__name__)

_UNDO = timedelta(seconds=limits.UNDO_SECONDS)
# One minute more, as the clock that refuses an undo may be another machine's.
_OVER = _UNDO + timedelta(minutes=1)
# The first of the chosen names and folders that the audit log tells.
_CHOSEN_TOLD = 3
# How long the row of a deletion is kept after it can no longer be undone.
_SHOWN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a deletion or its undo: `done` of its `files`. `renamed` are the new names of restored files."""

    id: int
    files: int
    size_bytes: int
    done: int
    has_ended: bool
    is_undone: bool
    undo_seconds: int
    renamed: list[str]


def delete(*, access: Access, drive_id: int, chosen: Chosen) -> Progress:
    """Delete files and folders: up to 1,000 files at once; `continue_deletions` deletes the rest in the background.

    While the disk is too full it can't be undone, so that the room is free at once.
    Files written after this moment stay, and so does what comes under a name whose file is gone already. Raises
    DriveNotFound, Unauthorized or Forbidden when the person may not write here (any more), EngineUnreachable.
    """
    held = moves.count_chosen(drive_id=drive_id, chosen=chosen)
    with engine_errors(), transaction.atomic():
        # Writers hold this lock when they take their time, so each of them is over by now or is later than `asked_at`.
        moves.lock_drive(drive_id)
        rights.ask_again(access)
        deletion = FileDeletion.objects.create(
            drive_id=drive_id,
            asked_by_id=access.person_id,
            names=chosen.names,
            folders=chosen.folders,
            files=held.files,
            size_bytes=held.size_bytes,
        )
        _record(Verb.FILES_DELETED, deletion, held.files)
    if held.files <= limits.DELETE_AT_ONCE_FILES:
        _finish(deletion.pk)
    return find_deletion(drive_id=drive_id, deletion_id=deletion.pk)


def find_deletion(*, drive_id: int, deletion_id: int) -> Progress:
    """Raises DeletionNotFound."""
    return _progress(_get(drive_id, deletion_id))


def undo(*, access: Access, drive_id: int, deletion_id: int) -> Progress:
    """Restore the files. When a name is taken by now, the file gets another name.

    More than 1,000 files come back in the background (`continue_deletions`). Undoing it again changes nothing. Raises
    DeletionNotFound, UndoOver, Unauthorized or Forbidden as `delete`, EngineUnreachable.
    """
    found = _get(drive_id, deletion_id)
    with engine_errors(), transaction.atomic():
        run(moves_sql.lock_deletion(found.pk))
        rights.ask_again(access)
        found.refresh_from_db()
        if found.undo_asked_at is None:
            if _seconds_left(found) == 0:
                raise UndoOver()
            found.undo_asked_at = clock.now()
            found.save(update_fields=["undo_asked_at"])
            _record(Verb.FILES_RESTORED, found, found.deleted)
    if found.deleted <= limits.DELETE_AT_ONCE_FILES:
        _work_off(found.pk)
    return find_deletion(drive_id=drive_id, deletion_id=deletion_id)


def continue_deletions() -> None:
    """Finish all requested deletions and undos, and remove for good what can no longer be undone.

    If it stops, the next call continues. Returns at once when another process is doing this.
    Raises EngineUnreachable.
    """
    with only_worker("file deletions") as is_ours:
        # A deletion requested in the meantime relies on this run, so look again.
        while is_ours and (unfinished := list(_unfinished().values_list("pk", flat=True))):
            for deletion_id in unfinished:
                _finish(deletion_id)
        if is_ours:
            for deletion in FileDeletion.objects.filter(_IS_OVER, ended_at__lt=clock.now() - _OVER):
                _forget(deletion)


def forget_old() -> None:
    """Delete the rows of deletions that ended a day ago or earlier."""
    earlier = clock.now() - _SHOWN
    FileDeletion.objects.filter(Q(undone_at__lt=earlier) | Q(forgotten_at__lt=earlier)).delete()


_IS_OVER = Q(undo_asked_at=None, forgotten_at=None)


def _unfinished() -> "QuerySet[FileDeletion]":
    return FileDeletion.objects.filter(
        Q(ended_at=None, undone_at=None) | Q(undo_asked_at__isnull=False, undone_at=None), forgotten_at=None
    ).order_by("asked_at", "pk")


def _record(verb: Verb, deletion: FileDeletion, files: int) -> None:
    drive = Drive.objects.filter(pk=deletion.drive_id).first()
    if drive is not None:  # else its collection was deleted just now, which the log says
        chosen = [*deletion.folders, *deletion.names]
        details = {"deletion": deletion.pk, "size_bytes": deletion.size_bytes, "chosen": chosen[:_CHOSEN_TOLD]}
        audit.record(verb, collection_id=drive.collection_id, about=drive.name, amount=files, details=details)


def _get(drive_id: int, deletion_id: int) -> FileDeletion:
    found = FileDeletion.objects.filter(drive_id=drive_id, pk=deletion_id).first()
    if found is None:
        raise DeletionNotFound()
    return found


def _progress(found: FileDeletion) -> Progress:
    undoing = found.undo_asked_at is not None
    return Progress(
        id=found.pk,
        files=found.deleted if undoing else found.files,
        size_bytes=found.size_bytes,
        done=found.restored if undoing else found.deleted,
        has_ended=found.undone_at is not None if undoing else found.ended_at is not None,
        is_undone=found.undone_at is not None,
        undo_seconds=0 if undoing else _seconds_left(found),
        renamed=found.renamed,
    )


def _seconds_left(found: FileDeletion) -> int:
    """Seconds left to undo it; all of them while it is still running."""
    if found.forgotten_at is not None:
        return 0
    if found.ended_at is None:
        return limits.UNDO_SECONDS
    return max(0, int((found.ended_at + _UNDO - clock.now()).total_seconds()))


def _finish(deletion_id: int) -> None:
    """Finish a deletion or its undo; a deletion for good when its room is needed."""
    _work_off(deletion_id)
    if disk_space.is_short_for_files() and (found := FileDeletion.objects.filter(_IS_OVER, pk=deletion_id).first()):
        _forget(found)


def _work_off(deletion_id: int) -> None:
    """Finish a deletion or its undo."""
    while _next_batch(deletion_id):
        pass


def _next_batch(deletion_id: int) -> bool:
    """One batch in a transaction of its own; whether there may be more.

    The deletion's row is locked, so that of two who work it off one waits; then the Drive's names, as a write to one of
    them must not take the blobs that are set aside here for those it replaces.
    """
    with engine_errors(), transaction.atomic():
        run(moves_sql.lock_deletion(deletion_id))
        found = FileDeletion.objects.filter(pk=deletion_id).first()
        if found is None or found.forgotten_at or found.undone_at:
            return False
        if found.ended_at and not found.undo_asked_at:
            return False
        try:
            moves.lock_drive(found.drive_id)
        except DriveNotFound:
            # Its collection was deleted, and everything goes with it (see `storage/collections/deletion.py`).
            now = clock.now()
            FileDeletion.objects.filter(pk=deletion_id).update(ended_at=now, forgotten_at=now)
            return False
        return _restore_batch(found) if found.undo_asked_at else _delete_batch(found)


def _delete_batch(found: FileDeletion) -> bool:
    batch = _names_left(found)
    if not batch:
        kept = [path for folder in found.folders for path in _forget_folders(found.drive_id, folder)]
        moves.keep_emptied(found.drive_id, Chosen(found.names, found.folders))
        # The count may have been too low or too high.
        _update(found, ended_at=clock.now(), kept_folders=kept, files=F("deleted"))
        return False
    deleted = run_one(moves_sql.set_files_aside(found.pk, found.drive_id, batch, found.asked_at)).total
    _update(found, deleted=F("deleted") + deleted)
    return True


def _names_left(found: FileDeletion) -> list[str]:
    """The next names to delete: of the files themselves first, then folder by folder."""
    most = limits.DELETE_BATCH_ROWS
    rows = run(moves_sql.find_old_existing(found.pk, found.drive_id, found.names, found.asked_at, most))
    names = [row.name for row in rows]
    for folder in found.folders:
        if names:
            break
        start, end = folders.range_of(folder)
        rows = run(moves_sql.list_old_names_within(found.pk, found.drive_id, start, end, found.asked_at, most))
        names = [name for (name,) in rows]
    return names


def _forget_folders(drive_id: int, folder: str) -> list[str]:
    return [path for (path,) in run(folders_sql.forget_folders(drive_id, folder, folders.end_of_folder(folder)))]


def _restore_batch(found: FileDeletion) -> bool:
    names = [name for (name,) in run(moves_sql.list_deleted(found.pk, limits.DELETE_BATCH_ROWS))]
    if not names:
        if found.kept_folders:
            run(folders_sql.keep_folders(found.drive_id, found.kept_folders))
        _update(found, undone_at=clock.now())
        return False
    taken = {name for (name,) in run(moves_sql.find_existing(found.drive_id, names))}
    free = FreeNames(found.drive_id, besides=names)
    renamed = {name: free.find(name) for name in sorted(taken)}
    run(moves_sql.restore_files(found.pk, found.drive_id, names, [renamed.get(name, name) for name in names]))
    shown = [*found.renamed, *renamed.values()][: limits.CLASHES_SHOWN]
    _update(found, restored=F("restored") + len(names), renamed=shown)
    return True


def _forget(found: FileDeletion) -> None:
    """The time to undo is over: the blobs become garbage. Only the last batch is noted, so that a crash loses nothing."""
    more = True
    while more:
        with engine_errors(), transaction.atomic():
            run(moves_sql.lock_deletion(found.pk))
            found.refresh_from_db()
            if found.undo_asked_at is not None:
                return
            more = bool(run_one(moves_sql.forget_deleted(found.pk, limits.DELETE_BATCH_ROWS)).total)
            if not more:
                _update(found, forgotten_at=clock.now())
    logger.info("%s deleted files can no longer be restored", found.deleted)


def _update(found: FileDeletion, **changes: object) -> None:
    FileDeletion.objects.filter(pk=found.pk).update(**changes)
