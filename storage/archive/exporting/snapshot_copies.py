"""Copies of snapshots in a second place: a folder, or another S3, that HOMEPORT_SNAPSHOT_TARGET names.

A copy is the snapshot's zip, byte for byte, under `<collection id>/<moment>-<id>.zip`. It has its name once it is whole, and is
made once it was read back and its hash compared. One that fails is tried again, and told of until it succeeds. As many are kept
as the collection keeps snapshots; those of a deleted collection stay, for whoever wants it back.
"""

import hashlib
import logging
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from storage import limits
from storage.backups.faults import BackupFault
from storage.backups.targets.places import Place, S3Access, open_place
from storage.drive import parts
from storage.drive.failpoints import reach
from storage.errors import EngineUnreachable, StorageError
from storage.findings import Finding
from storage.models import Export, SnapshotCopy, SnapshotSchedule
from storage.postgres.database import engine_errors
from storage.postgres.leases import Lease, is_orphaned

logger = logging.getLogger(__name__)

_State = SnapshotCopy.State
_CHUNK_BYTES = 1_048_576


def is_set_up() -> bool:
    """Whether this server has a second place for snapshots."""
    return bool(settings.SNAPSHOT_TARGET)


def want_copy(export: Export) -> None:
    """Have a snapshot copied once it is done. In the caller's transaction."""
    name = f"{export.collection_id}/{export.asked_at:%Y-%m-%dT%H%M%SZ}-{export.id.hex[:8]}.zip"
    SnapshotCopy.objects.create(id=export.id, collection_id=export.collection_id, name=name, asked_at=export.asked_at)


def list_copies(collection_id: str) -> list[SnapshotCopy]:
    """A collection's copies, made and to be made, the newest first."""
    return list(SnapshotCopy.objects.filter(collection_id=collection_id).order_by("-asked_at", "-id"))


def claim_copy() -> SnapshotCopy | None:
    """The next copy to make, taken by this attempt: one whose snapshot is done, or that failed a while ago.

    A copy whose snapshot is gone before it was made is forgotten.
    """
    if not is_set_up():
        return None
    a_while_ago = Now() - timedelta(seconds=limits.SNAPSHOT_COPY_RETRY_SECONDS)
    waiting = (
        Q(state=_State.WANTED)
        | Q(state=_State.FAILED, heartbeat_at__lt=a_while_ago)
        | Q(is_orphaned(), state=_State.RUNNING)
    )
    with transaction.atomic():
        unfinished = SnapshotCopy.objects.select_for_update(skip_locked=True).filter(waiting)
        for copy in unfinished.order_by("asked_at", "id"):
            export = Export.objects.filter(id=copy.id).first()
            if export is None or export.state == Export.State.FAILED:
                copy.delete()
            elif export.state == Export.State.DONE:
                copy.attempts += 1
                now = {"state": _State.RUNNING, "attempts": copy.attempts, "heartbeat_at": Now()}
                SnapshotCopy.objects.filter(id=copy.id).update(**now)
                return copy
    return None


def make_copy(copy: SnapshotCopy) -> None:
    """Make a copy that `claim_copy` returned, and let go of those that are too many. Raises Superseded, EngineUnreachable."""
    lease = Lease(copy, state=_State.RUNNING)
    try:
        with engine_errors():
            place = _open_place()
            size_bytes, sha256 = _write(place, copy, lease)
            _compare(place, copy, sha256, lease)
    except EngineUnreachable:
        raise
    except (BackupFault, StorageError) as error:
        note = ". ".join(error.messages) if isinstance(error, StorageError) else str(error)
        logger.error("The snapshot %s could not be copied to %s: %s", copy.id, settings.SNAPSHOT_TARGET, note)
        lease.save(state=_State.FAILED, note=note)
        return
    reach("snapshot-copied")
    lease.save(state=_State.DONE, note="", size_bytes=size_bytes, sha256=sha256, made_at=Now())
    with suppress(BackupFault):
        _let_go_of_old(place, copy.collection_id)


def find_problems() -> list[Finding]:
    """Copies that failed and have not succeeded since; and those that are wanted while there is no place for them."""
    failed = SnapshotCopy.objects.filter(Q(state=_State.FAILED) | Q(state=_State.RUNNING, note__gt="")).order_by(
        "asked_at"
    )
    with engine_errors():
        count, first = failed.count(), failed.select_related("collection").first()
        is_lost = not is_set_up() and SnapshotSchedule.objects.filter(is_copied=True).exists()
    if is_lost:
        return [
            Finding(
                "snapshots_uncopied",
                "warn",
                "Snapshots are to be copied to a second place, but this server has none any more.",
                "Set HOMEPORT_SNAPSHOT_TARGET again, or turn the copies off on the collections' Snapshots page.",
            )
        ]
    if first is None:
        return []
    more = f" and {count - 1:,} more" if count > 1 else ""
    return [
        Finding(
            "snapshots_uncopied",
            "bad",
            f"A snapshot of the collection “{first.collection.name}”{more} could not be copied to the second place: {first.note}",
            "Mend what it says. It is tried again by itself within 15 minutes.",
        )
    ]


def _open_place() -> Place:
    return open_place(settings.SNAPSHOT_TARGET, access=S3Access(**settings.SNAPSHOT_S3))


def _write(place: Place, copy: SnapshotCopy, lease: Lease) -> tuple[int, str]:
    made_of = parts.get_parts(copy.id)
    with parts.PartReader(made_of, on_read=lease.tick) as raw:

        def chunks() -> Iterator[bytes]:
            while chunk := raw.read(_CHUNK_BYTES):
                lease.tick()
                yield chunk

        put = place.put(copy.name, chunks())
    if put.size_bytes != sum(part.size_bytes for part in made_of):
        raise BackupFault("The snapshot was deleted while it was copied.")
    return put.size_bytes, put.sha256


def _compare(place: Place, copy: SnapshotCopy, sha256: str, lease: Lease) -> None:
    """Read the copy back. Raises BackupFault when it has other bytes than were sent."""
    found = hashlib.sha256()
    for chunk in place.open(copy.name):
        found.update(chunk)
        lease.tick()
    if found.hexdigest() != sha256:
        place.delete([copy.name])
        raise BackupFault(f"{place} gave other bytes back than it was sent.")


def _let_go_of_old(place: Place, collection_id: str) -> None:
    """Keep as many as the collection keeps snapshots; without a schedule, all."""
    schedule = SnapshotSchedule.objects.filter(collection_id=collection_id).first()
    if schedule is None:
        return
    made = SnapshotCopy.objects.filter(collection_id=collection_id, state=_State.DONE).order_by("-asked_at", "-id")
    for copy in made[schedule.keep :]:
        place.delete([copy.name])
        copy.delete()
