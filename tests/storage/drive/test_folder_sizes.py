"""How much folders hold: all of a small one, and a bound for what is looked at in a large one."""

import uuid

import pytest
from django.db import transaction

from storage import limits
from storage.drive import drives, folder_sizes
from storage.drive.folder_sizes import FolderSize
from storage.errors import InvalidInput
from storage.models import File
from tests.people import make_cast
from tests.storage.rows import fill_drive

pytestmark = pytest.mark.usefixtures("database")


def test_counts_everything_below_and_nothing_beside() -> None:
    collection_id = make_cast().collection.id
    drive_id = drives.ensure_drive(collection_id=collection_id, name="files")
    other_id = drives.ensure_drive(collection_id=collection_id, name="other")
    fill_drive(collection_id, "files", ["a/1", "a/b/2", "a+/3", "a0", "a b/4", "top"])
    fill_drive(collection_id, "other", ["a/9"])
    File.objects.filter(drive_id=drive_id).update(size_bytes=10)
    File.objects.filter(drive_id=other_id).update(size_bytes=10**15)

    measured = folder_sizes.measure_folders(drive_id=drive_id, paths=["a/", "a/b/", "a+/", "none/"])

    assert measured == {
        "a/": FolderSize(2, 20, True),
        "a/b/": FolderSize(1, 10, True),
        "a+/": FolderSize(1, 10, True),
        "none/": FolderSize(0, 0, True),
    }


def test_a_large_folder_is_counted_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FOLDER_COUNTED_FILES", 10)
    collection_id = make_cast().collection.id
    drive_id = drives.ensure_drive(collection_id=collection_id, name="files")
    with transaction.atomic():
        fill_drive(collection_id, "files", [*(f"many/{number:04}" for number in range(12)), "few/1"])
        File.objects.filter(drive_id=drive_id).update(size_bytes=3)
    measured = folder_sizes.measure_folders(drive_id=drive_id, paths=["many/", "few/"])
    assert measured == {"many/": FolderSize(10, 30, False), "few/": FolderSize(1, 3, True)}


@pytest.mark.parametrize(
    "paths",
    [["no-slash"], [""], [7], [[]], [{}], ["a/", "a/"], ["\x00/"], [f"{uuid.UUID(int=at)}/" for at in range(101)]],
)
def test_refuses_what_is_no_page_of_folders(paths: list[object]) -> None:
    with pytest.raises(InvalidInput):
        folder_sizes.measure_folders(drive_id=0, paths=paths)
