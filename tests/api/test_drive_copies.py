"""Files that are downloaded again and again come from this machine's disk (see `storage/s3/cache.py`)."""

import time
from pathlib import Path
from typing import Any

import pytest

from storage import limits
from storage.models import Drive, File
from tests.drives import PART, DriveClient, make_drive, md5, noise
from tests.sweeping import sweep_now
from tests.waiting import NOTHING_SECONDS, eventually

SIZE = 300_000
CONTENT, OTHER = noise(2 * SIZE)[:SIZE], noise(2 * SIZE)[SIZE:]


def copies_of(server: Any, drive: DriveClient, name: str) -> list[Path]:
    """Where the copies of a file's blobs are, or would be."""
    drive_id = Drive.objects.get(collection_id=drive.collection_id, name=drive.name).id
    file = File.objects.get(drive_id=drive_id, name=name)
    return [server.data / "copies" / blob_id.hex[:2] / blob_id.hex for blob_id in file.blob_ids]


def ask_until_copied(server: Any, drive: DriveClient, name: str, content: bytes) -> list[Path]:
    """Each process makes its own mind up, so it takes a few downloads."""
    places = copies_of(server, drive, name)

    def are_there() -> bool:
        assert drive.content(name) == content
        return all(place.exists() for place in places)

    eventually(are_there, what="there is no copy")
    return places


def test_a_file_asked_for_once_has_no_copy(server: Any, database: None, drive: DriveClient) -> None:
    drive.put("f", CONTENT)

    assert drive.content("f") == CONTENT

    time.sleep(NOTHING_SECONDS)
    assert not any(place.exists() for place in copies_of(server, drive, "f"))


@pytest.fixture
def copied(server: Any, database: None, drive: DriveClient) -> DriveClient:
    drive.put("f", CONTENT)
    drive.put("never asked for", CONTENT)
    ask_until_copied(server, drive, "f", CONTENT)
    return drive


def test_copies_serve_while_s3_does_not(copied: DriveClient, with_frozen_s3: None) -> None:
    whole = copied.get("f")
    assert (whole.status_code, whole.content, whole.headers["ETag"]) == (200, CONTENT, f'"{md5(CONTENT)}"')
    part = copied.get("f", headers={"Range": "bytes=100000-199999"})
    assert (part.status_code, part.content) == (206, CONTENT[100_000:200_000])
    assert copied.get("f", headers={"Range": "bytes=-1"}).content == CONTENT[-1:]
    assert copied.get("never asked for").status_code == 503


def test_a_name_means_its_new_bytes_at_once(copied: DriveClient) -> None:
    copied.put("f", OTHER)
    assert [copied.content("f") for _ in range(8)] == [OTHER] * 8

    copied.delete("f")
    assert [copied.content("f") for _ in range(8)] == [None] * 8


def test_other_keys_read_no_copy(copied: DriveClient, server: Any) -> None:
    assert copied.get("f", headers={"X-API-Key": make_drive(server).caller.key_text}).status_code == 401


def test_a_file_of_parts(server: Any, database: None, drive: DriveClient) -> None:
    content = noise(PART + SIZE)
    drive.end(drive.begin("f", content[:PART], content[PART:]), "f")

    places = ask_until_copied(server, drive, "f", content)

    assert [place.stat().st_size for place in places] == [PART, SIZE]
    across = drive.get("f", headers={"Range": f"bytes={PART - 10}-{PART + 9}"})
    assert across.content == content[PART - 10 : PART + 10]


def test_copies_go_with_their_blobs(server: Any, copied: DriveClient, monkeypatch: pytest.MonkeyPatch) -> None:
    places = copies_of(server, copied, "f")
    copied.delete("f")

    monkeypatch.setattr(limits, "GARBAGE_KEPT_SECONDS", -1)
    sweep_now()

    assert not any(place.exists() for place in places)
