"""Snapshots: exports on a schedule, of which the newest are kept; and the test restore of an export.

The test imports the export into a scratch collection that no list shows, exports that, and compares the two manifests: the
counts and the hash of every Base and file. The scratch collection is deleted afterwards, also when the test was killed.
"""

import io
from datetime import timedelta
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from storage import disk_space, limits, zip_reader
from storage.archive import manifest
from storage.archive.exporting import exports, snapshot_copies
from storage.archive.importing import checking, plans
from storage.archive.importing.importer import Importer
from storage.archive.importing.plans import Choice, Plan
from storage.archive.importing.sources import Source, open_source
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.collections import collections, deletion
from storage.drive import parts
from storage.errors import EngineUnreachable, InvalidInput, StorageError
from storage.models import Collection, Export, Import, SnapshotSchedule
from storage.postgres import clock
from storage.postgres.database import engine_errors
from storage.postgres.leases import Lease, is_orphaned

_Check = Export.Check
_PERIODS = {SnapshotSchedule.Every.DAY: timedelta(days=1), SnapshotSchedule.Every.WEEK: timedelta(weeks=1)}
_DIFFERENCES_TOLD = 3


def find_schedule(collection_id: str) -> SnapshotSchedule | None:
    """How often snapshots are made; None for never."""
    return SnapshotSchedule.objects.filter(collection_id=collection_id).first()


def set_schedule(
    *, collection_id: str, every: str, keep: int, is_checked: bool, set_by: User | None, is_copied: bool = False
) -> None:
    """Schedule snapshots, the first at once; an empty `every` ends the schedule and keeps the snapshots.

    Raises InvalidInput for another word than "day" or "week", or a number to keep out of range, and DiskFull unless they end.
    """
    if not every:
        with transaction.atomic():
            SnapshotSchedule.objects.filter(collection_id=collection_id).delete()
            audit.record(Verb.SNAPSHOTS_SET, collection_id=collection_id, details={"every": "never"})
        return
    disk_space.check_space_for_items()
    if every not in SnapshotSchedule.Every.values:
        raise InvalidInput("Snapshots are made every day or every week")
    if not 1 <= keep <= limits.SNAPSHOTS_KEPT_MAX:
        raise InvalidInput(f"1 to {limits.SNAPSHOTS_KEPT_MAX} snapshots can be kept")
    chosen = {"every": every, "keep": keep, "is_checked": is_checked, "is_copied": is_copied, "set_by": set_by}
    with transaction.atomic():
        before = SnapshotSchedule.objects.select_for_update().filter(collection_id=collection_id).first()
        if before is None or before.every != every:
            chosen["next_at"] = clock.now()
        SnapshotSchedule.objects.update_or_create(collection_id=collection_id, defaults=chosen)
        details = {"every": every, "keep": keep, "tested": is_checked, "copied": is_copied}
        audit.record(Verb.SNAPSHOTS_SET, collection_id=collection_id, details=details)


def take_due_snapshots() -> None:
    """Request the exports that are due, and delete snapshots beyond the newest that are kept.

    While the disk is too full, those that are due wait.
    """
    if not disk_space.is_short_for_files():
        _request_due()
    for schedule in SnapshotSchedule.objects.all():
        _let_go_of_old(schedule)


def _request_due() -> None:
    with transaction.atomic():
        due = SnapshotSchedule.objects.select_for_update(skip_locked=True).filter(next_at__lte=Now())
        for schedule in due:
            export = exports.ask_for_export(
                collection_id=schedule.collection_id, asked_by=schedule.set_by, is_snapshot=True
            )
            if schedule.is_checked:
                Export.objects.filter(id=export.id).update(check_state=_Check.WANTED)
            if schedule.is_copied and snapshot_copies.is_set_up():
                snapshot_copies.want_copy(export)
            period, now = _PERIODS[SnapshotSchedule.Every(schedule.every)], clock.now()
            # A server that was off for a month makes one snapshot, not thirty.
            schedule.next_at += period * max((now - schedule.next_at) // period + 1, 1)
            schedule.save(update_fields=["next_at"])


def _let_go_of_old(schedule: SnapshotSchedule) -> None:
    """A failed one is kept until a later one is done."""
    snapshots = Export.objects.filter(collection_id=schedule.collection_id, is_snapshot=True).order_by(
        "-asked_at", "-id"
    )
    done = list(snapshots.filter(state=Export.State.DONE).exclude(check_state=_Check.RUNNING))
    gone = list(done[schedule.keep :])
    if done:
        gone += list(snapshots.filter(state=Export.State.FAILED, asked_at__lt=done[0].asked_at))
    for export in gone:
        exports.delete_export(collection_id=export.collection_id, export_id=export.id)


# The trial


def claim_check() -> Export | None:
    """The next export to try, taken by this attempt; those that were tried too often count as bad.

    None either while the disk is too full for what a test restores.
    """
    if disk_space.is_short_for_files():
        return None
    with transaction.atomic():
        waiting = Q(check_state=_Check.WANTED) | Q(is_orphaned(), check_state=_Check.RUNNING)
        found = Export.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            waiting, state=Export.State.DONE
        )
        export = found.select_related("collection").order_by("asked_at", "id").first()
        if export is None:
            return None
        if export.check_state == _Check.WANTED:
            export.attempts = 0
        elif export.attempts >= limits.ARCHIVE_ATTEMPTS_MAX:
            note = f"The server stopped during this check, {export.attempts} times."
            Export.objects.filter(id=export.id).update(check_state=_Check.BAD, check_note=note, checked_at=Now())
            return claim_check()
        export.attempts += 1
        now = {"check_state": _Check.RUNNING, "attempts": export.attempts, "heartbeat_at": Now()}
        Export.objects.filter(id=export.id).update(**now)
        return export


def check_export(export: Export) -> None:
    """Test an export that `claim_check` returned, and record the result. Raises Superseded."""
    lease = Lease(export, check_state=_Check.RUNNING)
    _remove_scratch(export.id)
    try:
        with engine_errors():
            faults = _restore_and_compare(export, lease)
    except EngineUnreachable:
        if export.attempts < limits.ARCHIVE_ATTEMPTS_MAX:
            return  # taken up again when the lease is over
        faults = [EngineUnreachable.default]
    except StorageError as error:
        faults = [". ".join(error.messages)]
    finally:
        _remove_scratch(export.id)
    told = faults[:_DIFFERENCES_TOLD] + (
        [f"and {len(faults) - _DIFFERENCES_TOLD:,} more"] if faults[_DIFFERENCES_TOLD:] else []
    )
    state = _Check.BAD if faults else _Check.GOOD
    lease.save(check_state=state, check_note="; ".join(told), checked_at=Now())


def clear_scratch() -> None:
    """Delete scratch collections without a running test: it was killed, or its export was deleted."""
    running = Export.objects.filter(check_state=_Check.RUNNING).values("id")
    for collection in Collection.objects.filter(scratch_of__isnull=False).exclude(scratch_of__in=running):
        _delete(collection)


def _restore_and_compare(export: Export, lease: Lease) -> list[str]:
    """What differs between an export and its restoration. Raises what reading and storing do."""
    scratch = collections.create_scratch(export.id)
    made_of = parts.get_parts(export.id)
    with parts.PartReader(made_of, on_read=lease.tick) as raw, io.BufferedReader(raw, 262_144) as stream:
        archive = zip_reader.open_zip(stream, export.size_bytes)
        promised = manifest.find_manifest(archive)
        source = open_source(stream, size_bytes=export.size_bytes, file_name="export.zip")
        plan = plans.make_plan(source)
        restoring = Import.objects.create(
            collection=scratch,
            file_name="export.zip",
            size_expected=export.size_bytes,
            state=Import.State.RUNNING,
            attempts=1,
            is_direct=True,
            heartbeat_at=clock.now(),
        )
        # Micros are not started for a test: their code is read and compared, that is all.
        choices = [Choice("skip" if portion.kind == "micro" else "merge") for portion in plan.portions]
        # An item that expires during the test must not look lost.
        Importer(restoring, Lease(restoring, state=Import.State.RUNNING), plan, choices, lets_expire=False).run(source)
        code_faults = _find_code_faults(source, plan, lease)
    restored = manifest.read_manifest(exports.hash_zip(scratch, lease))
    faults = [f"{problem.place}: {problem.what}" for problem in restoring.problems.order_by("id")] + code_faults
    if promised is None or restored is None:
        return [*faults, "It has no manifest"]
    return faults + manifest.find_differences(msgspec.structs.replace(promised, micros=[]), restored)


def _find_code_faults(source: Source, plan: Plan, lease: Lease) -> list[str]:
    """What is wrong with the code of Micros, all of which is read."""
    found: list[str] = []
    code = [portion for portion in plan.portions if portion.kind == "micro"]
    for micro, portion in zip(source.micros, code, strict=True):
        checking.check_micro(micro, portion, lambda problem: None, lambda size_bytes: lease.tick())
        if portion.faults:
            found.append(f"The code of the Micro {micro.name} is damaged")
    return found


def _remove_scratch(export_id: UUID) -> None:
    for collection in Collection.objects.filter(scratch_of=export_id):
        _delete(collection)


def _delete(collection: Collection) -> None:
    deletion.delete_collection(collection_id=collection.id, typed_name=collection.name, asked_by=None)
