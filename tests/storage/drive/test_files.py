"""Files, uploads and the sweeper on each S3, without HTTP (promises: P4, P5)."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from storage.collections import collections
from storage.drive import files, uploads
from storage.drive.files import Download
from storage.errors import BlobMissing, EngineUnreachable, FileNotFound, InvalidInput, UploadNotFound
from storage.models import Blob, Drive, File, Part, Upload
from storage.postgres.caller import Access
from storage.s3 import blobs
from tests.drives import PART, md5, noise
from tests.sweeping import sweep_now


class Content:
    """Bytes to store."""

    def __init__(self, content: bytes, content_type: str | None = None) -> None:
        self.content_type = content_type
        self._content = content

    def open(self) -> tuple[int, Iterator[bytes]]:
        step = 700_000
        return len(self._content), (self._content[at : at + step] for at in range(0, len(self._content), step))


class Place:
    """One Drive in a collection of its own."""

    def __init__(self) -> None:
        self.access = Access(collections.create_collection("Made by a test").id)
        self.drive = "files"

    def put(self, name: str, content: bytes) -> None:
        files.put_file(access=self.access, drive=self.drive, name=name, content=Content(content))

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        file = files.get_file(access=self.access, drive=self.drive, name=name)
        wanted = file.size_bytes - start if length is None else length
        return b"".join(Download(file, start=start, length=wanted))

    def upload(self, name: str, *parts: bytes) -> str:
        upload_id = uploads.start_upload(access=self.access, drive=self.drive, name=name, content_type=None)
        for number, content in enumerate(parts, start=1):
            self.part(upload_id, name, number, content)
        return upload_id

    def part(self, upload_id: str, name: str, number: int, content: bytes) -> None:
        uploads.put_part(
            access=self.access,
            drive=self.drive,
            upload_id=upload_id,
            name=name,
            number=number,
            content=Content(content),
        )

    def end(self, upload_id: str, name: str) -> None:
        uploads.end_upload(access=self.access, drive=self.drive, upload_id=upload_id, name=name)

    def delete(self, *names: str) -> None:
        files.delete_files(access=self.access, drive=self.drive, names_given=list(names))

    def names(self) -> list[str]:
        return files.list_files(access=self.access, drive=self.drive, limit=1000).names

    def blobs(self) -> set[UUID]:
        """All that this Drive's files refer to."""
        rows = File.objects.filter(
            drive_id__in=Drive.objects.filter(collection_id=self.access.collection_id).values("id")
        )
        return {blob for row in rows for blob in [*row.blob_ids, *([row.manifest_id] if row.manifest_id else [])]}


@pytest.fixture
def place(s3: str) -> Iterator[Place]:
    made = Place()
    yield made
    if names := made.names():
        made.delete(*names)
    Upload.objects.filter(collection_id=made.access.collection_id).update(touched_at=timezone.now() - timedelta(days=2))
    sweep_now()


def in_bucket(blob_ids: set[UUID]) -> set[UUID]:
    return {blob_id for blob_id in blob_ids if blobs.find_size(blob_id) is not None}


def test_a_files_life(place: Place) -> None:
    place.put("a//b", b"first")
    first = place.blobs()
    place.put("a//b", noise(1_500_000))
    second = place.blobs()

    assert place.read("a//b") == noise(1_500_000)
    assert place.read("a//b", 1_000_000, 10) == noise(1_500_000)[1_000_000:1_000_010]
    assert in_bucket(first | second) == first | second
    sweep_now()
    assert in_bucket(first | second) == second
    place.delete("a//b")
    sweep_now()
    assert in_bucket(first | second) == set()
    assert not Blob.objects.filter(id__in=first | second).exists()
    with pytest.raises(FileNotFound):
        place.read("a//b")


def test_an_uploads_life(place: Place) -> None:
    parts = [noise(PART, 1), noise(PART, 2), b"rest"]
    upload_id = place.upload("f", *parts)
    place.part(upload_id, "f", 2, noise(PART, 3))
    parts[1] = noise(PART, 3)
    place.end(upload_id, "f")

    assert md5(place.read("f")) == md5(b"".join(parts))
    assert place.read("f", PART - 2, PART + 4) == b"".join(parts)[PART - 2 : 2 * PART + 2]
    kept = place.blobs()
    assert len(kept) == 4  # three parts and the manifest
    sweep_now()
    assert in_bucket(kept) == kept
    assert md5(place.read("f")) == md5(b"".join(parts))
    place.put("f", b"small")
    sweep_now()
    assert in_bucket(kept) == set()


def test_an_aborted_upload_leaves_no_object(place: Place) -> None:
    upload_id = place.upload("f", b"one", b"two")
    parts = set(Part.objects.filter(upload_id=upload_id).values_list("blob_id", flat=True))
    assert in_bucket(parts) == parts

    uploads.abort_upload(access=place.access, drive=place.drive, upload_id=upload_id, name="f")
    sweep_now()

    assert in_bucket(parts) == set()


def test_a_sweep_keeps_the_parts_of_open_uploads(place: Place) -> None:
    upload_id = place.upload("f", b"one")
    sweep_now()

    place.end(upload_id, "f")
    assert place.read("f") == b"one"


def test_uploads_untouched_for_a_day_are_swept(place: Place) -> None:
    old, young, ended = place.upload("f", b"old"), place.upload("f", b"young"), place.upload("f", b"ended")
    place.end(ended, "f")
    a_day = timedelta(hours=24, minutes=1)
    Upload.objects.filter(id__in=[old, ended]).update(touched_at=timezone.now() - a_day)
    Upload.objects.filter(id=young).update(touched_at=timezone.now() - timedelta(hours=23, minutes=59))
    parts = set(Part.objects.filter(upload_id=old).values_list("blob_id", flat=True))

    sweep_now()

    assert set(Upload.objects.filter(id__in=[old, young, ended]).values_list("id", flat=True)) == {young}
    assert in_bucket(parts) == set()
    for gone in (old, ended):
        with pytest.raises(UploadNotFound):
            place.end(gone, "f")
    assert place.read("f") == b"ended"
    place.end(young, "f")
    assert place.read("f") == b"young"


def test_a_download_outlives_an_overwrite_and_a_deletion_but_not_the_sweep(place: Place) -> None:
    content = noise(3_000_000)
    place.put("f", content)
    file = files.get_file(access=place.access, drive=place.drive, name="f")
    place.put("f", b"other")
    place.delete("f")

    assert b"".join(Download(file, start=0, length=file.size_bytes)) == content
    sweep_now()
    with pytest.raises(BlobMissing):
        Download(file, start=0, length=file.size_bytes)


class Cut(Content):
    """Bytes that stop before their end."""

    def open(self) -> tuple[int, Iterator[bytes]]:
        length, chunks = super().open()

        def cut() -> Iterator[bytes]:
            yield next(chunks)
            raise InvalidInput("cut")

        return length, cut()


def test_a_file_that_is_cut_changes_nothing(place: Place) -> None:
    place.put("f", b"before")
    upload_id = place.upload("f", b"part")

    with pytest.raises(InvalidInput):
        files.put_file(access=place.access, drive=place.drive, name="f", content=Cut(noise(2_000_000)))
    with pytest.raises(InvalidInput):
        uploads.put_part(
            access=place.access,
            drive=place.drive,
            upload_id=upload_id,
            name="f",
            number=1,
            content=Cut(noise(2_000_000)),
        )

    assert place.read("f") == b"before"
    assert not Blob.objects.filter(state="pending").exists()
    place.end(upload_id, "f")
    assert place.read("f") == b"part"


def test_a_write_that_the_sweeper_gave_up_fails(place: Place) -> None:
    """A write so slow that its pending blob was taken for one that crashed must not be acknowledged."""

    class Slow(Content):
        def open(self) -> tuple[int, Iterator[bytes]]:
            sweep_now()
            return super().open()

    place.put("f", b"before")
    with pytest.raises(EngineUnreachable):
        files.put_file(access=place.access, drive=place.drive, name="f", content=Slow(b"after"))
    assert place.read("f") == b"before"
