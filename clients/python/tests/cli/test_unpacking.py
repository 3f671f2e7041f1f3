"""A zip into a folder: whole files, or none, and never outside of it."""

import io
import zipfile
from pathlib import Path

import pytest

from deta.cli.errors import CliError
from deta.cli.unpacking import unpack


def zip_of(*files: tuple[str, bytes], mode: int = 0o100644) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            about = zipfile.ZipInfo(name)
            about.external_attr = mode << 16
            archive.writestr(about, content)
    made.seek(0)
    return made


def tree(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_files_are_written_over_those_there_are_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("old")
    (tmp_path / "notes").write_text("mine")
    written = unpack(zip_of(("main.py", b"new"), ("lib/a.py", b"a")), tmp_path)
    assert written == ["lib/a.py", "main.py"]
    assert tree(tmp_path) == {"main.py": "new", "notes": "mine", "lib/a.py": "a"}


@pytest.mark.parametrize(
    "name",
    [
        "../out",
        "/out",
        "a/../../out",
        "a//b",
        "./a",
        "C:/out",
        "..\\out",
        ".deta/state.json",
        ".DETA/state.json",
        "link/out",
        "file/out",
        "folder",
    ],
)
def test_a_name_that_leads_elsewhere_writes_nothing_at_all(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "project"
    (folder / "folder").mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    (folder / "file").write_text("a file")
    with pytest.raises(CliError, match="Nothing was written"):
        unpack(zip_of(("main.py", b"new"), (name, b"out")), folder)
    assert tree(tmp_path) == {"project/file": "a file"}


def test_a_link_is_not_followed_nor_made(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cr3t")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "main.py").symlink_to(tmp_path / "secret")
    unpack(zip_of(("main.py", b"new")), folder)
    assert (tmp_path / "secret").read_text() == "s3cr3t"
    assert (folder / "main.py").read_text() == "new"
    with pytest.raises(CliError, match="it is a link"):
        unpack(zip_of(("made", b"/etc/passwd"), mode=0o120777), folder)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("files", [[("a", b""), ("a", b"")], [("a", b""), ("a/b", b"")]])
def test_names_in_each_others_way_write_nothing(tmp_path: Path, files: list[tuple[str, bytes]]) -> None:
    with pytest.raises(CliError, match="Nothing was written"):
        unpack(zip_of(*files), tmp_path)
    assert tree(tmp_path) == {}


def test_what_is_cut_off_or_damaged_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("old")
    whole = zip_of(("main.py", b"new" * 1000), ("other", b"x" * 1000)).getvalue()
    damaged = whole.replace(whole[40:44], b"\xff\xff\xff\xff", 1)
    for content in (b"", b"no zip", whole[:-30], damaged):
        with pytest.raises(CliError, match="no whole zip"):
            unpack(io.BytesIO(content), tmp_path)
    assert tree(tmp_path) == {"main.py": "old"}
    assert list((tmp_path / ".deta").iterdir()) == []
