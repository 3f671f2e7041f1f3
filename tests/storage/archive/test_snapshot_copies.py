"""Snapshots in a second place: whole, compared, as many as are kept; and what is told when the place is away or full."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import Settings

from storage import limits
from storage.archive.exporting import exports, snapshot_copies, snapshots
from storage.backups.targets.places import FolderPlace, Put
from storage.embedded import ports
from storage.models import Export, SnapshotCopy, SnapshotSchedule
from storage.postgres.caller import Access
from tests import archives
from tests.drives import noise
from tests.embedded.disks import mounted, needs_small_disk

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def access() -> Iterator[Access]:
    made = archives.new_collection()
    yield made
    SnapshotCopy.objects.filter(collection_id=made.collection_id).delete()


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    settings.SNAPSHOT_TARGET = str(tmp_path / "second")
    return tmp_path / "second"


def use_s3(settings: Settings, given: dict[str, str]) -> None:
    settings.SNAPSHOT_TARGET = f"s3://{given['S3_BUCKET']}/snapshots"
    settings.SNAPSHOT_S3 = {
        "endpoint_url": given["S3_ENDPOINT_URL"],
        "region": given["S3_REGION"],
        "access_key": given["S3_ACCESS_KEY_ID"],
        "secret_key": given["S3_SECRET_ACCESS_KEY"],
    }


def copy_now(export: Export) -> SnapshotCopy:
    """Its copy, as far as that went; the server's own worker takes none of it."""
    with transaction.atomic():
        snapshot_copies.want_copy(export)
        copy = take(export)
    snapshot_copies.make_copy(copy)
    copy.refresh_from_db()
    return copy


def take(export: Export) -> SnapshotCopy:
    SnapshotCopy.objects.filter(id=export.id).update(state="running", attempts=1, heartbeat_at=timezone.now())
    return SnapshotCopy.objects.get(id=export.id)


def problems(access: Access) -> list[str]:
    with transaction.atomic():
        SnapshotCopy.objects.exclude(collection_id=access.collection_id).filter(state="failed").delete()
        return [f"{finding.level}: {finding.title}" for finding in snapshot_copies.find_problems()]


@pytest.mark.parametrize("where", ["folder", "s3"])
def test_a_copy_is_the_snapshot_and_can_be_imported(
    access: Access, settings: Settings, tmp_path: Path, request: pytest.FixtureRequest, where: str
) -> None:
    if where == "s3":
        use_s3(settings, request.getfixturevalue("second_s3"))
    else:
        settings.SNAPSHOT_TARGET = str(tmp_path / "second")
    archives.fill(access, "notes", [{"key": "a", "n": 10**30}, {"key": "ä"}])
    archives.put(access, "files", "f", noise(100_000))
    export = archives.export_now(access)
    copy = copy_now(export)
    assert (copy.state, copy.note, copy.size_bytes) == ("done", "", export.size_bytes)
    assert copy.name.startswith(f"{access.collection_id}/{export.asked_at:%Y-%m-%dT%H}")
    content = b"".join(snapshot_copies._open_place().open(copy.name))
    assert content == archives.bytes_of(export)
    assert copy.sha256 == hashlib.sha256(content).hexdigest()

    exports.delete_export(collection_id=access.collection_id, export_id=export.id)
    restored = archives.new_collection()
    assert archives.import_now(restored, content).problems_total == 0
    assert archives.stored_items(restored, "notes") == archives.stored_items(access, "notes")
    assert problems(access) == []


def test_as_many_are_kept_as_the_collection_keeps(access: Access, folder: Path) -> None:
    snapshots.set_schedule(
        collection_id=access.collection_id, every="week", keep=2, is_checked=False, is_copied=False, set_by=None
    )
    made = [copy_now(archives.export_now(access)).name for _ in range(3)]
    kept = {path.relative_to(folder).as_posix() for path in folder.rglob("*.zip")}
    assert kept == set(made[1:])
    assert [copy.name for copy in snapshot_copies.list_copies(access.collection_id)] == made[:0:-1]


def test_a_schedule_asks_for_copies_where_there_is_a_second_place(access: Access, settings: Settings) -> None:
    for target, wanted in (("", 0), ("/somewhere", 1)):
        settings.SNAPSHOT_TARGET = target
        with transaction.atomic():
            snapshots.set_schedule(
                collection_id=access.collection_id, every="day", keep=2, is_checked=False, is_copied=True, set_by=None
            )
            SnapshotSchedule.objects.filter(collection_id=access.collection_id).update(next_at=timezone.now())
            snapshots.take_due_snapshots()
            assert SnapshotCopy.objects.filter(collection_id=access.collection_id).count() == wanted
            transaction.set_rollback(True)


def test_copies_without_a_place_are_told(access: Access, settings: Settings) -> None:
    settings.SNAPSHOT_TARGET = ""
    with transaction.atomic():
        snapshots.set_schedule(
            collection_id=access.collection_id, every="day", keep=2, is_checked=False, is_copied=True, set_by=None
        )
        assert problems(access) == [
            "warn: Snapshots are to be copied to a second place, but this server has none any more."
        ]
        transaction.set_rollback(True)


def test_a_copy_that_fails_is_told_and_tried_again(access: Access, folder: Path) -> None:
    folder.write_text("a file")
    export = archives.export_now(access)
    copy = copy_now(export)
    assert copy.state == "failed"
    assert str(folder) in copy.note
    (told,) = problems(access)
    assert told.startswith("bad: A snapshot of the collection “")
    assert copy.note in told

    folder.unlink()
    later = timezone.now() - timedelta(seconds=limits.SNAPSHOT_COPY_RETRY_SECONDS + 60)
    with transaction.atomic():
        assert snapshot_copies.claim_copy() is None, "at once it would fail again"
        SnapshotCopy.objects.filter(id=copy.id).update(heartbeat_at=later)
        again = snapshot_copies.claim_copy()
    assert again
    assert (again.id, len(problems(access))) == (copy.id, 1)
    snapshot_copies.make_copy(again)
    assert (folder / copy.name).read_bytes() == archives.bytes_of(export)
    assert problems(access) == []


def test_one_that_was_killed_is_taken_up_again(access: Access, folder: Path) -> None:
    export = archives.export_now(access)
    long_ago = timezone.now() - timedelta(seconds=limits.ARCHIVE_LEASE_SECONDS + 60)
    with transaction.atomic():
        snapshot_copies.want_copy(export)
        take(export)
        assert snapshot_copies.claim_copy() is None
        SnapshotCopy.objects.filter(id=export.id).update(heartbeat_at=long_ago)
        again = snapshot_copies.claim_copy()
    assert again
    assert (again.id, again.attempts) == (export.id, 2)


def test_a_copy_whose_snapshot_is_gone_is_forgotten(access: Access, folder: Path) -> None:
    export = archives.export_now(access)
    with transaction.atomic():
        snapshot_copies.want_copy(export)
        exports.delete_export(collection_id=access.collection_id, export_id=export.id)
        assert snapshot_copies.claim_copy() is None
    assert snapshot_copies.list_copies(access.collection_id) == []


def test_an_s3_that_is_away_is_told(access: Access, settings: Settings, second_s3: dict[str, str]) -> None:
    use_s3(settings, second_s3 | {"S3_ENDPOINT_URL": f"http://127.0.0.1:{ports.free_ports(1)[0]}"})
    copy = copy_now(archives.export_now(access))
    assert copy.state == "failed"
    assert "s3://homeport/snapshots" in copy.note


class _Forgetful(FolderPlace):
    """A disk that keeps other bytes than it was given."""

    def put(self, name: str, chunks: Iterable[bytes]) -> Put:
        done = super().put(name, chunks)
        path = self.folder / name
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        return done


def test_a_copy_with_other_bytes_is_none(access: Access, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_copies, "_open_place", lambda: _Forgetful(folder))
    copy = copy_now(archives.export_now(access))
    assert (copy.state, "other bytes" in copy.note) == ("failed", True)
    assert list(folder.rglob("*.zip")) == []


@needs_small_disk
def test_a_full_place_is_told_and_left_as_it_was(access: Access, folder: Path, settings: Any) -> None:
    archives.put(access, "files", "f", noise(3_000_000))
    export = archives.export_now(access)
    folder.mkdir()
    with mounted(folder, "size=1m"):
        copy = copy_now(export)
        assert (copy.state, "is full" in copy.note) == ("failed", True)
        assert [path for path in folder.rglob("*") if path.is_file()] == []
