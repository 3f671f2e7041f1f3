"""kill -9 of the job worker in the middle of an export or import: another goes on, nothing is doubled, no half is offered."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from storage import jobs
from storage.archive.exporting import exports
from storage.archive.importing import imports, plans
from storage.drive import files
from storage.errors import ArchiveNotFound
from storage.models import Export, Import
from storage.postgres.caller import Access
from storage.postgres.leases import Lease, Superseded
from tests import archives
from tests.failpoints import arm, disarm_all, is_armed
from tests.serving import Server
from tests.sweeping import swept_report
from tests.waiting import eventually

ITEMS, FILES = 1_200, 40


@pytest.fixture(autouse=True)
def unarmed(server: Server) -> Iterator[None]:
    """On the run's own server; after it nothing is left armed, and nothing more in the bucket that belongs to nothing.

    Other tests of the run lose blobs on purpose, so what was so before is not held against these.
    """
    before = loose_blobs()
    yield
    disarm_all()
    assert loose_blobs() <= before


def loose_blobs() -> set[object]:
    """The blobs that belong to nothing, and those that files miss."""
    report = swept_report()
    return {*report.orphaned, *report.unreferenced, *report.missing}


def make_data() -> Access:
    access = archives.new_collection()
    archives.fill(access, "notes", ({"key": f"{number:05}", "n": number} for number in range(ITEMS)))
    for number in range(FILES):
        archives.put(access, "files", f"{number:03}.txt", f"file {number}".encode())
    archives.put(access, "files", "large.bin", b"\x01" * 9_000_000)
    return access


def let_time_pass(row: Export | Import) -> None:
    """As if the worker had not been heard of for a while, so that the test need not wait that long."""
    type(row)._default_manager.filter(pk=row.pk).update(heartbeat_at=timezone.now() - timedelta(minutes=1))
    jobs.start(jobs.continue_archives)


def _slow(moment: str) -> Any:
    """Tried in the long run alone."""
    return pytest.param(moment, marks=pytest.mark.slow)


@pytest.mark.parametrize("moment", [_slow("blob-put"), _slow("export-before-commit"), _slow("export-before-done")])
def test_an_export_whose_worker_is_killed_is_made_again(moment: str) -> None:
    access = make_data()
    arm(moment)
    export = exports.ask_for_export(collection_id=access.collection_id, asked_by=None)
    jobs.start(jobs.continue_archives)
    eventually(lambda: not is_armed(moment))
    where: dict[str, Any] = {"collection_id": access.collection_id, "export_id": export.id}
    with pytest.raises(ArchiveNotFound):
        exports.open_export(**where)
    assert exports.find_export(**where).state == Export.State.RUNNING

    let_time_pass(export)

    eventually(lambda: exports.find_export(**where).state == Export.State.DONE)
    done = exports.find_export(**where)
    assert (done.attempts, done.items, done.files, done.reason) == (2, ITEMS, FILES + 1, "")
    zipped = zipfile.ZipFile(io.BytesIO(archives.bytes_of(done)))
    assert zipped.testzip() is None
    assert len(json.loads(zipped.read("bases/notes.json"))) == ITEMS


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["import-before-commit", "import-after-commit", "blob-put"])
def test_an_import_whose_worker_is_killed_goes_on(moment: str) -> None:
    zipped = archives.bytes_of(archives.export_now(make_data()))
    target = archives.new_collection()
    checked = archives.check_now(target, zipped)
    arm(moment)
    where: dict[str, Any] = {"collection_id": target.collection_id, "import_id": checked.id}
    imports.request_run(choices=[plans.Choice("merge")] * 2, **where)
    jobs.start(jobs.continue_archives)
    eventually(lambda: not is_armed(moment))
    assert imports.find_import(**where).state == Import.State.RUNNING

    let_time_pass(checked)

    eventually(lambda: imports.find_import(**where).state == Import.State.DONE)
    reports = plans.read_report(imports.find_import(**where).report)
    assert [(each.read, each.new, each.replaced, archives.adds_up(each)) for each in reports] == [
        (ITEMS, ITEMS, 0, True),
        (FILES + 1, FILES + 1, 0, True),
    ]
    assert len(archives.stored_items(target, "notes")) == ITEMS
    assert len(files.list_files(access=target, drive="files", limit=1000).names) == FILES + 1


@pytest.mark.slow
def test_a_killed_worker_is_noticed(server: Server) -> None:
    access = make_data()
    arm("export-before-commit")
    export = exports.ask_for_export(collection_id=access.collection_id, asked_by=None)
    jobs.start(jobs.continue_archives)
    eventually(lambda: not is_armed("export-before-commit"))
    where: dict[str, Any] = {"collection_id": access.collection_id, "export_id": export.id}
    eventually(lambda: exports.find_export(**where).attempts == 2)
    eventually(lambda: exports.find_export(**where).state == Export.State.DONE)


@pytest.mark.slow
def test_a_worker_that_dies_every_time_ends_in_a_failure_that_is_told(server: Server) -> None:
    access = make_data()
    export = exports.ask_for_export(collection_id=access.collection_id, asked_by=None)
    where: dict[str, Any] = {"collection_id": access.collection_id, "export_id": export.id}
    while exports.find_export(**where).state != Export.State.FAILED:
        arm("export-before-commit")
        let_time_pass(export)
        eventually(lambda: not is_armed("export-before-commit") or exports.find_export(**where).state == "failed")
    assert exports.find_export(**where).reason == "The server stopped during this export, 5 times."


def test_a_worker_that_was_only_slow_cannot_write_any_more() -> None:
    export = archives.export_now(archives.new_collection())
    Export.objects.filter(id=export.id).update(state=Export.State.RUNNING)
    slow = Lease(export, state=Export.State.RUNNING)
    exports.begin_attempt(export)
    with pytest.raises(Superseded):
        slow.save(size_bytes=1)
    Lease(export, state=Export.State.RUNNING).save(size_bytes=2)
    exports.delete_export(collection_id=export.collection_id, export_id=export.id)
