"""Bucket and database compared, repaired, and the index rebuilt from the bucket (see `storage/drive/reconcile.py`)."""

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from storage.drive import files, rebuild, reconcile
from storage.errors import FileNotFound, InvalidInput
from storage.models import Blob, Collection, Drive, File, Part, Upload
from storage.s3 import blobs
from storage.s3.blobs import Owner
from tests.drives import PART, md5, noise
from tests.storage.drive.test_files import Place
from tests.sweeping import once_alone, sweep_now

# Another S3 answers alike (`tests/storage/s3/`); in the long run it is tried with all of this as well.
pytestmark = pytest.mark.parametrize("s3", ["seaweedfs", pytest.param("rclone", marks=pytest.mark.slow)], indirect=True)


@pytest.fixture
def place(s3: str) -> Iterator[Place]:
    """On an S3 without anything else that a report could speak of."""
    made = Place()
    yield made
    Upload.objects.filter(collection_id=made.access.collection_id).update(touched_at=timezone.now() - timedelta(days=2))
    sweep_now()
    once_alone(reconcile.repair)
    if Collection.objects.filter(id=made.access.collection_id).exists() and (names := made.names()):
        made.delete(*names)
    sweep_now()


def test_what_is_written_the_usual_way_is_clean(place: Place) -> None:
    place.put("a", b"x")
    place.put("a", b"y")
    place.end(place.upload("b", noise(PART), b"z"), "b")
    place.upload("open", b"x")

    report = once_alone(reconcile.compare)

    assert not {blob.id for blob in report.orphaned} & place.blobs()
    assert not set(report.missing) & place.blobs()
    assert not set(report.unreferenced) & place.blobs()
    assert [damaged for damaged in report.damaged if damaged.collection_id == place.access.collection_id] == []


def test_an_object_that_no_row_knows(place: Place) -> None:
    orphan = uuid.uuid4()
    blobs.put(orphan, length=3, chunks=[b"abc"], owner=Owner("c" * 10, "drive", "name"))

    assert (orphan, 3) in [(blob.id, blob.size_bytes) for blob in once_alone(reconcile.compare).orphaned]
    assert blobs.find_size(orphan) == 3
    once_alone(reconcile.repair)
    assert blobs.find_size(orphan) is None


def test_a_blob_that_nothing_refers_to(place: Place) -> None:
    loose = uuid.uuid4()
    blobs.put(loose, length=3, chunks=[b"abc"], owner=Owner("c" * 10, "drive", "name"))
    Blob.objects.create(id=loose, state="live", size_bytes=3, md5=md5(b"abc"), changed_at=timezone.now())

    assert loose in once_alone(reconcile.compare).unreferenced
    once_alone(reconcile.repair)
    assert Blob.objects.get(id=loose).state == "garbage"
    sweep_now()
    assert blobs.find_size(loose) is None


@pytest.mark.parametrize("damage", ["gone", "another size"])
def test_a_file_whose_bytes_are_gone(place: Place, damage: str) -> None:
    place.put("good", b"good")
    place.put("bad", b"bad")
    (blob_id,) = File.objects.get(
        drive_id=Drive.objects.get(collection_id=place.access.collection_id).pk, name="bad"
    ).blob_ids
    blobs.delete([blob_id])
    if damage != "gone":
        blobs.put(blob_id, length=1, chunks=[b"x"], owner=Owner("c" * 10, "drive", "name"))

    report = once_alone(reconcile.compare)
    mine = [place_.name for place_ in report.damaged if place_.collection_id == place.access.collection_id]
    assert (blob_id in report.missing, mine) == (True, ["bad"])
    once_alone(reconcile.repair)

    assert place.names() == ["good"]
    assert place.read("good") == b"good"
    with pytest.raises(FileNotFound):
        place.read("bad")
    assert blob_id not in once_alone(reconcile.compare).missing


def test_a_part_whose_bytes_are_gone(place: Place) -> None:
    upload_id = place.upload("f", b"part")
    blob_id = Part.objects.get(upload_id=upload_id).blob_id
    blobs.delete([blob_id])

    assert blob_id in once_alone(reconcile.compare).missing
    once_alone(reconcile.repair)
    assert blob_id not in once_alone(reconcile.compare).missing
    place.part(upload_id, "f", 1, b"again")
    place.end(upload_id, "f")
    assert place.read("f") == b"again"


def test_only_one_at_a_time(place: Place) -> None:
    results: list[Any] = []

    def compare() -> None:
        try:
            reconcile.compare()
        except InvalidInput as error:
            results.append(error)

    def hold() -> None:
        with reconcile.alone():
            other = threading.Thread(target=compare)
            other.start()
            other.join()

    once_alone(hold)
    assert len(results) == 1


def lose(place: Place) -> None:
    """Let the database forget the collection, as if an older backup had been brought back."""
    drives = Drive.objects.filter(collection_id=place.access.collection_id)
    uploads = Upload.objects.filter(collection_id=place.access.collection_id)
    parts = Part.objects.filter(upload_id__in=uploads.values("id"))
    Blob.objects.filter(id__in=[*place.blobs(), *parts.values_list("blob_id", flat=True)]).delete()
    parts.delete()
    uploads.delete()
    File.objects.filter(drive_id__in=drives.values("id")).delete()
    with transaction.atomic():
        # The server of the tests counts every Drive now and then; a figure that comes in between would hold on to its Drive.
        list(drives.select_for_update())
        Collection.objects.filter(id=place.access.collection_id).delete()


def test_the_index_is_rebuilt_from_the_bucket(place: Place) -> None:
    wanted = {
        'a//b é\\"': b"whole",
        "empty.txt": b"",
        "one": b"a single part",
        "many": noise(PART) + noise(PART, 2) + b"end",
    }
    place.put('a//b é\\"', wanted['a//b é\\"'])
    place.put("empty.txt", b"")
    place.end(place.upload("one", wanted["one"]), "one")
    place.end(place.upload("many", noise(PART), noise(PART, 2), b"end"), "many")
    open_id = place.upload("open", noise(PART), b"never ended")
    before = {name: described(place, name) for name in wanted}
    lose(place)
    assert open_id

    rebuilt = once_alone(rebuild.rebuild)

    assert {owner.name for owner in rebuilt.files if owner.collection_id == place.access.collection_id} == set(wanted)
    assert place.names() == sorted(wanted, key=str.encode)
    assert {name: place.read(name) for name in wanted} == wanted
    assert {name: described(place, name) for name in wanted} == before
    assert rebuilt.left_over >= 2
    assert not place.blobs() & {blob.id for blob in once_alone(reconcile.compare).orphaned}


def described(place: Place, name: str) -> tuple[Any, ...]:
    """What must be as it was."""
    file = files.get_file(access=place.access, drive=place.drive, name=name)
    return file.etag, file.size_bytes, file.content_type, file.blob_ids


def test_of_two_objects_for_a_name_the_newer_is_entered(place: Place) -> None:
    place.put("f", b"older")
    older = place.blobs()
    time.sleep(1.1)  # S3 tells the time in seconds
    place.put("f", b"newer")
    Blob.objects.filter(id__in=older).delete()
    lose(place)

    once_alone(rebuild.rebuild)

    assert place.read("f") == b"newer"


def test_what_the_index_has_is_left_as_it_is(place: Place) -> None:
    place.put("f", b"known")
    stranger = uuid.uuid4()
    owner = Owner(place.access.collection_id, place.drive, "f")
    blobs.put(stranger, length=3, chunks=[b"abc"], owner=owner)

    rebuilt = once_alone(rebuild.rebuild)

    assert owner not in rebuilt.files
    assert place.read("f") == b"known"
