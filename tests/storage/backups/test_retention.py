"""Which backups go, and what goes with them."""

from pathlib import Path

import zstandard

from storage.backups.targets import manifest as manifests
from storage.backups.targets import retention
from storage.backups.targets.catalogue import read_catalogue
from tests.storage.backups.targets import LINE, backup, day, segment, target

KEPT = "1" * 32
GONE = "2" * 32


def test_a_chain_goes_once_the_next_one_is_old_enough_to_bring_back_all_days() -> None:
    first = backup(0)
    second = backup(1, parent=first)
    third, fourth = backup(2), backup(4)
    made = [first, second, third, fourth]
    assert retention.too_old(made, keep_days=3, now=day(4.9)) == []
    # The third brings back what is three days ago, so the first two are of no use.
    assert retention.too_old(made, keep_days=3, now=day(5.1)) == [first, second]
    assert retention.too_old(made, keep_days=3, now=day(7.1)) == [first, second, third]
    assert retention.too_old(made, keep_days=1, now=day(1_000)) == [first, second, third]


def test_with_a_backup_go_its_files_its_log_and_the_blobs_that_no_other_has(tmp_path: Path) -> None:
    old, new = backup(0, segment=1), backup(5, segment=3)
    log = [segment(1, day(1)), segment(2, day(4)), segment(3, day(6)), segment(9, day(6), line="c" * 32)]
    place = target(tmp_path, new, log=log)
    written = manifests.Written(place)
    written.put(f"{manifests.BASES}{old.id}/base.tar.zst", [b"base"])
    manifests.write_manifest(place, manifests.complete(old, written.files, blobs=0, blob_bytes=0))
    lines = f"{KEPT} 1 {'0' * 64}\n".encode()
    place.put(f"{manifests.LISTS}{new.id}.zst", [zstandard.compress(lines)])
    for blob in (KEPT, GONE):
        place.put(f"{manifests.BLOBS}{blob[:2]}/{blob[2:4]}/{blob}", [b"x"])

    assert retention.prune(place, read_catalogue(place), keep_days=2, now=day(9)) == [old.id]
    left = {entry.name for entry in place.entries("")}
    assert not any(old.id in name for name in left)
    assert any(new.id in name for name in left)
    assert {name.rsplit("/", 1)[-1] for name in left if name.startswith("blobs/")} == {KEPT}
    known = read_catalogue(place)
    assert {each.name[-1] for each in known.segments if each.line == LINE} == {"3"}
    assert {each.line for each in known.segments} == {LINE, "c" * 32}


def test_what_an_interrupted_backup_left_goes_unless_it_is_of_another_life(tmp_path: Path) -> None:
    whole, half, other = backup(0), backup(1), backup(1, line="b" * 32)
    place = target(tmp_path, whole)
    for each in (whole, half, other):
        place.put(f"{manifests.BASES}{each.id}/base.tar.zst", [b"base"])
        place.put(f"{manifests.DATA}{each.id}.json", [b"{}"])
    retention.remove_unfinished(place, read_catalogue(place), line=LINE)
    left = {entry.name for entry in place.entries("") if entry.name.startswith(("postgres/", "data/"))}
    assert left == {
        name
        for each in (whole, other)
        for name in (f"{manifests.BASES}{each.id}/base.tar.zst", f"{manifests.DATA}{each.id}.json")
    }
