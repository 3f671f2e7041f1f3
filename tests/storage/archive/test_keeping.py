"""Exports and their bytes over time: what the sweeper spares, what a deletion takes along, snapshots and their trial."""

import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from storage import limits, sweeper
from storage.archive.exporting import exports, snapshots
from storage.archive.exporting.zipping import CollectionZip
from storage.archive.importing import imports
from storage.archive.importing.plans import Choice
from storage.base import bases
from storage.collections import collections, deletion, keys, usage
from storage.drive import files, parts, rebuild, reconcile
from storage.errors import ArchiveNotFound, InvalidInput, OutOfPlace
from storage.models import Blob, Collection, Export, Import, SnapshotSchedule
from storage.postgres.caller import Access
from storage.postgres.database import snapshot
from storage.postgres.leases import Lease
from storage.s3 import blobs
from tests import archives
from tests.at_once import all_at_once
from tests.people import make_person
from tests.sweeping import once_alone, sweep_now
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("database")


def objects_of(archive: Export | Import) -> list[int | None]:
    """The sizes of an archive's objects, None for one that is gone."""
    return [blobs.find_size(part.id) for part in parts.get_parts(archive.id)]


def test_an_export_reads_one_moment_however_long_it_takes() -> None:
    access = archives.new_collection()
    archives.fill(access, "notes", [{"key": "a", "n": 1}])
    archives.put(access, "files", "f", b"before")
    with snapshot() as moment:
        pieces = iter(CollectionZip(moment, Collection.objects.get(id=access.collection_id)))
        next(pieces)
        archives.fill(access, "notes", [{"key": "b"}])
        archives.put(access, "files", "f", b"after!")
        archives.put(access, "files", "g", b"new")
        archives.fill(access, "later", [{"key": "c"}])
        about = archives.manifest_of(b"".join([b"", *_first(moment, access), *pieces]))
    assert (about.totals.bases, about.totals.items, about.totals.files) == (1, 1, 1)


def _first(moment: Any, access: Access) -> list[bytes]:
    """The piece that was taken already, made again."""
    return [next(iter(CollectionZip(moment, Collection.objects.get(id=access.collection_id))))]


def test_the_sweeper_spares_what_a_running_export_still_has_to_read() -> None:
    access = archives.new_collection()
    archives.put(access, "files", "f", b"before")
    (blob_id,) = files.get_file(access=access, drive="files", name="f").blob_ids
    export = exports.ask_for_export(collection_id=access.collection_id, asked_by=None)
    an_hour_ago = timezone.now() - timedelta(hours=1)
    Export.objects.filter(id=export.id).update(state="running", started_at=an_hour_ago, heartbeat_at=timezone.now())
    archives.put(access, "files", "f", b"after")
    Blob.objects.filter(id=blob_id).update(changed_at=timezone.now() - timedelta(minutes=30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "GARBAGE_KEPT_SECONDS", 60)
        once_swept = sweeper.sweep_files()
        assert blobs.find_size(blob_id) == 6, once_swept
    exports.delete_export(collection_id=access.collection_id, export_id=export.id)
    sweep_now()
    assert blobs.find_size(blob_id) is None


@pytest.mark.parametrize("is_direct", [True, False])
def test_on_a_full_disk_garbage_is_kept_for_the_readers_of_commands_alone(settings: Settings, is_direct: bool) -> None:
    """An export that is stored would wait for room, and the room for the export."""
    access = archives.new_collection()
    old, young = (_make_garbage(access, name) for name in "fg")
    Blob.objects.filter(id=old).update(changed_at=timezone.now() - timedelta(minutes=30))
    times = dict.fromkeys(("started_at", "heartbeat_at"), timezone.now())
    export = Export.objects.create(collection_id=access.collection_id, state="running", is_direct=is_direct, **times)
    settings.DISK_RESERVE_MB = 10**9
    eventually(lambda: sweeper.sweep_files() and blobs.find_size(old) is None)
    assert blobs.find_size(young) == (6 if is_direct else None)
    export.delete()


def _make_garbage(access: Access, name: str) -> UUID:
    archives.put(access, "files", name, b"before")
    (blob_id,) = files.get_file(access=access, drive="files", name=name).blob_ids
    archives.put(access, "files", name, b"after")
    return blob_id


def test_deleting_an_export_frees_its_bytes_and_deleting_the_collection_those_of_all() -> None:
    access = archives.make_full()
    gone, kept = archives.export_now(access), archives.export_now(access)
    sent = archives.send(access, b"[]" + b" " * 6_000_000, "x.json")
    ids = {each: [part.id for part in parts.get_parts(each.id)] for each in (gone, kept, sent)}
    exports.delete_export(collection_id=access.collection_id, export_id=gone.id)
    sweep_now()
    assert [blobs.find_size(blob_id) for blob_id in ids[gone]] == [None] * len(ids[gone])
    assert None not in objects_of(kept) + objects_of(sent)
    with pytest.raises(ArchiveNotFound):
        exports.open_export(collection_id=access.collection_id, export_id=gone.id)

    deletion.delete_collection(collection_id=access.collection_id, typed_name="Full of odd things", asked_by=None)
    sweep_now()

    for blob_id in ids[kept] + ids[sent]:
        assert blobs.find_size(blob_id) is None
        assert not Blob.objects.filter(id=blob_id).exists()


def test_bucket_and_database_agree_about_archives_and_a_rebuilt_index_has_no_file_of_them() -> None:
    access = archives.new_collection()
    archives.put(access, "files", "f", b"x")
    export = archives.export_now(access)
    sent = archives.send(access, b"[]", "x.json")
    mine = {part.id for archive in (export, sent) for part in parts.get_parts(archive.id)}
    report = once_alone(reconcile.compare)
    assert not mine & {*report.unreferenced, *report.missing, *(blob.id for blob in report.orphaned)}

    parts.drop_parts(export.id)
    Blob.objects.filter(id__in=mine).delete()
    rebuilt = once_alone(rebuild.rebuild)
    assert [owner for owner in rebuilt.files if owner.collection_id == access.collection_id] == []
    once_alone(reconcile.repair)


def test_parts_are_taken_in_order_and_once() -> None:
    access = archives.new_collection()
    content = b"[" + b" " * 12_000_000 + b"]"
    started = imports.start_import(
        collection_id=access.collection_id, file_name="x.json", size_bytes=len(content), asked_by=None
    )
    where: dict[str, Any] = {"access": access, "import_id": started.id}

    def send(start: int, end: int) -> Import:
        return imports.append_part(start=start, content=archives.Content(content[start:end]), **where)

    send(0, 6_000_000)
    with pytest.raises(OutOfPlace) as again:
        send(0, 6_000_000)
    assert again.value.expected == 6_000_000
    with pytest.raises(OutOfPlace):
        send(11_000_000, 12_000_000)
    with pytest.raises(InvalidInput, match="every part but the last"):
        send(6_000_000, 6_000_100)
    with pytest.raises(InvalidInput):
        imports.append_part(start=6_000_000, content=archives.Content(content), **where)
    whole = send(6_000_000, len(content))
    assert (whole.state, whole.size_bytes) == (Import.State.CHECKING, len(content))
    with pytest.raises(ArchiveNotFound):
        send(len(content), len(content))


def test_archives_that_nobody_goes_on_with_are_let_go() -> None:
    access = archives.new_collection()
    started = imports.start_import(
        collection_id=access.collection_id, file_name="x.json", size_bytes=20_000_000, asked_by=None
    )
    where: dict[str, Any] = {"access": access, "import_id": started.id}
    imports.append_part(start=0, content=archives.Content(b" " * 6_000_000), **where)
    Import.objects.filter(id=started.id).update(touched_at=timezone.now() - timedelta(days=2))
    done = archives.import_now(access, b"[]", "y.json")
    Import.objects.filter(id=done.id).update(finished_at=timezone.now() - timedelta(days=8))

    imports.forget_old()

    with pytest.raises(ArchiveNotFound):
        imports.find_import(collection_id=access.collection_id, import_id=started.id)
    done.refresh_from_db()
    assert (done.is_kept, parts.get_parts(done.id), bool(done.report)) == (False, [], True)
    with pytest.raises(ArchiveNotFound):
        imports.request_run(collection_id=access.collection_id, import_id=done.id, choices=[Choice("merge")])


def tried(export: Export) -> Export:
    """The export after its trial."""
    Export.objects.filter(id=export.id).update(check_state="running", attempts=1, heartbeat_at=timezone.now())
    snapshots.check_export(Export.objects.select_related("collection").get(id=export.id))
    export.refresh_from_db()
    return export


def test_an_export_that_can_be_restored_is_told_so() -> None:
    access = archives.make_full()
    soon = int(timezone.now().timestamp()) + 1
    archives.fill(access, "odd", [{"key": "expires soon", "__expires": soon}])
    export = tried(archives.export_now(access))
    assert (export.check_state, export.check_note) == (Export.Check.GOOD, "")
    assert not Collection.objects.filter(scratch_of=export.id).exists()


def forged(access: Access, **changes: Any) -> Export:
    """An export that is done and is not what it says."""
    archives.put(access, "d", "f", b"content")
    archives.fill(access, "notes", [{"key": "a"}])
    about = json.loads(zip_entry(archives.bytes_of(archives.export_now(access)), "manifest.json"))
    about |= changes
    entries = {"bases/notes.json": '[\n{"key": "a"}\n]\n', "drives/d/f": b"content", "manifest.json": json.dumps(about)}
    content = archives.make_zip(entries)
    export = exports.ask_for_export(collection_id=access.collection_id, asked_by=None)
    Export.objects.filter(id=export.id).update(
        state="running", attempts=1, heartbeat_at=timezone.now() + timedelta(hours=1)
    )
    export.refresh_from_db()
    with parts.PartWriter(
        lambda number: parts.archive_owner(access.collection_id, export.id, number),
        lambda number, stored: (files.take(stored), archives.put_part(export.id, number, stored))[1],
    ) as writer:
        writer.write(content)
        writer.finish()
    now = timezone.now()
    Lease(export, state="running").save(state="done", size_bytes=len(content), finished_at=now)
    export.refresh_from_db()
    return export


def test_an_export_of_a_killed_command_holds_back_the_sweeper_for_an_hour() -> None:
    access = archives.new_collection()
    kept, gone = (
        Export.objects.create(
            collection_id=access.collection_id,
            is_direct=True,
            state="running",
            heartbeat_at=timezone.now() - timedelta(minutes=age),
        )
        for age in (50, 70)
    )
    exports.forget_abandoned()
    assert [Export.objects.filter(id=each.id).exists() for each in (kept, gone)] == [True, False]
    kept.delete()
    assert exports.list_exports(access.collection_id) == []


def zip_entry(zipped: bytes, name: str) -> bytes:
    return zipfile.ZipFile(io.BytesIO(zipped)).read(name)


@pytest.mark.parametrize(
    "changes, note",
    [
        ({}, ""),
        (
            {"bases": [{"name": "notes", "entry": "bases/notes.json", "items": 2, "bytes": 1, "sha256": "0"}]},
            "Base notes differs",
        ),
        ({"bases": []}, "in only one of them"),
        ({"drives": [{"name": "d", "files": 0, "bytes": 0, "listing": []}]}, "'f' of the Drive d differs"),
        ({"format": "other"}, "no manifest"),
    ],
)
def test_an_export_that_is_not_what_it_says_is_told_so(changes: dict[str, Any], note: str) -> None:
    export = tried(forged(archives.new_collection(), **changes))
    assert export.check_state == (Export.Check.BAD if note else Export.Check.GOOD), export.check_note
    assert note in export.check_note


def test_a_scratch_collection_shows_nowhere_and_goes_when_its_trial_was_killed() -> None:
    owner = make_person(owns_server=True)
    export = archives.export_now(archives.new_collection())
    Export.objects.filter(id=export.id).update(check_state="running", heartbeat_at=timezone.now())
    scratch = collections.create_collection("Scratch")
    bases.ensure_base(collection_id=scratch.id, name="hidden-base")
    Collection.objects.filter(id=scratch.id).update(scratch_of=export.id)
    assert scratch.id not in [each.id for each in collections.list_collections()]
    assert usage.search_destinations(person=owner, text="hidden-base", limit=10) == []
    assert scratch.id not in [each.id for each in usage.list_holdings(person=owner, search="Scratch").collections]

    snapshots.clear_scratch()
    assert Collection.objects.filter(id=scratch.id).exists()
    Export.objects.filter(id=export.id).update(check_state="bad")
    snapshots.clear_scratch()
    assert not Collection.objects.filter(id=scratch.id).exists()
    assert [each for each in deletion.list_deletions(owner) if each.collection_id == scratch.id] == []


def test_a_schedule_asks_once_a_period_and_keeps_the_newest() -> None:
    access = archives.new_collection()
    where: dict[str, Any] = {"collection_id": access.collection_id}
    snapshots.set_schedule(every="day", keep=2, is_checked=False, set_by=None, **where)
    made = []
    for day in range(4):
        schedule = SnapshotSchedule.objects.get(collection_id=access.collection_id)
        assert day == 0 or schedule.next_at > timezone.now()
        SnapshotSchedule.objects.filter(collection_id=access.collection_id).update(
            next_at=timezone.now() - timedelta(days=3)
        )
        snapshots.take_due_snapshots()
        waiting = Export.objects.filter(is_snapshot=True, **where).exclude(state="done")
        assert waiting.count() == 1
        made.append(waiting.get().id)
        waiting.update(state="done", finished_at=timezone.now())
    snapshots.take_due_snapshots()
    kept = [export.id for export in exports.list_exports(access.collection_id)]
    assert kept == made[:1:-1]
    snapshots.set_schedule(every="", keep=2, is_checked=False, set_by=None, **where)
    assert snapshots.find_schedule(access.collection_id) is None


@pytest.mark.parametrize("every, keep", [("hour", 1), ("day", 0), ("day", 101)])
def test_a_schedule_that_cannot_be_is_refused(every: str, keep: int) -> None:
    access = archives.new_collection()
    with pytest.raises(InvalidInput):
        snapshots.set_schedule(collection_id=access.collection_id, every=every, keep=keep, is_checked=True, set_by=None)


def test_no_secret_is_in_an_export() -> None:
    access = archives.make_full()
    made = keys.create_key(collection_id=access.collection_id, name="canary-name")
    zipped = zipfile.ZipFile(io.BytesIO(archives.bytes_of(archives.export_now(access))))
    everything = b"".join(zipped.read(name) for name in zipped.namelist())
    for secret in (made.text.split("_")[1], made.data_key.digest.hex(), "canary-name"):
        assert secret.encode() not in everything


def test_of_many_asked_for_at_once_no_more_wait_than_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVES_WAITING_MAX", 3)
    access = archives.new_collection()

    def ask() -> Export:
        return exports.ask_for_export(collection_id=access.collection_id, asked_by=None)

    def begin() -> Import:
        return imports.start_import(collection_id=access.collection_id, file_name="a", size_bytes=1, asked_by=None)

    # Workers of the running server would begin with these at once.
    with transaction.atomic():
        Collection.objects.select_for_update().get(id=access.collection_id)
        for make, kind in ((ask, Export), (begin, Import)):
            for _ in range(3):
                make()
            with pytest.raises(InvalidInput):
                make()
            assert kind._default_manager.filter(collection_id=access.collection_id).count() == 3
        exports.ask_for_export(collection_id=access.collection_id, asked_by=None, is_snapshot=True)
        transaction.set_rollback(True)
    said = all_at_once([begin] * 8)
    assert [type(each) for each in said].count(Import) == 3
    imports_made = Import.objects.filter(collection_id=access.collection_id)
    assert imports_made.count() == 3
    imports_made.delete()
