"""Bytes that are damaged behind our back are found, named and healed (see `storage/scrubbing/`)."""

import hashlib
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings

from storage.backups import ownership, plans
from storage.backups.targets import blobs as backup_blobs
from storage.backups.targets import manifest as manifests
from storage.backups.targets.manifest import Mark
from storage.backups.targets.places import FolderPlace
from storage.drive import reconcile
from storage.models import BackupPlan, Blob, DamagedBlob, File, ScrubRound, Thumbnail
from storage.postgres import clock
from storage.postgres.database import run, run_one
from storage.s3 import blobs
from storage.s3.cache import copies
from storage.scrubbing import problems, scrubber, sql
from storage.scrubbing.sql import KnownBlob
from tests.drives import PART, noise
from tests.storage.drive.test_files import Place
from tests.storage.scrubbing.rounds import Rounds, blob_of, change, drive_id
from tests.sweeping import once_alone

CONTENT = noise(300_000)
pytestmark = pytest.mark.usefixtures("database")


def flip_on_disk(content: bytes) -> None:
    """Flip one bit of these bytes wherever SeaweedFS keeps them; it may still have those of files that are gone."""
    flipped = 0
    for path in Path(settings.DATA, "engines", "seaweedfs").rglob("*.dat"):
        data = path.read_bytes()
        with path.open("r+b") as file:
            for found in re.finditer(re.escape(content[:4_096]), data):
                file.seek(found.start() + 1_000)
                file.write(bytes([data[found.start() + 1_000] ^ 1]))
                flipped += 1
    assert flipped, "SeaweedFS keeps these bytes somewhere else"


def damages(place: Place) -> list[tuple[str, str, str]]:
    return [(each.kind, each.drive_name, each.name) for each in problems.list_damages(place.access.collection_id)]


def test_a_blob_knows_its_hash_from_the_beginning(place: Place) -> None:
    place.put("f", CONTENT)
    place.end(place.upload("parts", noise(PART), b"z"), "parts")
    assert blob_of(place, "f").sha256 == hashlib.sha256(CONTENT).digest()
    assert blob_of(place, "parts", 1).sha256 == hashlib.sha256(b"z").digest()
    manifest = File.objects.get(drive_id=drive_id(place), name="parts").manifest_id
    assert manifest
    assert Blob.objects.get(id=manifest).sha256


def test_one_that_is_older_learns_its_hash_when_its_md5_is_right(place: Place) -> None:
    place.put("f", CONTENT)
    Blob.objects.filter(id=blob_of(place, "f").id).update(sha256=None)
    assert scrubber.check(blob_of(place, "f"))
    assert blob_of(place, "f").sha256 == hashlib.sha256(CONTENT).digest()

    Blob.objects.filter(id=blob_of(place, "f").id).update(sha256=None)
    change(blob_of(place, "f").id, noise(len(CONTENT), 5))
    assert not scrubber.check(blob_of(place, "f"))
    assert blob_of(place, "f").sha256 is None
    assert damages(place) == [("changed", "files", "f")]


def _replaced(blob: KnownBlob) -> str:
    change(blob.id, noise(len(CONTENT), 7))
    return "changed"


def _cut(blob: KnownBlob) -> str:
    change(blob.id, CONTENT[:-1])
    return "changed"


def _removed(blob: KnownBlob) -> str:
    blobs.delete([blob.id])
    return "missing"


def _flipped(blob: KnownBlob) -> str:
    flip_on_disk(CONTENT)
    return "unreadable"


# The engine is started again for it.
FLIPPED = pytest.param(_flipped, marks=pytest.mark.slow)


@pytest.mark.parametrize("damage", [_replaced, _cut, _removed, FLIPPED])
def test_damage_is_found_and_named(place: Place, damage: Callable[[KnownBlob], str]) -> None:
    place.put("a “name”", CONTENT)
    blob = blob_of(place, "a “name”")
    assert scrubber.check(blob)
    kind = damage(blob)
    before = clock.now()
    assert not scrubber.check(blob)
    assert damages(place) == [(kind, "files", "a “name”")]
    (finding,) = problems.find_problems()
    assert (finding.key, finding.level) == ("damaged_files", "bad")
    assert f"“a “name”” in the Drive “files” of collection {place.access.collection_id}" in finding.title
    found_at = DamagedBlob.objects.get(blob_id=blob.id).found_at
    assert found_at >= before
    assert not scrubber.check(blob)
    assert DamagedBlob.objects.get(blob_id=blob.id).found_at == found_at, "since when it is, not when it was tried last"


def test_what_came_back_by_itself_is_no_problem_any_more(place: Place) -> None:
    place.put("f", CONTENT)
    blob = blob_of(place, "f")
    change(blob.id, CONTENT[::-1])
    assert not scrubber.check(blob)
    change(blob.id, CONTENT)
    assert scrubber.check(blob)
    assert problems.find_problems() == []
    assert DamagedBlob.objects.get(blob_id=blob.id).healed_from == "itself: it can be read again"


def test_a_damaged_file_that_is_deleted_is_forgotten(place: Place, settings: Any) -> None:
    settings.SCRUB_MB_PER_MINUTE = 10**6
    place.put("f", CONTENT)
    blob = blob_of(place, "f")
    blobs.delete([blob.id])
    assert not scrubber.check(blob)
    place.delete("f")
    assert problems.find_problems() == []
    assert scrubber.check(blob), "what is deleted is not looked for"
    run(sql.forget_damages(60))
    assert not DamagedBlob.objects.filter(blob_id=blob.id).exists()


@pytest.mark.parametrize("damage", [_replaced, _removed, FLIPPED])
def test_the_bytes_of_another_file_heal(place: Place, damage: Callable[[KnownBlob], str]) -> None:
    place.put("f", CONTENT)
    blob = blob_of(place, "f")
    damage(blob)
    place.put("twin", CONTENT)
    assert scrubber.check(blob)
    assert place.read("f") == CONTENT
    assert DamagedBlob.objects.get(blob_id=blob.id).healed_from == "another file with the same bytes"
    owner = blobs.find_owner(blob.id)
    assert owner
    assert blob_of(place, "f").id == blob.id
    assert problems.find_problems() == []


def test_a_copy_of_the_cache_heals_and_never_hides(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_max_bytes", 100_000_000)
    place.put("f", CONTENT)
    blob = blob_of(place, "f")
    copies._copy(blob.id, blob.size_bytes)
    blobs.delete([blob.id])
    assert scrubber.check(blob)
    assert blobs.find_hashes(blob.id, blob.size_bytes).sha256 == blob.sha256
    owner = blobs.find_owner(blob.id)
    assert owner
    assert (owner.collection_id, owner.drive, owner.name) == (place.access.collection_id, "files", "f")
    assert DamagedBlob.objects.get(blob_id=blob.id).healed_from == "a copy on this machine"


def test_a_damaged_copy_of_the_cache_heals_nothing_and_goes(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "_max_bytes", 100_000_000)
    place.put("f", CONTENT)
    blob = blob_of(place, "f")
    change(blob.id, CONTENT[::-1])
    copies._copy(blob.id, blob.size_bytes)
    assert not scrubber.check(blob)
    copy = copies.open_whole(blob.id)
    assert copy is None, "who downloads the file would get it"


def test_a_backup_heals(place: Place, settings: Any, tmp_path: Path) -> None:
    settings.BACKUP_PLAN = settings.BACKUP_PLAN | {"target": str(tmp_path)}
    target = FolderPlace(tmp_path)
    manifests.write_mark(target, Mark(format=1, instance_id=ownership.instance_id(), target_id="here"))
    place.put("f", CONTENT)
    blob = blob_of(place, "f")
    blobs.delete([blob.id])
    row = plans.read_row()
    before, row.target_id = row.target_id, "here"
    row.save(update_fields=["target_id"])
    try:
        assert not scrubber.check(blob), "it is not backed up yet"
        target.put(backup_blobs.path_of(blob.id), [CONTENT[::-1]])
        assert not scrubber.check(blob), "nor are these its bytes"
        target.put(backup_blobs.path_of(blob.id), [CONTENT])
        assert scrubber.check(blob)
    finally:
        BackupPlan.objects.update(target_id=before)
    assert place.read("f") == CONTENT
    assert DamagedBlob.objects.get(blob_id=blob.id).healed_from == "a backup"


def test_a_lost_manifest_is_written_again(place: Place) -> None:
    place.end(place.upload("parts", noise(PART), b"z"), "parts")
    file = File.objects.get(drive_id=drive_id(place), name="parts")
    manifest = run_one(sql.find_blob(file.manifest_id or uuid.uuid4()))
    blobs.delete([manifest.id])
    assert scrubber.check(manifest)
    assert blobs.read_manifest(manifest.id, manifest.size_bytes) == file.blob_ids
    assert manifest.id not in once_alone(reconcile.compare).missing


def test_a_damaged_thumbnail_is_made_anew(place: Place) -> None:
    place.put("f", CONTENT)
    place.put("thumb", b"small")
    thumb, blob = blob_of(place, "thumb"), blob_of(place, "f")
    Thumbnail.objects.create(
        blob_id=blob.id,
        blob_ids=[blob.id],
        blob_sizes=[5],
        state="made",
        size_bytes=5,
        attempts=0,
        thumb_id=thumb.id,
    )
    blobs.delete([thumb.id])
    assert scrubber.check(thumb)
    assert not Thumbnail.objects.filter(thumb_id=thumb.id).exists()
    assert problems.find_problems() == []


def test_blobs_are_read_evenly_over_four_weeks(rounds: Callable[[list[int]], Rounds]) -> None:
    made = rounds([1_000] * 28)
    assert made.turn(days=0.5) == [1]
    assert made.turn(days=0.9) == []
    made.turn(days=7)
    assert made.read in (list(range(1, 8)), list(range(1, 9)))
    made.turn(days=14)
    assert made.read in (list(range(1, 15)), list(range(1, 16)))


def test_a_round_that_is_over_time_goes_on_to_its_end(rounds: Callable[[list[int]], Rounds]) -> None:
    """Those that were counted are read by then, but more have come."""
    made = rounds([1_000] * 5)
    run_one(sql.find_round())
    ScrubRound.objects.update(position=UUID(int=3), blobs=5, size_bytes=5_000)
    assert made.turn(days=28) == [4, 5]
    assert ScrubRound.objects.get().last_ended_at


def test_a_minute_reads_no_more_than_its_bytes_and_one_that_is_larger_alone(
    rounds: Callable[[list[int]], Rounds],
) -> None:
    made = rounds([600_000, 600_000, 3_000_000, 10, 10])
    made.settings.SCRUB_MB_PER_MINUTE = 1
    assert [made.turn(days=40) for _ in range(3)] == [[1], [2], [3]]


def test_nothing_is_read_when_it_is_off(rounds: Callable[[list[int]], Rounds]) -> None:
    made = rounds([1_000])
    made.settings.SCRUB_MB_PER_MINUTE = 0
    assert made.turn(days=40) == []


def test_a_scrubber_that_was_overtaken_stops(
    rounds: Callable[[list[int]], Rounds], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = rounds([10] * 100)

    def overtaken(blob: KnownBlob) -> None:
        made.read.append(blob.id.int)
        ScrubRound.objects.update(position=UUID(int=900))

    monkeypatch.setattr(scrubber, "check", overtaken)
    assert len(made.turn(days=20)) == scrubber._STEP
    assert ScrubRound.objects.get().position == UUID(int=900)


def test_after_the_last_blob_the_next_round_begins(rounds: Callable[[list[int]], Rounds]) -> None:
    made = rounds([10])
    run_one(sql.find_round())
    ScrubRound.objects.update(position=UUID(int=2**128 - 1), blobs=3)
    made.turn(days=40)
    now = ScrubRound.objects.get()
    assert (now.position, now.blobs, now.last_ended_at is not None) == (None, 0, True)
