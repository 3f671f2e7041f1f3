"""The scrubber's rounds over a few blobs, and what a test does to the bytes of others."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from storage.models import Blob, Drive, File, ScrubRound
from storage.postgres import clock
from storage.postgres.database import run_one
from storage.s3 import blobs
from storage.s3.blobs import Owner
from storage.scrubbing import scrubber, sql
from storage.scrubbing.sql import KnownBlob
from tests.storage.drive.test_files import Place


def drive_id(place: Place) -> int:
    return Drive.objects.get(collection_id=place.access.collection_id, name=place.drive).pk


def blob_of(place: Place, name: str, number: int = 0) -> KnownBlob:
    file = File.objects.get(drive_id=drive_id(place), name=name)
    return run_one(sql.find_blob(file.blob_ids[number]))


def change(blob_id: UUID, content: bytes) -> None:
    """Put other bytes in the object's place, as somebody else would."""
    blobs.put(blob_id, length=len(content), chunks=[content], owner=Owner("", "", ""))


class Rounds:
    """The scrubber over a few blobs alone, with a clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, settings: Any, sizes: list[int]) -> None:
        self.blobs = [KnownBlob(UUID(int=number), size, None, None) for number, size in enumerate(sizes, start=1)]
        self.read: list[int] = []
        self.settings = settings
        settings.SCRUB_MB_PER_MINUTE = 10**6
        ScrubRound.objects.all().delete()
        monkeypatch.setattr(scrubber, "check", lambda blob: self.read.append(blob.id.int))
        monkeypatch.setattr(scrubber, "_pause", lambda *_: None)
        for blob in self.blobs:
            Blob.objects.create(id=blob.id, state="live", size_bytes=blob.size_bytes, changed_at=timezone.now())

    def turn(self, *, days: float) -> list[int]:
        """What a turn reads when the round began so many days ago, of our own blobs."""
        self.begin(days=days)
        before = len(self.read)
        scrubber.scrub()
        return [each for each in self.read[before:] if each <= len(self.blobs)]

    def begin(self, *, days: float) -> None:
        """Let the round have begun so many days ago."""
        run_one(sql.find_round())
        count, size = len(self.blobs), sum(blob.size_bytes for blob in self.blobs)
        ScrubRound.objects.update(
            started_at=clock.now() - timedelta(days=days), counted_at=clock.now(), all_blobs=count, all_bytes=size
        )
