"""Removes what has expired or is no longer used. Readers cannot see any of it: this only frees space.

It removes expired items; blobs that no file uses, once running downloads have finished; abandoned uploads; the rows of
folders made by hand that now contain a file; and the remains of crashed writes (promises: P5).
"""

from typing import NamedTuple

from storage import disk_space, limits
from storage.backups import plans
from storage.base.sql import items as items_sql
from storage.drive.sql import blobs as blobs_sql
from storage.drive.sql import folders as folders_sql
from storage.postgres.database import run
from storage.postgres.locks import only_worker
from storage.postgres.statements import Affected, Statement
from storage.s3 import blobs
from storage.s3.cache import copies


def sweep_expired_items() -> int:
    """Delete the rows of items that have expired by the database's clock. Returns how many.

    Works in batches that skip locked rows. Returns at once when another sweeper is running.
    Raises EngineUnreachable.
    """
    with only_worker("expired items") as is_ours:
        return _delete_in_batches() if is_ours else 0


def _delete_in_batches() -> int:
    total = 0
    while bases := run(items_sql.find_bases_with_expired(limits.SWEEP_BATCH_ROWS)):
        deleted = sum(len(run(_delete_expired(base_id))) for (base_id,) in bases)
        total += deleted
        if not deleted:  # what is left is locked
            break
    return total


def _delete_expired(base_id: int) -> Statement[Affected]:
    keeps_history = disk_space.has_room_for_history()
    return items_sql.delete_expired(base_id, limits.SWEEP_BATCH_ROWS, keeps_history=keeps_history)


class SweptFiles(NamedTuple):
    """How many of each were deleted; `blobs` are counted with their objects."""

    uploads: int
    pending: int
    blobs: int


def sweep_files(*, at_once: bool = False) -> SweptFiles:
    """Delete old uploads and unfinished writes, and the objects of blobs that have been garbage long enough.

    `at_once`: garbage goes however young it is, and downloads that still read it break off. So it is when the disk is too full;
    then exports that are being stored break off as well, and nothing waits until it is in the backups.

    An object goes before its row, so that a crash in between only means doing it again. Leaves at once when another is
    at work. Raises EngineUnreachable.
    """
    with only_worker("blobs") as is_ours:
        if not is_ours:
            return SweptFiles(0, 0, 0)
        uploads = 0
        while dropped := len(run(blobs_sql.drop_old_uploads(limits.UPLOAD_KEPT_SECONDS, limits.SWEEP_BATCH_ROWS))):
            uploads += dropped
        while len(run(folders_sql.forget_filled_folders(limits.SWEEP_BATCH_ROWS))) == limits.SWEEP_BATCH_ROWS:
            pass
        pending = len(run(blobs_sql.abandon_pending_blobs(limits.PENDING_KEPT_SECONDS)))
        is_short = disk_space.is_short_for_files()
        age_seconds = 0 if at_once or is_short else limits.GARBAGE_KEPT_SECONDS
        return SweptFiles(uploads, pending, _delete_garbage(age_seconds, is_short=is_short))


def _delete_garbage(age_seconds: int, *, is_short: bool) -> int:
    total = 0
    find = blobs_sql.find_garbage(
        age_seconds,
        limits.SWEEP_BATCH_ROWS,
        spares_archives=not is_short,
        backup_wait_seconds=limits.BACKUP_WAIT_SECONDS if not is_short and plans.keeps_log() else 0,
    )
    while rows := run(find):
        refused = set(blobs.delete(blob_id for (blob_id,) in rows))
        gone = [blob_id for (blob_id,) in rows if blob_id not in refused]
        copies.forget(gone)
        run(blobs_sql.forget_thumbnails(gone))
        run(blobs_sql.forget_garbage(gone))
        # An object that S3 holds on to must not keep others in the bucket: its turn comes again later.
        run(blobs_sql.put_off_garbage(list(refused)))
        total += len(gone)
        if not gone:
            break
    return total
