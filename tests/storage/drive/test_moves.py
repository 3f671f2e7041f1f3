"""Renaming and moving: names change, bytes and blobs stay, and nobody's write is lost on the way."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from uuid import UUID

import pytest
from django.db import connection

from storage import limits
from storage.drive import drives, files, folders, free_names, moves
from storage.drive.folders import Sort
from storage.drive.moves import Chosen
from storage.errors import DriveNotFound, FileNotFound, InvalidInput, NamesTaken, StorageError
from storage.models import Blob, File, Folder
from tests.storage.drive.test_files import Content, Place
from tests.storage.rows import fill_drive
from tests.sweeping import swept_report


class Desk(Place):
    """A Drive to tidy, on the real S3."""

    def __init__(self) -> None:
        super().__init__()
        self.id = drives.ensure_drive(collection_id=self.access.collection_id, name=self.drive)

    def move(self, *paths: str, to: str, if_exists: str = "fail") -> int:
        chosen = moves.choose([p for p in paths if p[-1:] != "/"], [p for p in paths if p[-1:] == "/"])
        return moves.move(access=self.access, drive_id=self.id, chosen=chosen, to=to, if_exists=if_exists)  # type: ignore[arg-type]

    def rename(self, old: str, new: str, if_exists: str = "fail") -> int:
        return moves.rename(access=self.access, drive_id=self.id, old=old, new=new, if_exists=if_exists)  # type: ignore[arg-type]

    def content(self) -> dict[str, bytes]:
        return {name: self.read(name) for name in self.names()}

    def rows(self) -> dict[str, tuple[list[UUID], datetime, str]]:
        return {
            file.name: (file.blob_ids, file.changed_at, file.etag) for file in File.objects.filter(drive_id=self.id)
        }

    def folders(self, folder: str = "") -> list[str]:
        listing = folders.list_folder(drive_id=self.id, folder=folder, sort=Sort())
        return [entry.name for entry in listing.entries if entry.kind == "folder"]


@pytest.fixture
def desk(database: None) -> Iterator[Desk]:
    made = Desk()
    yield made
    if names := made.names():
        made.delete(*names)
    Folder.objects.filter(drive_id=made.id).delete()


def test_a_file_keeps_everything_but_its_name(desk: Desk) -> None:
    desk.put("a.txt", b"content")
    before = desk.rows()["a.txt"]
    assert desk.rename("a.txt", "b/c.txt") == 1
    assert desk.rows() == {"b/c.txt": before}
    assert desk.read("b/c.txt") == b"content"


def test_a_folder_takes_all_that_is_in_it_along(desk: Desk) -> None:
    for name in ("old/a", "old/deep/b", "old//c", "older/d", "old"):
        desk.put(name, name.encode())
    folders.make_folder(access=desk.access, drive_id=desk.id, path="old/empty/in/")
    assert desk.rename("old/", "new/") == 3
    assert desk.content() == {
        "new/a": b"old/a",
        "new/deep/b": b"old/deep/b",
        "new//c": b"old//c",
        "older/d": b"older/d",
        "old": b"old",
    }
    assert "new/empty/" in desk.folders("new/")
    assert "old/" not in desk.folders()


@pytest.mark.parametrize(
    "names, old, new, expected",
    [
        # Old and new names overlap: every way through a name that another file has yet.
        (["a/a/x", "a/x"], "a/a/", "a/", None),
        (["a/b/b/x", "a/b/x"], "a/b/", "a/", {"a/b/x": b"a/b/b/x", "a/x": b"a/b/x"}),
        (["a/1", "b/1"], "a/", "c/", {"c/1": b"a/1", "b/1": b"b/1"}),
    ],
)
def test_overlapping_names(desk: Desk, names: list[str], old: str, new: str, expected: dict[str, bytes] | None) -> None:
    for name in names:
        desk.put(name, name.encode())
    if expected is None:
        with pytest.raises(NamesTaken):
            desk.rename(old, new)
        assert desk.content() == {name: name.encode() for name in names}
    else:
        desk.rename(old, new)
        assert desk.content() == expected


def test_several_files_and_folders_move_together(desk: Desk) -> None:
    for name in ("a", "in/b", "in/c/d", "target/x"):
        desk.put(name, name.encode())
    assert desk.move("a", "in/b", "in/c/", to="target/") == 3
    assert sorted(desk.names()) == ["target/a", "target/b", "target/c/d", "target/x"]
    assert desk.folders() == ["in/", "target/"], "the folder that was emptied stays"


def test_moving_to_the_top_and_to_where_it_is(desk: Desk) -> None:
    desk.put("in/a", b"1")
    assert desk.move("in/a", to="in/") == 0
    assert desk.move("in/a", to="") == 1
    assert desk.names() == ["a"]


def test_taken_names_are_told_and_nothing_has_changed(desk: Desk) -> None:
    for name in ("in/a", "in/b", "a"):
        desk.put(name, name.encode())
    with pytest.raises(NamesTaken) as caught:
        desk.move("in/a", "in/b", to="")
    assert (caught.value.names, caught.value.count) == (["a"], 1)
    assert desk.content() == {"in/a": b"in/a", "in/b": b"in/b", "a": b"a"}


def test_replace_lets_go_of_what_was_there(desk: Desk) -> None:
    desk.put("in/a", b"new")
    desk.put("a", b"old")
    (old,) = desk.rows()["a"][0]
    assert desk.move("in/a", to="", if_exists="replace") == 1
    assert desk.content() == {"a": b"new"}
    assert Blob.objects.get(id=old).state == "garbage"


def test_keep_both_finds_names_apart(desk: Desk) -> None:
    for name in ("x/a.txt", "y/a.txt", "a.txt", "a (2).txt"):
        desk.put(name, name.encode())
    assert desk.move("x/a.txt", "y/a.txt", to="", if_exists="keep-both") == 2
    assert desk.content() == {
        "a.txt": b"a.txt",
        "a (2).txt": b"a (2).txt",
        "a (3).txt": b"x/a.txt",
        "a (4).txt": b"y/a.txt",
    }


def test_thousands_of_files_of_one_name_are_kept_apart(desk: Desk) -> None:
    fill_drive(desk.access.collection_id, desk.drive, [f"{number:04}/index.html" for number in range(3_000)])
    chosen = moves.choose([f"{number:04}/index.html" for number in range(3_000)], [])
    assert moves.move(access=desk.access, drive_id=desk.id, chosen=chosen, to="all/", if_exists="keep-both") == 3_000
    found = set(File.objects.filter(drive_id=desk.id).values_list("name", flat=True))
    assert found == {"all/index.html", *(f"all/index ({number}).html" for number in range(2, 3_001))}
    File.objects.filter(drive_id=desk.id).delete()


@pytest.mark.parametrize("if_exists", ["fail", "replace"])
def test_two_files_for_one_name_are_refused(desk: Desk, if_exists: str) -> None:
    desk.put("x/a", b"1")
    desk.put("y/a", b"2")
    with pytest.raises(InvalidInput):
        desk.move("x/a", "y/a", to="", if_exists=if_exists)
    assert desk.content() == {"x/a": b"1", "y/a": b"2"}


def test_what_cannot_be_done_changes_nothing(desk: Desk) -> None:
    desk.put("a/b/c", b"1")
    long_folder = "x" * 1021 + "/"
    for wrong in (
        lambda: desk.rename("a/", "a/b/d/"),
        lambda: desk.move("a/b/", to="a/b/"),
        lambda: desk.rename("a/b/c", "a/b/"),
        lambda: desk.rename("a/b/", "a/x"),
        lambda: desk.rename("a/b/c", "bad\x00name"),
        lambda: desk.rename("a/b/", "  /"),
        lambda: desk.move("a/b/", to=long_folder),
        lambda: desk.move("a/b/c", to="no-slash"),
    ):
        with pytest.raises(InvalidInput):
            wrong()
    for gone in (
        lambda: desk.rename("none", "x"),
        lambda: desk.rename("none/", "x/"),
        lambda: desk.move("none", to="a/"),
    ):
        with pytest.raises(FileNotFound):
            gone()
    assert desk.content() == {"a/b/c": b"1"}


def test_too_many_at_once_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOVE_MAX_FILES", 3)
    fill_drive(desk.access.collection_id, desk.drive, [f"many/{number}" for number in range(4)])
    with pytest.raises(InvalidInput, match="more than 3 files"):
        desk.rename("many/", "other/")
    assert len(desk.names()) == 4


def test_a_folder_of_ten_thousand_files_moves_in_one_transaction(desk: Desk) -> None:
    fill_drive(desk.access.collection_id, desk.drive, [f"many/{number:05}.txt" for number in range(10_000)])
    seen: set[tuple[int, int]] = set()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            listed = File.objects.filter(drive_id=desk.id).values_list("name", flat=True)
            names = list(listed)
            seen.add((sum(name.startswith("many/") for name in names), sum(name.startswith("new/") for name in names)))
        connection.close()

    watching = threading.Thread(target=look)
    watching.start()
    try:
        assert desk.rename("many/", "new/") == 10_000
    finally:
        done.set()
        watching.join()
    assert seen <= {(10_000, 0), (0, 10_000)}
    File.objects.filter(drive_id=desk.id).delete()


def test_a_write_to_a_name_that_moves_away_takes_no_blob_along(desk: Desk) -> None:
    """Writers overwrite `a/f` and `b/f` all the time while `a/` and `b/` change places; every blob must stay accounted for."""
    before = swept_report()
    stop = threading.Event()
    failures: list[BaseException] = []

    def write(name: str) -> None:
        number = 0
        try:
            while not stop.is_set():
                number += 1
                files.put_file(
                    access=desk.access, drive=desk.drive, name=name, content=Content(f"{name} {number}".encode())
                )
        except BaseException as error:
            failures.append(error)
        connection.close()

    writers = [threading.Thread(target=write, args=(name,)) for name in ("a/f", "b/f", "a/f", "b/f")]
    for writer in writers:
        writer.start()
    try:
        for _ in range(25):
            for old, new in (("a/", "c/"), ("b/", "a/"), ("c/", "b/")):
                with suppress(FileNotFound):
                    desk.rename(old, new, "replace")
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert failures == []
    for name, content in desk.content().items():
        assert content.split()[0] in (b"a/f", b"b/f"), name
    mine = desk.blobs()
    assert set(Blob.objects.filter(id__in=mine, state="live").values_list("id", flat=True)) == mine
    after = swept_report()
    assert set(after.missing) <= set(before.missing)
    assert set(after.unreferenced) <= set(before.unreferenced)


def test_the_drive_went_meanwhile(desk: Desk) -> None:
    with pytest.raises(DriveNotFound):
        moves.move(access=desk.access, drive_id=0, chosen=Chosen(["a"], []), to="b/")


@pytest.mark.parametrize(
    "names, chosen_folders, expected",
    [
        (["a/x", "b"], ["a/", "a/b/"], Chosen(["b"], ["a/"])),
        (["b", "b"], [], Chosen(["b"], [])),
        ([], ["b/", "a/"], Chosen([], ["a/", "b/"])),
        (["ab/x"], ["a/"], Chosen(["ab/x"], ["a/"])),
        ([], ["a/", "a-/", "a/b/"], Chosen([], ["a-/", "a/"])),
    ],
)
def test_nothing_is_chosen_twice(names: list[str], chosen_folders: list[str], expected: Chosen) -> None:
    assert moves.choose(names, chosen_folders) == expected


@pytest.mark.parametrize(
    "names, chosen_folders", [([], []), ([3], []), ([""], []), (["a\x00"], []), ([], ["a"]), ([], [None])]
)
def test_bad_choices_are_refused(names: list[object], chosen_folders: list[object]) -> None:
    with pytest.raises(InvalidInput):
        moves.choose(names, chosen_folders)


def test_counts_are_real(desk: Desk) -> None:
    for name in ("a/1", "a/b/2", "c", "ab"):
        desk.put(name, b"12345")
    held = moves.count_chosen(drive_id=desk.id, chosen=moves.choose(["c", "none"], ["a/"]))
    assert (held.files, held.size_bytes) == (3, 15)


@pytest.mark.parametrize(
    "name, following",
    [
        ("photo.jpg", ["photo (2).jpg", "photo (3).jpg"]),
        ("photo (2).jpg", ["photo (3).jpg", "photo (4).jpg"]),
        ("photo (1).jpg", ["photo (1) (2).jpg"]),
        ("a.tar.gz", ["a.tar (2).gz"]),
        (".profile", [".profile (2)"]),
        ("in/a.b/c", ["in/a.b/c (2)"]),
        ("..", [".. (2)"]),
        (" (2).jpg", [" (2).jpg (3)"]),
    ],
)
def test_names_in_line(name: str, following: list[str]) -> None:
    candidates = free_names.list_candidates(name)
    assert [next(candidates) for _ in following] == following


@pytest.mark.parametrize("name", ["x" * 1024, "ü" * 510 + ".txt", "d/" + "\U0001f600" * 255])
def test_a_long_name_stays_legal(name: str) -> None:
    candidate = next(free_names.list_candidates(name))
    assert len(candidate.encode()) <= limits.FILE_NAME_MAX_BYTES
    assert candidate != name
    assert "(2)" in candidate


def test_errors_are_named(desk: Desk) -> None:
    for error in (NamesTaken(["a"]), DriveNotFound()):
        assert isinstance(error, StorageError)
        assert error.messages
