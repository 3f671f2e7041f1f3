"""What a sync would do, and what it leaves alone."""

import hashlib
import os
from pathlib import Path

import pytest

from deta.cli.drives import hashes, local_files
from deta.cli.drives.plan import Plan, RemoteFile, plan_down, plan_up


def remote(name: str, content: bytes = b"x") -> RemoteFile:
    return RemoteFile(name, len(content), hashlib.md5(content).hexdigest(), ((len(content), 1),))


def told(plan: Plan) -> "tuple[list[str], list[str], list[str], int]":
    new = [step.name for step in plan.steps if step.is_new]
    changed = [step.name for step in plan.steps if not step.is_new]
    return new, changed, plan.deletions, plan.same


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a file that is the same there, one that differs, one of another length, and one that is not there."""
    (tmp_path / "in").mkdir()
    for name, content in {"same": b"x", "in/differs": b"y", "longer": b"xx", "in/only here": b"x"}.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


THERE = {name: remote(name) for name in ("same", "in/differs", "longer", "only there")}


def test_only_what_differs_goes_up(folder: Path) -> None:
    plan = plan_up(local_files.scan(folder), THERE, delete=False)
    assert told(plan) == (["in/only here"], ["in/differs", "longer"], [], 1)


def test_only_what_differs_comes_down(folder: Path) -> None:
    plan = plan_down(local_files.scan(folder), THERE, delete=False)
    assert told(plan) == (["only there"], ["in/differs", "longer"], [], 1)


def test_deletions_are_made_when_asked_for(folder: Path) -> None:
    here = local_files.scan(folder)
    assert plan_up(here, THERE, delete=True).deletions == ["only there"]
    assert plan_down(here, THERE, delete=True).deletions == ["in/only here"]


def test_what_is_left_out_here_is_not_deleted_there(folder: Path, tmp_path: Path) -> None:
    (folder / "link").symlink_to("/etc")
    (folder / "dangling").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    there = {name: remote(name) for name in ("link/passwd", "dangling", "pipe", "other")}
    plan = plan_up(local_files.scan(folder), there, delete=True)
    assert plan.deletions == ["other"]
    assert plan.skipped == {
        "link": "a symbolic link",
        "dangling": "a symbolic link",
        "pipe": "neither a file nor a folder",
    }
    assert not any(step.name.startswith("link") for step in plan.steps)


def test_names_that_no_drive_takes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a\nb").write_text("x")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("x")
    assert list(plan_up(local_files.scan(tmp_path), {}, delete=False).refused) == ["a\nb", os.fsdecode(b"\xff")]


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../x",
        "..",
        ".",
        "./a",
        "/lead",
        "a//b",
        "a/",
        "",
        "a\x00b",
        "x" * 256,
        "a/" + "x" * 256 + "/b",
        ".deta-part-x",
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str) -> None:
    assert local_files.why_unsafe(name, on_windows=False)


@pytest.mark.parametrize("name", ["a", "a/b", "...", "..a", "a\\b", "C:x", "ü/☂", " ", "-rf", "~", "$HOME", "con"])
def test_other_names_are_files(name: str) -> None:
    assert not local_files.why_unsafe(name, on_windows=False)


@pytest.mark.parametrize("name", ["a\\..\\b", "C:x", "con", "a/NUL.txt", "com1", "a.", "a ", "a?", "a|b", "b/c:d"])
def test_more_names_are_refused_on_windows(name: str) -> None:
    assert local_files.why_unsafe(name, on_windows=True)


def test_file_that_is_also_a_folder_is_refused(tmp_path: Path) -> None:
    there = {name: remote(name) for name in ("a", "a/b", "a/b/c", "d")}
    plan = plan_down(local_files.Folder(), there, delete=False)
    assert set(plan.refused) == {"a", "a/b"}
    assert [step.name for step in plan.steps] == ["a/b/c", "d"]


def test_names_that_a_disk_takes_for_one_are_refused() -> None:
    there = {name: remote(name) for name in ("A", "a", "u\u0308", "\u00fc", "b")}
    plan = plan_down(local_files.Folder(), there, delete=False, folds_names=True)
    assert plan.refused == {
        "a": "this disk takes it for “A”",
        "\u00fc": "this disk takes it for “u\u0308”",
    }
    assert not plan_down(local_files.Folder(), there, delete=False, folds_names=False).refused


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / "link").symlink_to(outside)
    with pytest.raises(OSError, match="symbolic link, which is not followed"):
        local_files.make_place(root, "link/x")
    with pytest.raises(OSError, match="symbolic link, which is not followed"):
        local_files.remove(root, "link/x")


def test_hash_is_that_of_the_parts(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"aaabbbc")
    digests = b"".join(hashlib.md5(part).digest() for part in (b"aaa", b"bbb", b"c"))
    expected = f"{hashlib.md5(digests).hexdigest()}-3"
    assert hashes.hash_file(file, [(3, 2), (1, 1)]) == expected
    assert hashes.hash_file(file, [(7, 1)]) == hashlib.md5(b"aaabbbc").hexdigest()
    assert hashes.hash_file(file, [(3, 2)]) == ""
    assert hashes.hash_file(file, [(3, 3)]) == ""


def test_empty_file_has_a_hash(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert hashes.hash_file(tmp_path / "empty", [(0, 1)]) == hashlib.md5(b"").hexdigest()
