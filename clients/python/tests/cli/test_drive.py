"""`deta drive`, against the real server."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest
from clients.python.tests.cli.shell import Shell, inside
from clients.python.tests.conftest import Place
from clients.python.tests.faulty import Fault, FaultyProxy
from tests.waiting import MOMENT_SECONDS

from deta import Deta
from deta.cli import place as places
from deta.cli.drives import moving as syncing
from deta.cli.drives import transfers
from deta.config import Options

PART = 10 * 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`here`, with some files in it."""
    here = tmp_path / "here"
    for name, content in {"a.txt": "a", "in/b.txt": "bb", "in/deep/ü ☂.txt": "", "in/c": "c"}.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(content)
    return here


@pytest.fixture
def faulty(shell: Shell, place: Place) -> Iterator[FaultyProxy]:
    """A way to the server on which things go wrong, for the shell."""
    with FaultyProxy(place.server.url) as proxy:
        shell.server_url = proxy.url
        yield proxy


def contents(folder: Path) -> "dict[str, bytes]":
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sent(proxy: FaultyProxy) -> "list[str]":
    """The requests that carry bytes of files."""
    return [line for line in proxy.seen if "/files?name=" in line or "/parts/" in line]


def test_folder_goes_up_and_down_and_a_second_time_nothing_moves(
    shell: Shell, folder: Path, tmp_path: Path, faulty: FaultyProxy
) -> None:
    assert shell.does("drive", "sync", str(folder), "photos:2024") == "Sent 4 files (4 bytes); 0 were the same\n"
    assert len(sent(faulty)) == 4
    faulty.seen.clear()
    assert shell.does("drive", "sync", str(folder), "photos:2024/") == "Sent 0 files (0 bytes); 4 were the same\n"
    assert sent(faulty) == []
    back = tmp_path / "back"
    assert shell.does("drive", "sync", "photos:2024", str(back)) == "Fetched 4 files (4 bytes); 0 were the same\n"
    assert contents(back) == contents(folder)
    assert shell.does("drive", "sync", "photos:2024", str(back)) == "Fetched 0 files (0 bytes); 4 were the same\n"


def test_only_what_differs_is_moved_and_deletions_are_made_when_asked_for(shell: Shell, folder: Path) -> None:
    shell.does("drive", "sync", str(folder), "photos:")
    (folder / "a.txt").write_text("A")
    (folder / "new").write_text("n")
    (folder / "in" / "c").unlink()
    planned = shell.does("drive", "sync", str(folder), "photos:", "--delete", "--dry-run")
    assert planned == "~ a.txt\n+ new\n- in/c\n"
    told = json.loads(shell.does("drive", "sync", str(folder), "photos:", "--delete", "--dry-run", "--json"))
    assert told == {"new": ["new"], "changed": ["a.txt"], "deleted": ["in/c"], "same": 2, "bytes": 2}
    refused = shell.fails("drive", "sync", str(folder), "photos:", "--delete")
    assert refused == "Delete 1 file at photos:? Nobody is here to ask: say --yes if so"
    assert shell.does("drive", "sync", str(folder), "photos:") == "Sent 2 files (2 bytes); 2 were the same\n"
    done = shell.does("drive", "sync", str(folder), "photos:", "--delete", "--yes")
    assert done == "Sent 0 files (0 bytes), deleted 1; 4 were the same\n"
    assert shell.does("drive", "ls", "photos", "-r") == "a.txt\nin/b.txt\nin/deep/ü ☂.txt\nnew\n"


def test_deletions_come_down_too_and_take_empty_folders_with_them(shell: Shell, folder: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    shell.does("drive", "sync", str(folder), "photos:")
    shell.does("drive", "sync", "photos:", str(back))
    shell.does("drive", "rm", "photos", "in/", "-r", "--yes")
    shell.does("drive", "sync", "photos:", str(back))
    assert len(contents(back)) == 4
    shell.does("drive", "sync", "photos:", str(back), "--delete", "-y")
    assert [path.name for path in back.iterdir()] == ["a.txt"]


def test_links_are_not_followed(shell: Shell, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "x").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    done = shell.run("drive", "sync", str(folder), "photos:")
    assert done.stdout == "Sent 4 files (4 bytes); 0 were the same\n"
    assert done.stderr == "“link” is left out: a symbolic link\n"


def test_names_that_lead_out_of_the_folder_are_refused(shell: Shell, tmp_path: Path) -> None:
    names = ["../out", "/lead", "a//b", "a/../../out", "fine/x", "file", "file/in"]
    for name in names:
        shell.does("drive", "put", "odd", "-", "--name", name, given=name)
    back = tmp_path / "in" / "back"
    done = shell.run("drive", "sync", "odd:", str(back))
    assert done.code == 1
    assert done.stderr.splitlines() == [
        "“../out” is left out: its name leads elsewhere",
        "“/lead” is left out: a folder in its name has no name",
        "“a/../../out” is left out: its name leads elsewhere",
        "“a//b” is left out: a folder in its name has no name",
        "“file” is left out: “file/in” needs a folder of that name",
        "Error: 5 files left out",
    ]
    assert contents(tmp_path / "in") == {"back/file/in": b"file/in", "back/fine/x": b"fine/x"}
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_through_a_link(shell: Shell, folder: Path, tmp_path: Path) -> None:
    shell.does("drive", "sync", str(folder), "photos:")
    outside, back = tmp_path / "outside", tmp_path / "back"
    outside.mkdir()
    back.mkdir()
    (back / "in").symlink_to(outside)
    done = shell.run("drive", "sync", "photos:", str(back))
    assert done.code == 1
    assert done.stderr.endswith("Error: 3 files failed\n")
    assert contents(outside) == {}


def test_large_file_goes_on_where_it_was_broken_off(
    shell: Shell, faulty: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another process, which knows nothing of the first: the parts that the server has are not sent again."""
    monkeypatch.setattr(places, "_OPTIONS", Options(timeout=MOMENT_SECONDS, retries=0))
    here = tmp_path / "here"
    here.mkdir()
    content = os.urandom(3 * PART + 5)
    (here / "large").write_bytes(content)
    shell.does("drive", "put", "large", "-", "--name", "other", given="x")
    before = len(faulty.seen)
    # The list of collections, of files, the Drive, the start of the upload and its first part pass.
    faulty.faults.extend([None] * 5 + [Fault("drop")] * 20)
    done = shell.run("drive", "sync", str(here), "large:")
    assert done.code == 1
    assert "Sent 0 of 1 file, then it stopped: run it again to go on" in done.stderr
    assert sum("/parts/" in line for line in faulty.seen[before:]) >= 1
    faulty.faults.clear()
    faulty.seen.clear()
    assert shell.does("drive", "sync", str(here), "large:") == "Sent 1 file (31.5 MB); 0 were the same\n"
    assert len(sent(faulty)) == 3
    faulty.seen.clear()
    assert shell.does("drive", "sync", str(here), "large:") == "Sent 0 files (0 bytes); 1 were the same\n"
    assert sent(faulty) == []
    back = tmp_path / "back"
    shell.does("drive", "get", "large", "large", "-o", str(back))
    assert hashlib.sha256(back.read_bytes()).digest() == hashlib.sha256(content).digest()


def test_part_that_changed_meanwhile_is_sent_again(shell: Shell, faulty: FaultyProxy, tmp_path: Path) -> None:
    here = tmp_path / "file"
    here.write_bytes(b"a" * PART + b"b")
    shell.does("drive", "put", "large", str(here))
    here.write_bytes(b"A" * PART + b"b")
    shell.does("drive", "put", "large", str(here))
    shell.does("drive", "get", "large", "file", "-o", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == here.read_bytes()


def test_download_goes_on_where_it_was_broken_off(
    shell: Shell, faulty: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "_OPTIONS", Options(timeout=MOMENT_SECONDS, retries=0))
    content = os.urandom(5_000_000)
    (tmp_path / "file").write_bytes(content)
    shell.does("drive", "put", "files", str(tmp_path / "file"))
    back = tmp_path / "back"
    back.mkdir()
    faulty.faults.extend([None, None, Fault("cut", size=3_000_000)] + [Fault("drop")] * 9)
    done = shell.run("drive", "sync", "files:", str(back))
    assert done.code == 1
    (part,) = back.iterdir()
    assert part.name.startswith(".deta-part-")
    so_far = part.stat().st_size
    assert 0 < so_far <= 3_000_000
    faulty.faults.clear()
    faulty.headers.clear()
    assert shell.does("drive", "sync", "files:", str(back)) == "Fetched 1 file (5.0 MB); 0 were the same\n"
    assert [headers["range"] for headers in faulty.headers if "range" in headers] == [f"bytes={so_far}-"]
    assert contents(back) == {"file": content}


def test_broken_connection_is_tried_again(shell: Shell, faulty: FaultyProxy, folder: Path) -> None:
    faulty.faults.extend([None] * 4 + [Fault("drop"), Fault("lose"), Fault("busy")])
    assert shell.does("drive", "sync", str(folder), "photos:") == "Sent 4 files (4 bytes); 0 were the same\n"


def test_one_file_that_cannot_be_read_holds_up_no_other(
    shell: Shell, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = transfers._open_source

    def open_it(path: Path) -> IO[bytes]:
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(transfers, "_open_source", open_it)
    done = shell.run("drive", "sync", str(folder), "photos:")
    assert (done.code, done.stdout) == (1, "Sent 3 files (3 bytes); 0 were the same\n")
    assert done.stderr == "“a.txt” failed: Permission denied\nError: 1 file failed\n"


def test_many_files_go_side_by_side(
    shell: Shell, tmp_path: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "many"
    here.mkdir()
    names = [f"{number:03}" for number in range(5 * syncing.PARALLEL_FILES)]
    for name in names:
        (here / name).write_text(name)
    shell.does("drive", "sync", str(here), "many:")
    monkeypatch.setenv("HOMEPORT_URL", place.server.url)
    with Deta(place.key) as deta:
        assert list(deta.Drive("many").list_all()) == names


def test_reader_fetches_and_does_not_store(shell: Shell, reader: Shell, folder: Path, tmp_path: Path) -> None:
    shell.does("drive", "sync", str(folder), "photos:")
    assert (
        reader.does("drive", "sync", "photos:", str(tmp_path / "back"))
        == "Fetched 4 files (4 bytes); 0 were the same\n"
    )
    (folder / "new").write_text("n")
    assert "Read-only" in reader.fails("drive", "sync", str(folder), "photos:")
    assert reader.fails("drive", "rm", "photos", "a.txt") == (
        "Your role in this collection does not allow that: it only reads"
    )


def test_files_are_listed(shell: Shell, folder: Path) -> None:
    shell.does("drive", "sync", str(folder), "photos:")
    assert shell.does("drive", "ls", "photos") == "a.txt\nin/\n"
    assert shell.does("drive", "ls", "photos", "in/") == "in/b.txt\nin/c\nin/deep/\n"
    (file,) = json.loads(shell.does("drive", "ls", "photos", "a", "--json"))
    assert file == {"name": "a.txt", "size": 1, "hash": hashlib.md5(b"a").hexdigest()}
    assert [drive["name"] for drive in json.loads(shell.does("drive", "ls", "--json"))] == ["photos"]


def test_files_go_through_pipes(shell: Shell, tmp_path: Path) -> None:
    shell.does("drive", "put", "piped", "-", "--name", "x", "--to", "in", given="hello")
    assert shell.does("drive", "get", "piped", "in/x", "-o", "-") == "hello"
    with inside(tmp_path):
        shell.does("drive", "get", "piped", "in/x")
    assert (tmp_path / "x").read_text() == "hello"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("get", "photos", "nope"), "Drive “photos” has no file “nope”"),
        (("get", "photos", "nope", "-o", "-"), "Drive “photos” has no file “nope”"),
        (("get", "nope", "x"), "No Drive in the collection “Made by a test” is called “nope”: it has “photos”"),
        (("ls", "nope"), "No Drive in the collection “Made by a test” is called “nope”: it has “photos”"),
        (("sync", "nope:", "back"), "No Drive in the collection “Made by a test” is called “nope”: it has “photos”"),
        (("sync", "nope", "photos:"), "nope cannot be read: No such file or directory"),
        (("put", "photos", "nope"), "nope is not there"),
        (("put", "photos", "."), ". is not a file"),
        (("put", "photos", "a", "--name", "b/"), "A file's name is not blank and does not end in `/`"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(
    shell: Shell, tmp_path: Path, arguments: "tuple[str, ...]", said: str
) -> None:
    shell.does("drive", "put", "photos", "-", "--name", "x", given="x")
    with inside(tmp_path):
        Path("a").write_text("a")
        assert shell.fails("drive", *arguments) == said


def test_sync_is_between_a_folder_and_a_drive(shell: Shell) -> None:
    for ends in (("a", "b"), ("a:", "b:")):
        done = shell.run("drive", "sync", *ends)
        assert done.code == 2
        assert "One end is a folder here" in done.stderr
