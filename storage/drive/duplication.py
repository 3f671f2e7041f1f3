"""A whole Drive copied into a new one of its collection: asked for by a person, done a batch of files at a time.

The files are listed at the beginning, and each is copied as it is when its turn comes: what is written later under another
name is not in the copy, and what is gone by then is counted. Folders that somebody made come along; share links, which speak
for one file, do not, and thumbnails are made anew when somebody looks.

S3 copies the bytes by itself, blob by blob, as no two files may share one (see `storage/drive/sql/files.py`). The order is
that of every write: blobs are pending, then copied, and in one transaction their files are there, whole, and off the list, if
whoever asked may write now. So a copy whose worker is killed goes on behind the last batch, and of what that one had copied the
sweeper removes the rest. A name that is taken in the new Drive by then stays what it is.
"""

import logging
import math
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Now

from storage import disk_space, limits, names
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.drive import drives, folders
from storage.drive.failpoints import reach
from storage.drive.files import InMemory, Stored, store
from storage.drive.sql import duplication as duplication_sql
from storage.drive.sql import files as files_sql
from storage.drive.sql import moves as moves_sql
from storage.drive.sql.duplication import BlobHashes, ListedFile
from storage.errors import (
    BlobMissing,
    DiskFull,
    DriveNotFound,
    DuplicationNotFound,
    EngineUnreachable,
    Forbidden,
    InvalidInput,
    StorageError,
    Unauthorized,
)
from storage.models import Drive, Duplication
from storage.postgres import clock, rights
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, one_connection, run, run_one
from storage.postgres.leases import Lease, Superseded, is_orphaned
from storage.s3 import blobs
from storage.s3.blobs import Owner
from storage.s3.transfer_slots import take_share

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

State = Duplication.State
_UNFINISHED = (State.QUEUED, State.RUNNING)
_PROBLEMS_KEPT = 20
# Without a single file stored: S3 may be down for as many leases.
_ATTEMPTS_MAX = 50
# One at a time in each process, so that other jobs need not wait.
_place = threading.BoundedSemaphore(1)


def ask_for_duplication(*, access: Access, drive: str, new_name: str) -> Duplication:
    """Note that all files are to be copied into a new Drive, which is there from now on.

    Raises InvalidInput (the name, too many that wait), AlreadyTaken, DriveNotFound, Unauthorized or Forbidden when the person may
    not write here (any more), DiskFull when it would not fit, and EngineUnreachable.
    """
    names.check_name(new_name)
    source_id = folders.find_drive(collection_id=access.collection_id, name=drive)
    held = run_one(duplication_sql.count_all(source_id))
    disk_space.check_space_for_files(held.size_bytes + _bytes_to_come())
    with engine_errors(), transaction.atomic():
        rights.ask_again(access)
        unfinished = Duplication.objects.filter(collection_id=access.collection_id, state__in=_UNFINISHED).count()
        if unfinished >= limits.DUPLICATIONS_WAITING_MAX:
            raise InvalidInput(f"{unfinished} Drives of this collection are being copied: wait until they are done")
        made = Duplication.objects.create(
            collection_id=access.collection_id,
            source_id=source_id,
            target_id=drives.make_drive(collection_id=access.collection_id, name=new_name),
            source_name=drive,
            asked_by_id=access.person_id,
            expected=held.files,
            expected_bytes=held.size_bytes,
        )
        details = {"to": new_name, "size_bytes": held.size_bytes}
        audit.record(
            Verb.FILES_COPIED,
            collection_id=access.collection_id,
            about=drive,
            amount=max(1, held.files),
            details=details,
        )
    return made


def _bytes_to_come() -> int:
    """Of the copies that are on their way, in all collections."""
    unfinished = Duplication.objects.filter(state__in=_UNFINISHED)
    return unfinished.aggregate(left=Sum(F("expected_bytes") - F("copied_bytes")))["left"] or 0


def is_small(duplication: Duplication) -> bool:
    """Whether it is so little that one can wait for it."""
    fits = duplication.expected_bytes <= limits.DUPLICATE_BATCH_BYTES
    return fits and duplication.expected < limits.DUPLICATE_BATCH_FILES


def find_duplication(*, drive_id: int, duplication_id: UUID) -> Duplication:
    """One of this Drive or into it. Raises DuplicationNotFound."""
    found = _of_drive(drive_id).filter(pk=duplication_id).first()
    if found is None:
        raise DuplicationNotFound()
    return found


def find_told(drive_id: int) -> Duplication | None:
    """The last copy of this Drive or into it that people should know of: on its way; or into it, and not the whole."""
    is_partial = Q(target_id=drive_id) & (Q(state=State.FAILED) | Q(left_out__gt=0))
    told = _of_drive(drive_id).filter(Q(state__in=_UNFINISHED) | is_partial)
    return told.order_by("-asked_at", "-pk").first()


def _of_drive(drive_id: int) -> "QuerySet[Duplication]":
    return Duplication.objects.filter(Q(source_id=drive_id) | Q(target_id=drive_id))


def work_a_while(*, duplication_id: UUID, seconds: float) -> Duplication:
    """Work on a waiting copy for so long, and the file that it is at. Another worker goes on with the rest.

    Raises EngineUnreachable.
    """
    claimed = _claim(Q(pk=duplication_id))
    if claimed is not None:
        _work(claimed, until=time.monotonic() + seconds)
    return Duplication.objects.get(pk=duplication_id)


def continue_duplications() -> None:
    """Work on the waiting copies one after another, and on those of dead workers. Raises EngineUnreachable."""
    if not _place.acquire(blocking=False):
        return
    try:
        with engine_errors(), one_connection():
            while claimed := _claim(Q()):
                _work(claimed)
    finally:
        _place.release()


def forget_old() -> None:
    """Forget copies that ended long ago, and lists of those whose collection was deleted."""
    ended = clock.now() - timedelta(seconds=limits.DUPLICATION_KEPT_SECONDS)
    Duplication.objects.filter(finished_at__lt=ended).delete()
    while run_one(duplication_sql.forget_lost_lists(limits.DELETE_BATCH_ROWS)).total:
        pass


def _claim(which: Q) -> Duplication | None:
    """The next copy to work on, which is this process's then."""
    with engine_errors(), transaction.atomic():
        orphaned = Q(state=State.RUNNING) & is_orphaned()
        waiting = Duplication.objects.filter(which).filter(Q(state=State.QUEUED) | orphaned)
        found = waiting.select_for_update(skip_locked=True).order_by("asked_at", "pk").first()
        if found is None:
            return None
        found.attempts += 1
        Duplication.objects.filter(pk=found.pk).update(
            state=State.RUNNING, attempts=found.attempts, bytes_under_way=0, heartbeat_at=Now()
        )
        return found


def _work(duplication: Duplication, *, until: float = math.inf) -> None:
    """Batch after batch. Stops without a word when somebody else has taken it over, or its collection was deleted."""
    lease = Lease(duplication, state=State.RUNNING)
    with suppress(Superseded):
        try:
            if duplication.attempts - duplication.moved_on_at_attempt > _ATTEMPTS_MAX:
                raise InvalidInput("It was begun too often, and never got any further")
            if duplication.listed_at is None:
                _list(lease, duplication)
            while _batch(lease, duplication, until=until):
                if time.monotonic() > until:
                    lease.save(state=State.QUEUED)
                    return
        except EngineUnreachable:
            raise
        except (Unauthorized, Forbidden):
            _fail(lease, duplication, "Whoever asked for it may no longer write here.")
        except (DiskFull, DriveNotFound, InvalidInput) as error:
            _fail(lease, duplication, f"{error.messages[-1]}.")
        except Exception:
            logger.exception("The duplication %s failed", duplication.pk)
            _fail(lease, duplication, "Something went wrong in Homeport. The server's log has the details.")


def _fail(lease: Lease, duplication: Duplication, reason: str) -> None:
    lease.save(state=State.FAILED, reason=reason, bytes_under_way=0, finished_at=clock.now())
    while run_one(duplication_sql.forget_list(duplication.pk, limits.DELETE_BATCH_ROWS)).total:
        pass


def _list(lease: Lease, duplication: Duplication) -> None:
    """The list as it is now is what will be copied."""
    disk_space.check_space_for_files(duplication.expected_bytes)
    with engine_errors(), transaction.atomic():
        _hold_both(duplication)
        held = run_one(duplication_sql.list_all(duplication.pk, duplication.source_id))
        run(duplication_sql.copy_folders(duplication.source_id, duplication.target_id))
        rights.ask_again(_access_of(duplication))
        duplication.listed_at = clock.now()
        lease.save(listed_at=duplication.listed_at, expected=held.files, expected_bytes=held.size_bytes)


@dataclass(slots=True)
class _Batch:
    """Files with blobs that are copied but pending, and the names that are left out, with the reason."""

    lease: Lease
    owner: Owner  # of each file, but for its name and type
    hashes: dict[UUID, BlobHashes]
    due_at: float
    reserved: list[UUID] = field(default_factory=list)
    copied: list[tuple[ListedFile, list[Stored], Stored | None]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    size_bytes: int = 0

    @property
    def is_full(self) -> bool:
        return self.size_bytes >= limits.DUPLICATE_BATCH_BYTES or time.monotonic() > self.due_at


def _batch(lease: Lease, duplication: Duplication, *, until: float) -> bool:
    """One batch; whether more follow."""
    disk_space.check_space_for_files()
    target = _name_of(duplication.target_id, duplication)
    _name_of(duplication.source_id, duplication)
    most = limits.DUPLICATE_BATCH_FILES
    listed = run(duplication_sql.next_files(duplication.pk, duplication.source_id, most))
    blob_ids = [each for row in listed for each in row.blob_ids or ()]
    hashes = {row.id: row for row in run(duplication_sql.find_hashes(blob_ids))}
    due_at = min(until, time.monotonic() + limits.DUPLICATE_BATCH_SECONDS)
    batch = _Batch(lease, Owner(duplication.collection_id, target, ""), hashes, due_at)
    try:
        for row in listed:
            _copy_file(batch, row, duplication)
            if batch.is_full:
                break
        is_last = len(batch.copied) + len(batch.left_out) == len(listed) < most
        _commit(batch, duplication, is_last=is_last)
    except BaseException:
        _discard(batch.reserved)
        raise
    reach("duplicate-after-commit")
    return not is_last


def _copy_file(batch: _Batch, row: ListedFile, duplication: Duplication) -> None:
    if row.blob_ids is None:
        batch.left_out[row.name] = "it was deleted or renamed meanwhile"
        return
    try:
        batch.copied.append((row, *_copy_blobs(batch, row)))
        batch.size_bytes += row.size_bytes
    except BlobMissing:
        # What was written there meanwhile is copied with the next batch.
        (now,) = run(moves_sql.list_chosen(duplication.source_id, [row.name], [], 1)) or (None,)
        if now is None or now.blob_ids == row.blob_ids:
            batch.left_out[row.name] = "its bytes are missing from storage"


def _copy_blobs(batch: _Batch, row: ListedFile) -> tuple[list[Stored], Stored | None]:
    """Copies of a file's blobs, and of several also a manifest, all of them pending. Raises BlobMissing."""
    source_ids = row.blob_ids or []
    new_ids = [uuid.uuid4() for _ in source_ids]
    manifest_id = uuid.uuid4() if row.manifest_id else None
    reserved = [*new_ids, *([manifest_id] if manifest_id else [])]
    run(files_sql.reserve_blobs(reserved))
    batch.reserved += reserved
    owner = batch.owner._replace(name=row.name, content_type=row.content_type)
    upload_id = uuid.uuid4().hex
    parts, size_bytes = [], 0
    for number, (old_id, new_id, length) in enumerate(zip(source_ids, new_ids, row.blob_sizes, strict=True), start=1):
        if old_id not in batch.hashes:
            raise BlobMissing()
        known = batch.hashes[old_id]
        part = owner._replace(upload_id=upload_id, part=number) if manifest_id else owner
        with take_share():
            blobs.copy(old_id, new_id, length=length, md5=known.md5, owner=part)
        reach("duplicate-blob-copied")
        parts.append(Stored(new_id, length, known.md5, known.sha256))
        size_bytes += length
        batch.lease.tick(bytes_under_way=batch.size_bytes + size_bytes)
    if manifest_id is None:
        return parts, None
    listed = InMemory(blobs.write_manifest(new_ids))
    return parts, store(manifest_id, listed, owner._replace(is_manifest=True))


def _commit(batch: _Batch, duplication: Duplication, *, is_last: bool) -> None:
    """The files are there and off the list, all of them or none."""
    with engine_errors(), transaction.atomic():
        run(moves_sql.lock_drive(duplication.target_id))
        _hold_both(duplication)
        wanted = [row.name for row, _, _ in batch.copied]
        for (name,) in run(moves_sql.find_existing(duplication.target_id, wanted)):
            batch.left_out[name] = "the copy has a file of this name, which somebody stored meanwhile"
        kept = [each for each in batch.copied if each[0].name not in batch.left_out]
        for row, parts, manifest in kept:
            _add_file(duplication.target_id, row, parts, manifest)
        _take([each for _, parts, manifest in kept for each in (*parts, *([manifest] if manifest else []))])
        run(files_sql.discard_blobs(batch.reserved))
        rights.ask_again(_access_of(duplication))
        names_done = [*(row.name for row, _, _ in kept), *batch.left_out]
        run(duplication_sql.forget_listed(duplication.pk, names_done))
        told = [f"{name}: {reason}" for name, reason in batch.left_out.items()]
        duplication.problems = [*duplication.problems, *told][:_PROBLEMS_KEPT]
        batch.lease.save(
            copied=F("copied") + len(kept),
            copied_bytes=F("copied_bytes") + sum(row.size_bytes for row, _, _ in kept),
            bytes_under_way=0,
            left_out=F("left_out") + len(batch.left_out),
            problems=duplication.problems,
            moved_on_at_attempt=duplication.attempts,
            **({"state": State.DONE, "finished_at": clock.now()} if is_last else {}),
        )
        reach("duplicate-before-commit")


def _add_file(drive_id: int, row: ListedFile, parts: list[Stored], manifest: Stored | None) -> None:
    statement = duplication_sql.add_file(
        drive_id,
        row.name,
        blob_ids=[part.id for part in parts],
        blob_sizes=[part.size_bytes for part in parts],
        manifest_id=manifest.id if manifest else None,
        content_type=row.content_type,
        etag=row.etag,
    )
    run(statement)


def _take(stored: list[Stored]) -> None:
    """In the caller's transaction: the blobs belong to files now. Raises EngineUnreachable when one was given up."""
    if not stored:
        return
    ids, sizes, md5s, sha256s = (list(column) for column in zip(*stored, strict=True))
    if len(run(duplication_sql.take_blobs(ids, sizes, md5s, sha256s))) != len(stored):
        raise EngineUnreachable()


def _discard(blob_ids: list[UUID]) -> None:
    """Leave to the sweeper what has not become live."""
    with suppress(StorageError):
        run(files_sql.discard_blobs(blob_ids))


def _hold_both(duplication: Duplication) -> None:
    """In the caller's transaction: both Drives stay where they are until it ends. Raises DriveNotFound.

    The collection comes first, whose deletion would take both of them and the duplication in an order of its own.
    """
    run(duplication_sql.hold_collection(duplication.collection_id))
    for drive_id in sorted((duplication.source_id, duplication.target_id)):
        if not run(duplication_sql.hold_drive(duplication.collection_id, drive_id)):
            raise _lost(drive_id, duplication)


def _name_of(drive_id: int, duplication: Duplication) -> str:
    """The Drive's name now. Raises DriveNotFound, also when it was moved away."""
    found = Drive.objects.filter(pk=drive_id, collection_id=duplication.collection_id)
    name = found.values_list("name", flat=True).first()
    if name is None:
        raise _lost(drive_id, duplication)
    return name


def _lost(drive_id: int, duplication: Duplication) -> DriveNotFound:
    which = "The new Drive" if drive_id == duplication.target_id else f"“{duplication.source_name}”"
    return DriveNotFound(f"{which} was deleted, emptied or moved meanwhile")


def _access_of(duplication: Duplication) -> Access:
    """As whoever asked for it. Raises Unauthorized when there is no such person any more."""
    if duplication.asked_by_id is None:
        raise Unauthorized()
    return Access(duplication.collection_id, person_id=duplication.asked_by_id)
