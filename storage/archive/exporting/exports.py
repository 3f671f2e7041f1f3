"""Exports: request, make in the background, list, download, delete. An unfinished export is never offered.

After a crash a new attempt starts from the beginning: with a later moment of the collection, but a complete one. What goes
into the zip, and in which order, is `zipping.py`'s.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from storage import disk_space, limits
from storage.archive import sql as archive_sql
from storage.archive.exporting.zipping import CollectionZip
from storage.archive.manifest import Totals
from storage.audit import actors
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.drive import parts
from storage.drive.failpoints import reach
from storage.drive.files import Stored, StoredFile, make_etag, take
from storage.drive.sql import uploads as uploads_sql
from storage.errors import ArchiveNotFound, CollectionNotFound, EngineUnreachable, InvalidInput, StorageError
from storage.models import Collection, Export
from storage.postgres import clock
from storage.postgres.database import engine_errors, run, run_one, snapshot
from storage.postgres.leases import Lease, is_orphaned
from storage.s3.blobs import Owner

_State = Export.State


def ask_for_export(*, collection_id: str, asked_by: User | None, is_snapshot: bool = False) -> Export:
    """Request an export of a collection; the next free worker starts it.

    Raises CollectionNotFound, DiskFull, and InvalidInput when too many are waiting, which a snapshot is not counted for.
    """
    disk_space.check_space_for_files()
    with transaction.atomic():
        if not Collection.objects.select_for_update().filter(id=collection_id).exists():
            raise CollectionNotFound(f"No collection has the id {collection_id}")
        waiting = Export.objects.filter(collection_id=collection_id, state__in=[_State.QUEUED, _State.RUNNING])
        if not is_snapshot and waiting.count() >= limits.ARCHIVES_WAITING_MAX:
            raise InvalidInput(f"{limits.ARCHIVES_WAITING_MAX} exports are waiting already: wait until one is done")
        export = Export.objects.create(collection_id=collection_id, asked_by=asked_by, is_snapshot=is_snapshot)
        _record(Verb.EXPORT_REQUESTED, export)
        return export


def list_exports(collection_id: str) -> list[Export]:
    """A collection's exports, newest first, each with who asked for it."""
    found = Export.objects.filter(collection_id=collection_id, is_direct=False).select_related("asked_by")
    return list(found.order_by("-asked_at", "-id"))


def find_export(*, collection_id: str, export_id: UUID) -> Export:
    """Raises ArchiveNotFound."""
    found = Export.objects.filter(collection_id=collection_id, id=export_id, is_direct=False).first()
    if found is None:
        raise ArchiveNotFound()
    return found


def delete_export(*, collection_id: str, export_id: UUID) -> None:
    """Delete an export in any state; a worker that is making it stops. Deleting it again changes nothing."""
    with transaction.atomic():
        found = Export.objects.select_for_update().filter(collection_id=collection_id, id=export_id, is_direct=False)
        export = found.first()
        if export is not None:
            _record(Verb.EXPORT_DELETED, export)
            export.delete()
            parts.drop_parts(export_id)


def open_export(*, collection_id: str, export_id: UUID) -> StoredFile:
    """The zip of an export that is done, for a download. Raises ArchiveNotFound."""
    export = find_export(collection_id=collection_id, export_id=export_id)
    if export.state != _State.DONE or export.finished_at is None:
        raise ArchiveNotFound()
    made_of = parts.get_parts(export_id)
    if sum(part.size_bytes for part in made_of) != export.size_bytes:
        raise ArchiveNotFound()  # the bucket was emptied from outside, and `reconcile` noticed
    return StoredFile(
        export.size_bytes,
        "application/zip",
        make_etag([part.md5 for part in made_of]),
        export.finished_at,
        [part.id for part in made_of],
        [part.size_bytes for part in made_of],
    )


def request_check(*, collection_id: str, export_id: UUID) -> None:
    """Request a test restore of an export. Raises ArchiveNotFound unless it is done."""
    waiting = {"check_state": Export.Check.WANTED, "check_note": "", "heartbeat_at": None, "attempts": 0}
    busy = [Export.Check.WANTED, Export.Check.RUNNING]
    done = Export.objects.filter(collection_id=collection_id, id=export_id, state=_State.DONE)
    with transaction.atomic():
        export = done.first()
        if export is None:
            raise ArchiveNotFound()
        if done.exclude(check_state__in=busy).update(**waiting):
            _record(Verb.EXPORT_TESTED, export)


def note_download(export: Export) -> None:
    """Record that somebody downloads it: before its first byte goes out. Raises EngineUnreachable.

    A download that is resumed within the hour stays one entry.
    """
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with engine_errors(), transaction.atomic():
        _record(Verb.EXPORT_DOWNLOADED, export, merge=f"{export.id} {actors.current()} {hour}")


def _record(verb: Verb, export: Export, *, merge: str = "") -> None:
    details: dict[str, object] = {"export": str(export.id)}
    if export.is_snapshot:
        details["snapshot"] = True
    audit.record(verb, collection_id=export.collection_id, details=details, merge=merge)


# What workers do


def claim_export() -> Export | None:
    """The next export to make, taken by this attempt; those that were tried too often fail."""
    with transaction.atomic():
        waiting = Q(state=_State.QUEUED) | Q(is_orphaned(), state=_State.RUNNING)
        found = Export.objects.select_for_update(skip_locked=True, of=("self",)).filter(waiting, is_direct=False)
        export = found.select_related("collection").order_by("asked_at", "id").first()
        if export is None:
            return None
        parts.drop_parts(export.id)
        if export.attempts >= limits.ARCHIVE_ATTEMPTS_MAX:
            why = f"The server stopped during this export, {export.attempts} times."
            Export.objects.filter(id=export.id).update(state=_State.FAILED, reason=why, finished_at=Now())
            return claim_export()
        begin_attempt(export)
        return export


def begin_attempt(export: Export) -> None:
    """Take an export to make it from its beginning."""
    bytes_expected = run_one(archive_sql.count_exported(export.collection_id)).total
    export.attempts += 1
    Export.objects.filter(id=export.id).update(
        state=_State.RUNNING,
        attempts=export.attempts,
        started_at=Now(),
        heartbeat_at=Now(),
        bytes_expected=bytes_expected,
        size_bytes=0,
        **_counts(Totals()),
    )


def make_export(export: Export) -> None:
    """Make an export that `claim_export` returned. Raises Superseded; any other error becomes the reason it failed for."""
    lease = Lease(export, state=_State.RUNNING)
    try:
        with engine_errors():
            size_bytes, totals = _store_zip(export, lease)
    except StorageError as error:
        # A retry may help here: the row stays as it is until its lease is over.
        if export.attempts < limits.ARCHIVE_ATTEMPTS_MAX and _may_pass(error):
            return
        fail_export(export, lease, ". ".join(error.messages))
    else:
        reach("export-before-done")
        lease.save(state=_State.DONE, finished_at=Now(), size_bytes=size_bytes, reason="", **_counts(totals))


def fail_export(export: Export, lease: Lease, reason: str) -> None:
    """Record why an export failed, and delete its parts."""
    with transaction.atomic():
        lease.save(state=_State.FAILED, reason=reason, finished_at=Now())
        parts.drop_parts(export.id)


def forget_abandoned() -> None:
    """Delete what killed export commands left behind.

    A command that only waits for the reader of its output gives no sign of life either, so it gets more time.
    """
    a_while_ago = Now() - timedelta(seconds=limits.GARBAGE_KEPT_SECONDS)
    Export.objects.filter(is_direct=True, heartbeat_at__lt=a_while_ago).delete()


def stream_export(collection_id: str, *, asked_by: User | None = None) -> Iterator[bytes]:
    """A collection's zip for a file of a command. A row of its own keeps the sweeper from what it still has to read.

    Raises CollectionNotFound, EngineUnreachable, BlobMissing and InvalidInput (too many files).
    """
    collection = Collection.objects.filter(id=collection_id).first()
    if collection is None:
        raise CollectionNotFound(f"No collection has the id {collection_id}")
    with engine_errors(), transaction.atomic():
        export = Export.objects.create(collection=collection, asked_by=asked_by, is_direct=True, state=_State.RUNNING)
        _record(Verb.EXPORT_DOWNLOADED, export)
    begin_attempt(export)
    lease = Lease(export, state=_State.RUNNING)
    try:
        with snapshot() as moment:
            yield from CollectionZip(moment, collection, progress=lambda totals: lease.tick())
    finally:
        Export.objects.filter(id=export.id).delete()


def hash_zip(collection: Collection, lease: Lease) -> bytes:
    """The manifest that an export of this collection would have now; the zip itself is kept nowhere."""
    with snapshot() as moment:
        zipped = CollectionZip(moment, collection, progress=lambda totals: lease.tick())
        for _ in zipped:
            pass
        return b"".join(zipped.manifest())


def _store_zip(export: Export, lease: Lease) -> tuple[int, Totals]:
    size_bytes = 0

    def commit(number: int, stored: Stored) -> None:
        nonlocal size_bytes
        with transaction.atomic():
            size_bytes += stored.size_bytes
            lease.save(size_bytes=size_bytes)
            take(stored)
            run(uploads_sql.put_part(export.id.hex, number, stored.id))
            reach("export-before-commit")

    def owner(number: int) -> Owner:
        return parts.archive_owner(export.collection_id, export.id, number)

    with snapshot() as moment, parts.PartWriter(owner, commit) as writer:
        zipped = CollectionZip(moment, export.collection, progress=lambda totals: lease.tick(**_counts(totals)))
        for chunk in zipped:
            writer.write(chunk)
        writer.finish()
    return size_bytes, zipped.totals


def _may_pass(error: StorageError) -> bool:
    return isinstance(error, EngineUnreachable)


def _counts(totals: Totals) -> dict[str, int]:
    return {
        "bases": totals.bases,
        "items": totals.items,
        "drives": totals.drives,
        "files": totals.files,
        "bytes_done": totals.bytes,
    }
