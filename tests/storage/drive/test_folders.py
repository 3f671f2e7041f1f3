"""Folders as the console shows them: they are the API's own, first and by pages (see `storage/drive/folders.py`)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import limits, sweeper
from storage.collections import collections
from storage.drive import drives, files, folders
from storage.drive.folders import Listing, Sort
from storage.errors import DriveNotFound, InvalidInput, NamesTaken
from storage.models import File, Folder
from storage.postgres.caller import Access
from tests.storage.rows import fill_drive

ODD_NAMES = [
    "/lead",
    "//lead",
    "a//b",
    "a/b",
    "a/",
    "a",
    "a-b/c",
    "a0/c",
    "../up",
    "a/../b",
    "a\\b/c",
    "100%/_x",
    "é/ü",
    "e\u0301/u",
    "\u05d0\u05d1/\u05d2",
    "a/\U0010ffff/z",
    "\U0010ffff",
    "'quoted\"/<b>",
]


class Shelf:
    """A Drive whose files are rows alone, in a transaction that is undone."""

    def __init__(self) -> None:
        self.access = Access(collections.create_collection("Made by a test").id)
        self.id = drives.ensure_drive(collection_id=self.access.collection_id, name="files")

    def fill(self, *names: str) -> None:
        fill_drive(self.access.collection_id, "files", names)

    def pages(self, folder: str = "", sort: Sort = Sort()) -> list[Listing]:  # noqa: B008 (frozen)
        found, last = [], ""
        while True:
            page = folders.list_folder(drive_id=self.id, folder=folder, sort=sort, last=last)
            found.append(page)
            if not page.last:
                return found
            assert page.last != last
            last = page.last

    def names(self, folder: str = "", sort: Sort = Sort()) -> list[str]:  # noqa: B008 (frozen)
        return [entry.name for page in self.pages(folder, sort) for entry in page.entries]

    def search(self, text: str, folder: str = "") -> list[str]:
        found, last = [], ""
        while True:
            page = folders.search(drive_id=self.id, folder=folder, text=text, last=last)
            found += [entry.name for entry in page.entries]
            if not page.last:
                return found
            last = page.last

    def list_by_api(self, folder: str) -> list[str]:
        found, last = [], ""
        while True:
            page = files.list_files(
                access=self.access, drive="files", limit=1000, prefix=folder, last=last, recursive=False
            )
            found += page.names
            if page.last is None:
                return found
            last = page.last


@pytest.fixture
def shelf(database: None) -> Iterator[Shelf]:
    with transaction.atomic():
        yield Shelf()
        transaction.set_rollback(True)


def by_bytes(names: list[str]) -> list[str]:
    return sorted(names, key=str.encode)


_segments = st.text(alphabet="aB0-.\u00e9\U0010ffff ", min_size=0, max_size=3)
_names = (
    st.lists(_segments, min_size=1, max_size=4)
    .map("/".join)
    .filter(lambda name: name.strip() and not name.endswith("/"))
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(names=st.sets(_names, max_size=25), rows=st.integers(1, 5), data=st.data())
def test_a_folder_holds_what_the_api_lists_folders_first(
    shelf: Shelf, names: set[str], rows: int, data: st.DataObject
) -> None:
    inner = sorted({name[: at + 1] for name in names for at, character in enumerate(name) if character == "/"})
    folder = data.draw(st.sampled_from(["", *inner]))
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(limits, "ROWS_PER_PAGE", rows)
        shelf.fill(*names)
        expected = shelf.list_by_api(folder)
        expected_folders = [name for name in expected if name.endswith("/")]
        expected_files = [name for name in expected if not name.endswith("/")]
        assert shelf.names(folder) == by_bytes(expected_folders) + by_bytes(expected_files)
        backwards = by_bytes(expected_folders)[::-1] + by_bytes(expected_files)[::-1]
        assert shelf.names(folder, Sort("name", descending=True)) == backwards
        assert all(0 < len(page.entries) <= rows for page in shelf.pages(folder)) or not expected
        transaction.set_rollback(True)


def test_odd_names_are_text(shelf: Shelf) -> None:
    names = [name for name in ODD_NAMES if not name.endswith("/")]
    shelf.fill(*names)
    reached: list[str] = []
    waiting = [""]
    while waiting:
        for name in shelf.names(waiting.pop()):
            (waiting if name.endswith("/") else reached).append(name)
    assert by_bytes(reached) == by_bytes(names)


@pytest.mark.parametrize(
    "name, folder, label",
    [
        ("a", "", "a"),
        ("a/b", "a/", "b"),
        ("a/b/", "a/", "b/"),
        ("a/", "", "a/"),
        ("a//", "a/", "/"),
        ("a//b", "a//", "b"),
        ("/x", "/", "x"),
        ("/", "", "/"),
    ],
)
def test_folder_and_label_of_a_name(name: str, folder: str, label: str) -> None:
    assert (folders.folder_of(name), folders.label_of(name)) == (folder, label)


def test_a_made_folder_stays_until_a_file_is_in_it(shelf: Shelf) -> None:
    folders.make_folder(access=shelf.access, drive_id=shelf.id, path="photos/2024/")
    assert shelf.names() == ["photos/"]
    assert shelf.names("photos/") == ["photos/2024/"]
    assert shelf.names("photos/2024/") == []
    assert shelf.names("photos/", Sort("name", descending=True)) == ["photos/2024/"]
    sweeper.sweep_files()
    assert Folder.objects.filter(drive_id=shelf.id).exists()
    shelf.fill("photos/2024/deep/a.jpg")
    sweeper.sweep_files()
    assert not Folder.objects.filter(drive_id=shelf.id).exists()
    assert shelf.names("photos/") == ["photos/2024/"]


@pytest.mark.parametrize("path", ["a/", "a/b/", "made/"])
def test_a_folder_that_is_there_cannot_be_made(shelf: Shelf, path: str) -> None:
    shelf.fill("a/b/c")
    folders.make_folder(access=shelf.access, drive_id=shelf.id, path="made/")
    with pytest.raises(NamesTaken):
        folders.make_folder(access=shelf.access, drive_id=shelf.id, path=path)


@pytest.mark.parametrize("path", ["", "/", "a", "a//", "  /", "a\x00/", "\ud800/", "x" * 1023 + "/"])
def test_bad_folders_are_refused(shelf: Shelf, path: str) -> None:
    with pytest.raises(InvalidInput):
        folders.make_folder(access=shelf.access, drive_id=shelf.id, path=path)
    assert not Folder.objects.filter(drive_id=shelf.id).exists()


def test_sorting_by_each_column(shelf: Shelf) -> None:
    shelf.fill("b.txt", "a.png", "c.gif", "folder/x", "folder/y")
    now = timezone.now()
    for name, size, content_type, age in (
        ("b.txt", 3, "text/plain", 1),
        ("a.png", 1, "image/png", 3),
        ("c.gif", 2, "image/gif", 2),
    ):
        changed = now - timedelta(hours=age)
        File.objects.filter(drive_id=shelf.id, name=name).update(
            size_bytes=size, content_type=content_type, changed_at=changed
        )
    for text, expected in {
        "name": ["a.png", "b.txt", "c.gif"],
        "-name": ["c.gif", "b.txt", "a.png"],
        "size": ["a.png", "c.gif", "b.txt"],
        "-size": ["b.txt", "c.gif", "a.png"],
        "type": ["c.gif", "a.png", "b.txt"],
        "-type": ["b.txt", "a.png", "c.gif"],
        "modified": ["a.png", "c.gif", "b.txt"],
        "-modified": ["b.txt", "c.gif", "a.png"],
        "nonsense": ["a.png", "b.txt", "c.gif"],
    }.items():
        assert shelf.names("", folders.read_sort(text)) == ["folder/", *expected], text


def test_sorted_files_come_by_pages_too(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ROWS_PER_PAGE", 3)
    names = [f"f{number}" for number in range(8)]
    shelf.fill(*names, "d1/x", "d2/x", "d3/x")
    for number, name in enumerate(names):
        File.objects.filter(drive_id=shelf.id, name=name).update(size_bytes=(number * 5) % 8)
    by_size = sorted(names, key=lambda name: (int(name[1:]) * 5) % 8)
    assert shelf.names("", Sort("size")) == ["d1/", "d2/", "d3/", *by_size]


def test_a_folder_too_large_to_sort_says_so(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SORTED_FILES_MAX", 3)
    shelf.fill("c", "a", "b")
    assert folders.list_folder(drive_id=shelf.id, folder="", sort=Sort("size")).sort == Sort("size")
    shelf.fill("d")
    listing = folders.list_folder(drive_id=shelf.id, folder="", sort=Sort("size"))
    assert listing.sort == Sort("name")
    assert [entry.name for entry in listing.entries] == ["a", "b", "c", "d"]


def test_search_finds_names_below_the_folder(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.fill(
        "Photo.jpg", "photos/cat.jpg", "photos/deep/My PHOTO.png", "other/photographs/x", "photos/\u00c9t\u00e9.txt"
    )
    assert shelf.search("photo") == ["other/photographs/", "photos/", "Photo.jpg", "photos/deep/My PHOTO.png"]
    assert shelf.search("photo", "photos/") == ["photos/deep/My PHOTO.png"]
    assert shelf.search("e\u0301t\u00e9") == ["photos/\u00c9t\u00e9.txt"]
    assert shelf.search("%") == shelf.search("_") == []
    assert shelf.search("/") == []


def test_search_goes_on_where_it_stopped_looking(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.fill(*(f"{number:03}" for number in range(100)), "zz 001")
    monkeypatch.setattr(limits, "SEARCH_ROWS", 7)
    monkeypatch.setattr(limits, "ROWS_PER_PAGE", 2)
    assert shelf.search("01") == ["001", *(f"0{number}" for number in range(10, 20)), "zz 001"]


def test_neighbours_are_those_of_the_folder(shelf: Shelf) -> None:
    shelf.fill("a", "b/1", "b/2", "b/2/x", "b/3", "c")
    beside = folders.find_neighbours(drive_id=shelf.id, name="b/2")
    assert (beside.previous, beside.following) == ("b/1", "b/3")
    assert beside.created_at is not None
    edges = folders.find_neighbours(drive_id=shelf.id, name="a")
    assert (edges.previous, edges.following) == ("", "c")


def test_wrong_places_are_refused(shelf: Shelf) -> None:
    with pytest.raises(DriveNotFound):
        folders.find_drive(collection_id=shelf.access.collection_id, name="none")
    for folder, last in (("a", ""), ("a\x00/", ""), ("", "nonsense"), ("", "file:\x00")):
        with pytest.raises(InvalidInput):
            folders.list_folder(drive_id=shelf.id, folder=folder, sort=Sort(), last=last)
