"""Where backups are kept: things are whole or not there, and a place says what is wrong with it."""

import itertools
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from storage.backups.faults import BackupFault, Missing
from storage.backups.targets.places import FolderPlace, S3Access, open_place

NOWHERE = S3Access("", "us-east-1", "", "")


def test_what_is_put_can_be_read_and_is_nobody_elses(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path / "made")
    done = place.put("a/b", [b"one", b"", b"two"])
    assert done == (6, sha256(b"onetwo").hexdigest())
    assert place.read("a/b") == b"onetwo"
    assert [(entry.name, entry.size_bytes) for entry in place.entries("")] == [("a/b", 6)]
    assert (tmp_path / "made/a/b").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
    place.delete(["a/b", "not/there"])
    assert list(place.entries("")) == []
    assert not (tmp_path / "made/a").exists()


def test_what_breaks_off_is_not_there(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path)

    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise KeyError

    with pytest.raises(KeyError):
        place.put("a", chunks())
    with pytest.raises(Missing, match="a is missing"):
        place.read("a")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd"])
def test_a_name_does_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BackupFault, match="no name of anything"):
        FolderPlace(tmp_path).put(name, [b"x"])


@pytest.mark.parametrize(
    "target, sentence",
    [
        ("", "Name a folder"),
        (" ", "Name a folder"),
        ("a\0b", "Name a folder"),
        ("s3:///prefix", r"write s3://bucket/prefix"),
        ("s3://bucket/prefix", "needs HOMEPORT_BACKUP_S3_ACCESS_KEY_ID"),
        ("ftp://host/folder", "neither a folder nor"),
    ],
    ids=["empty", "blank", "nul", "no-bucket", "no-credentials", "another-scheme"],
)
def test_what_is_no_place_is_refused(target: str, sentence: str) -> None:
    with pytest.raises(BackupFault, match=sentence):
        open_place(target, access=NOWHERE)


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupFault, match="can't be used for backups"):
        FolderPlace(tmp_path / "file").put("a", [b"x"])


def test_what_takes_the_place_of_another_while_they_are_listed_is_seen(tmp_path: Path) -> None:
    """As a longer part of the log does, again and again."""
    place, is_over = FolderPlace(tmp_path), threading.Event()
    place.put("a/0", [b""])

    def replace() -> None:
        for number in itertools.count(1):
            if is_over.is_set():
                return
            place.put(f"a/{number}", [b""])
            place.delete([f"a/{number - 1}"])

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        for _ in range(2_000):
            assert list(place.entries(""))
            place.tidy()
    finally:
        is_over.set()
        writer.join()
