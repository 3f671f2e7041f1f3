"""Which files of a folder are deployed: what stays out by default, what `.detaignore` says, and what leads out of the folder."""

import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from storage import limits

from deta.cli import ignoring, project_files
from deta.cli.errors import CliError
from deta.cli.project_files import BYTES_MAX, FILES_MAX, digest_of, find_files, pack

APP = {"main.py": "app = 1\n", "requirements.txt": "flask\n", "templates/page.html": "<p>"}


def lay_out(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def names(folder: Path) -> list[str]:
    return [each.name for each in find_files(folder, warn=pytest.fail)]


def test_what_nobody_wants_deployed_stays_out(tmp_path: Path) -> None:
    nothing = [
        ".env",
        ".git/config",
        ".deta/state.json",
        ".main.py.swp",
        "main.py~",
        "node_modules/express/index.js",
        "lib/node_modules/x.js",
        "__pycache__/main.cpython-311.pyc",
        "old.pyc",
        "venv/lib/site.py",
        "my-environment/pyvenv.cfg",
        "my-environment/lib/site.py",
        "Thumbs.db",
    ]
    lay_out(tmp_path, APP | dict.fromkeys(nothing, ""))
    assert names(tmp_path) == sorted(APP)


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ("", ["docs/a.md", "main.py", "notes.txt", "tests/test_a.py"]),
        ("\\.md$", ["main.py", "notes.txt", "tests/test_a.py"]),
        ("docs\ntests", ["main.py", "notes.txt"]),
        ("docs/", ["main.py", "notes.txt", "tests/test_a.py"]),
        ("# not a rule\n\n   ^notes   \n", ["docs/a.md", "main.py", "tests/test_a.py"]),
        # The last line that fits counts.
        (".*\n!main", ["main.py"]),
        ("!\\.env$", [".env", "docs/a.md", "main.py", "notes.txt", "tests/test_a.py"]),
        ("!\\.config/", [".config/a", "docs/a.md", "main.py", "notes.txt", "tests/test_a.py"]),
        ("!\\.env\n\\.env", ["docs/a.md", "main.py", "notes.txt", "tests/test_a.py"]),
    ],
)
def test_detaignore_leaves_out_and_takes_in(tmp_path: Path, lines: str, kept: list[str]) -> None:
    files = ("docs/a.md", "main.py", "notes.txt", "tests/test_a.py", ".env", ".config/a", ".deta/state.json")
    lay_out(tmp_path, dict.fromkeys(files, "x") | {".detaignore": lines})
    assert [name for name in names(tmp_path) if name != ".detaignore"] == kept


def test_nothing_takes_the_state_in(tmp_path: Path) -> None:
    lay_out(tmp_path, {"main.py": "", ".deta/state.json": "{}", ".detaignore": "!.*"})
    assert names(tmp_path) == [".detaignore", "main.py"]


def test_a_line_that_is_no_regular_expression_is_told_by_its_number(tmp_path: Path) -> None:
    lay_out(tmp_path, APP | {".detaignore": "fine\n*.md\n"})
    with pytest.raises(CliError, match=r"^\.detaignore, line 2: this is no regular expression: nothing to repeat"):
        names(tmp_path)


def test_an_expression_that_takes_for_ever_is_ended_and_told_by_its_number(tmp_path: Path) -> None:
    lay_out(tmp_path, {"main.py": "", f"{'a' * 60}b": "", ".detaignore": "fine\n(a+)+$\n"})
    with (
        pytest.raises(CliError, match=r"^\.detaignore: the expression on line 2 takes too long"),
        ignoring.Ignoring(tmp_path, seconds=1.0) as rules,
    ):
        rules.judge([("main.py", False), (f"{'a' * 60}b", False)])


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="links are for who may make them")
def test_links_count_as_what_they_lead_to_within_the_folder_alone(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cr3t")
    folder = lay_out(tmp_path / "project", APP)
    (folder / "same.py").symlink_to("main.py")
    (folder / "stolen").symlink_to(secret)
    (folder / "everything").symlink_to(tmp_path)
    (folder / "nowhere").symlink_to("gone")
    os.mkfifo(folder / "pipe")
    warned: list[str] = []
    found = find_files(folder, warn=warned.append)
    assert [each.name for each in found] == sorted([*APP, "same.py"])
    assert [text.split("'")[1] for text in warned] == ["everything", "nowhere", "stolen"]
    assert {each.path.read_text() for each in found if each.name == "same.py"} == {APP["main.py"]}


def test_a_digest_is_of_names_and_bytes_alone(tmp_path: Path) -> None:
    first, second = (find_files(lay_out(tmp_path / name, APP), warn=pytest.fail) for name in ("first", "second"))
    assert digest_of(first) == digest_of(second)
    (tmp_path / "second" / "main.py").write_text("app = 2\n")
    assert digest_of(first) != digest_of(second)


def test_a_zip_of_them_has_the_files_and_nothing_of_the_machine(tmp_path: Path) -> None:
    made = io.BytesIO()
    pack(find_files(lay_out(tmp_path, APP), warn=pytest.fail), made)
    with zipfile.ZipFile(made) as archive:
        assert {name: archive.read(name).decode() for name in archive.namelist()} == APP
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_more_than_the_server_takes_is_told_before_anything_is_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (FILES_MAX, BYTES_MAX) == (limits.MICRO_BUNDLE_MAX_FILES, limits.MICRO_BUNDLE_MAX_BYTES)
    lay_out(tmp_path, APP)
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", BYTES_MAX)
    with pytest.raises(CliError, match=r"than a Micro may have, 20,000 files and 250 MB: say in \.detaignore"):
        names(tmp_path)
    (tmp_path / ".detaignore").write_text("large")
    assert "large" not in names(tmp_path)
    monkeypatch.setattr(project_files, "FILES_MAX", 3)
    with pytest.raises(CliError, match="than a Micro may have"):
        names(tmp_path)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    files = find_files(lay_out(tmp_path, APP), warn=pytest.fail)
    (tmp_path / "main.py").unlink()
    with pytest.raises(CliError, match=r"^'main\.py' can't be read: No such file"):
        digest_of(files)
