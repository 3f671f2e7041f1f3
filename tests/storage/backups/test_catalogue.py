"""What a target says can be restored, and which backup is chosen for a moment."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from storage.backups.faults import BackupFault
from storage.backups.restoring.drills import Expected, find_missing
from storage.backups.targets import wal
from storage.backups.targets.catalogue import read_catalogue
from storage.backups.targets.places import FolderPlace
from tests.storage.backups.targets import SEGMENT_BYTES, backup, day, name, segment, target


def test_moments_can_be_restored_from_a_backup_to_the_end_of_its_log(tmp_path: Path) -> None:
    first = backup(0, segment=1)
    second = backup(1, parent=first, segment=2)
    log = [segment(1, day(0.9)), segment(2, day(1.2)), segment(3, day(1.5), size_bytes=100)]
    known = read_catalogue(target(tmp_path, first, second, log=log))
    assert [(span.first, span.last) for span in known.spans()] == [(first.consistent_at, day(1.5))]
    assert known.choose() == second
    assert known.choose(at=day(0.5)) == first
    assert known.choose(at=day(1.5)) == second
    assert known.choose(backup_id=first.id) == first
    assert known.chain(second) == [first, second]


@pytest.mark.parametrize("moment", [-1.0, 0.0, 1.6], ids=["before", "while-it-was-made", "behind"])
def test_other_moments_are_refused_with_what_there_is(tmp_path: Path, moment: float) -> None:
    known = read_catalogue(target(tmp_path, backup(0), log=[segment(1, day(1.5))]))
    with pytest.raises(
        BackupFault, match=r"can't be restored from here\. What can: 2030-01-01 12:01:00 UTC to 2030-01-03"
    ):
        known.choose(at=day(moment))


def test_a_gap_in_the_log_ends_what_can_be_restored_until_the_next_backup(tmp_path: Path) -> None:
    first, second = backup(0, segment=1), backup(2, segment=4)
    log = [segment(1, day(0.5)), segment(3, day(1.5)), segment(4, day(2.5))]
    known = read_catalogue(target(tmp_path, first, second, log=log))
    assert [(span.first, span.last) for span in known.spans()] == [
        (first.consistent_at, day(0.5)),
        (second.consistent_at, day(2.5)),
    ]
    with pytest.raises(BackupFault, match="can't be restored"):
        known.choose(at=day(1))


def test_the_log_of_another_life_of_the_database_is_not_its_own(tmp_path: Path) -> None:
    other = "b" * 32
    old, new = backup(0), backup(1, line=other)
    known = read_catalogue(target(tmp_path, old, new, log=[segment(1, day(3)), segment(1, day(2), line=other)]))
    assert known.span(old).last == day(3)
    assert known.span(new).last == day(2)


def test_what_builds_on_a_missing_backup_is_left_out(tmp_path: Path) -> None:
    first = backup(0)
    second = backup(1, parent=first)
    known = read_catalogue(target(tmp_path, second))
    assert known.restorable() == []
    with pytest.raises(BackupFault, match=f"builds on {first.id}, which is missing"):
        known.chain(second)
    with pytest.raises(BackupFault, match="There is no whole backup here"):
        known.choose()


def test_a_changed_manifest_is_named_and_is_no_backup(tmp_path: Path) -> None:
    made = backup(0)
    target(tmp_path, made, backup(1))
    (path,) = tmp_path.glob(f"manifests/{made.id}*")
    path.write_bytes(path.read_bytes().replace(b'"me"', b'"ne"'))
    known = read_catalogue(target(tmp_path))
    assert [each.began_at for each in known.backups] == [day(1)]
    assert path.name in known.damaged[0]


def test_a_backup_that_is_deleted_while_others_are_read_is_none(tmp_path: Path) -> None:
    """As one that is kept no longer is, while a page shows what there is."""
    old, new = backup(0), backup(1)

    class Deleting(FolderPlace):
        def read(self, name: str) -> bytes:
            if old.id in name:
                self.delete([name])
            return super().read(name)

    target(tmp_path, old, new)
    known = read_catalogue(Deleting(tmp_path))
    assert (known.backups, known.damaged) == ([new], [])


def test_a_folder_without_backups_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackupFault, match=r"has no backups of Homeport: homeport-backup\.json is missing"):
        read_catalogue(target(tmp_path / "a").__class__(tmp_path / "b"))


def test_segments_follow_each_other_as_postgresql_names_them() -> None:
    assert wal.following(name(1), SEGMENT_BYTES) == name(2)
    assert wal.following("0000000200000000000000FF", SEGMENT_BYTES) == "000000020000000100000000"
    assert segment(255, day(0)).has_position("0/FF000000")
    assert not segment(255, day(0)).has_position("1/0")


def test_of_a_segment_that_is_there_twice_the_longer_part_counts() -> None:
    short, long = segment(1, day(0), size_bytes=10), segment(1, day(0) + timedelta(seconds=1), size_bytes=20)
    assert wal.unbroken([long, short], first=name(1), segment_bytes=SEGMENT_BYTES) == [long]


def test_a_log_whose_end_or_middle_is_missing_is_told_whatever_another_server_has_there(tmp_path: Path) -> None:
    old, new = backup(0), backup(1, line="b" * 32)
    log = [segment(1, day(2)), segment(2, day(3)), segment(1, day(1.5), line="b" * 32)]
    place = target(tmp_path, old, new, log=log)

    def faults(until: float) -> list[str]:
        expected = Expected(ids=[old.id], line=old.line, kept_until=day(until), engine_user="")
        return find_missing(place, read_catalogue(place), expected)

    assert faults(3) == []
    assert "The end of the log" in faults(3.1)[0]
    place.delete([log[0].path])
    assert faults(3) == [f"The log in {place} has a gap: {name(1)} is missing."]


def test_a_backup_without_a_database_is_told_from_one_with_it(tmp_path: Path) -> None:
    full = backup(0)
    part = backup(1, parent=backup(0.5))
    files = msgspec.structs.replace(backup(2), has_database=False)
    known = read_catalogue(target(tmp_path, full, part, files))
    assert [known.is_whole(each) for each in (full, part, files)] == [True, False, True]
    assert known.find_without_database() == files
    assert known.find_without_database(full.id) is None
    assert known.find_without_database("another") is None
    assert read_catalogue(target(tmp_path / "b", files, backup(3))).find_without_database() is None
