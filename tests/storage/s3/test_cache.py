"""Copies of blobs on the disk (see `storage/s3/cache.py`), in folders of the tests' own."""

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from storage import limits
from storage.errors import EngineUnreachable
from storage.s3 import blobs, cache
from storage.s3.blobs import Owner
from storage.s3.cache import Copies
from tests.drives import noise
from tests.waiting import eventually

SIZE = 20_000
CONTENT = noise(SIZE)
OWNER = Owner("c" * 10, "drive", "name")
MB = 1_048_576


@pytest.fixture
def put(database: None) -> object:
    """Stores a blob, which goes with the test."""
    stored: list[uuid.UUID] = []

    def put_blob(content: bytes = CONTENT) -> uuid.UUID:
        stored.append(uuid.uuid4())
        blobs.put(stored[-1], length=len(content), chunks=[content], owner=OWNER)
        return stored[-1]

    yield put_blob
    blobs.delete(stored)


def read(copies: Copies, blob_id: uuid.UUID, *, start: int = 0, length: int = SIZE, size: int = SIZE) -> bytes | None:
    reading = copies.read(blob_id, start=start, length=length, size_bytes=size)
    return None if reading is None else b"".join(reading)


def make_copy(copies: Copies, blob_id: uuid.UUID, *, size: int = SIZE) -> bytes:
    found = eventually(lambda: read(copies, blob_id, length=size, size=size), what="there is no copy")
    assert found
    return found


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_second_time_a_copy_is_made(put: Callable[[], uuid.UUID], tmp_path: Path) -> None:
    copies, blob_id = Copies(tmp_path / "copies", max_bytes=MB), put()

    assert read(copies, blob_id) is None
    assert copies._wanted.empty()
    assert not files_in(tmp_path)

    assert make_copy(copies, blob_id) == CONTENT
    assert [path.read_bytes() for path in files_in(tmp_path)] == [CONTENT]
    assert read(copies, blob_id, start=10_000, length=100) == CONTENT[10_000:10_100]
    # Another process finds it without asking.
    assert read(Copies(tmp_path / "copies", max_bytes=MB), blob_id) == CONTENT


def test_a_copy_ended_early_is_closed(put: Callable[[], uuid.UUID], tmp_path: Path) -> None:
    copies, blob_id = Copies(tmp_path, max_bytes=MB), put()
    make_copy(copies, blob_id)
    reading = copies.read(blob_id, start=0, length=SIZE, size_bytes=SIZE)
    assert reading is not None
    reading.close()
    assert not [each for each in Path("/proc/self/fd").iterdir() if str(tmp_path) in str(each.resolve())]


@pytest.mark.parametrize("damage", ["cut", "old"])
def test_what_is_not_right_is_no_copy(put: Callable[[], uuid.UUID], tmp_path: Path, damage: str) -> None:
    copies, blob_id = Copies(tmp_path, max_bytes=MB), put()
    make_copy(copies, blob_id)
    (path,) = files_in(tmp_path)
    if damage == "cut":
        path.write_bytes(CONTENT[:-1])
    else:
        long_ago = time.time() - limits.COPY_KEPT_SECONDS - 1
        os.utime(path, (long_ago, long_ago))

    assert read(copies, blob_id) is None
    assert not files_in(tmp_path)
    assert make_copy(copies, blob_id) == CONTENT


def test_the_oldest_make_room(put: Callable[[], uuid.UUID], tmp_path: Path) -> None:
    copies = Copies(tmp_path, max_bytes=20 * SIZE)
    ids = [put() for _ in range(5)]
    for age, blob_id in enumerate(reversed(ids)):
        make_copy(copies, blob_id)
        made_at = time.time() - 100 * age
        os.utime(copies._place(blob_id), (made_at, made_at))
    left_over = tmp_path / "00" / "new-left-by-a-crash"
    left_over.parent.mkdir(exist_ok=True)
    left_over.write_bytes(CONTENT)
    os.utime(left_over, (0, 0))

    Copies(tmp_path, max_bytes=2 * SIZE).tidy()

    assert sorted(files_in(tmp_path)) == sorted(copies._place(blob_id) for blob_id in ids[-2:])


def test_making_copies_keeps_to_the_limit(put: Callable[[bytes], uuid.UUID], tmp_path: Path) -> None:
    copies, most = Copies(tmp_path, max_bytes=MB), MB // 16
    for _ in range(40):
        make_copy(copies, put(noise(most)), size=most)
    # It looks after each sixteenth that was made.
    assert sum(path.stat().st_size for path in files_in(tmp_path)) <= MB + 3 * most


def test_deleted_blobs_have_none(put: Callable[[], uuid.UUID], tmp_path: Path) -> None:
    copies, blob_id, other = Copies(tmp_path, max_bytes=MB), put(), put()
    make_copy(copies, blob_id)
    make_copy(copies, other)

    copies.forget([blob_id, uuid.uuid4()])

    assert files_in(tmp_path) == [copies._place(other)]


def test_a_blob_that_cannot_be_read_leaves_nothing(
    put: Callable[[], uuid.UUID], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copies, missing = Copies(tmp_path, max_bytes=MB), uuid.uuid4()
    for _ in range(2):
        assert read(copies, missing) is None

    assert make_copy(copies, put()) == CONTENT
    assert len(files_in(tmp_path)) == 1
    assert "could not be made" in caplog.text


def test_a_blob_too_large_for_the_limit_has_none(put: Callable[[bytes], uuid.UUID], tmp_path: Path) -> None:
    copies, small = Copies(tmp_path, max_bytes=16 * SIZE), put(CONTENT)
    large = put(noise(SIZE + 1))
    for _ in range(5):
        assert read(copies, large, length=SIZE + 1, size=SIZE + 1) is None

    assert make_copy(copies, small) == CONTENT
    assert files_in(tmp_path) == [copies._place(small)]


def test_what_was_asked_for_is_remembered_within_bounds(
    put: Callable[[], uuid.UUID], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_ASKED_MAX", 3)
    copies = Copies(tmp_path, max_bytes=MB)
    for _ in range(10):
        assert read(copies, uuid.uuid4()) is None
    assert len(copies._asked) == 3
    assert make_copy(copies, put()) == CONTENT


def test_a_copy_that_cannot_be_read_is_told_as_such(put: Callable[[], uuid.UUID], tmp_path: Path) -> None:
    copies, blob_id = Copies(tmp_path, max_bytes=MB), put()
    make_copy(copies, blob_id)
    reading = copies.read(blob_id, start=0, length=SIZE, size_bytes=SIZE)
    assert reading is not None
    copies._place(blob_id).write_bytes(CONTENT[:-1])  # cut after it was opened

    with pytest.raises(EngineUnreachable):
        b"".join(reading)


def test_without_room_there_are_none(put: Callable[[], uuid.UUID], tmp_path: Path, settings: Settings) -> None:
    settings.DISK_RESERVE_MB = 10**9
    copies, blob_id = Copies(tmp_path, max_bytes=MB), put()
    for _ in range(5):
        assert read(copies, blob_id) is None
        time.sleep(0.05)
    assert not files_in(tmp_path)


def test_switched_off_nothing_is_kept(put: Callable[[], uuid.UUID], tmp_path: Path) -> None:
    copies, blob_id = Copies(tmp_path, max_bytes=0), put()
    for _ in range(5):
        assert read(copies, blob_id) is None
    assert copies._thread is None
    copies.tidy()
    assert not files_in(tmp_path)


def test_each_process_that_makes_copies_tidies_those_of_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job that does it runs on one machine of several, and none of them hears of what another deletes."""
    monkeypatch.setattr(cache, "_TIDY_SECONDS", 0.05)
    copies = Copies(tmp_path, max_bytes=10**9)
    old = tmp_path / "ab" / uuid.uuid4().hex
    old.parent.mkdir()
    old.write_bytes(b"of a blob that was deleted elsewhere")
    os.utime(old, (0, 0))
    copies._start()
    eventually(lambda: not old.exists())
