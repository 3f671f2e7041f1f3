"""Zips that stream: read back by two programs, with names that unpack safely everywhere."""

import io
import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from console.drive.zips import MANIFEST
from storage import limits
from storage.drive import files
from storage.models import Drive, File
from storage.postgres.caller import Access
from storage.s3 import blobs
from tests.console.drive.visitor import Visitor, visiting
from tests.drives import noise
from tests.serving import Server
from tests.storage.rows import fill_drive
from tests.waiting import MOMENT_SECONDS


@pytest.fixture
def visitor(server: Server) -> Iterator[Visitor]:
    with visiting(server, "member") as (one,):
        yield one


def zipped(answer: httpx.Response) -> zipfile.ZipFile:
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    found = zipfile.ZipFile(io.BytesIO(answer.content))
    assert found.testzip() is None
    return found


def contents(found: zipfile.ZipFile) -> dict[str, bytes]:
    return {entry.filename: found.read(entry) for entry in found.infolist()}


def test_a_folder_as_a_zip(visitor: Visitor) -> None:
    large = noise(3_000_000)
    for name, content in (("in/a.txt", b"a"), ("in/deep/b.bin", large), ("in/empty", b""), ("out.txt", b"o")):
        visitor.put(name, content)
    answer = visitor.get("zip/?folder=in/")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="in.zip"'
    assert answer.headers["Content-Type"] == "application/zip"
    assert contents(zipped(answer)) == {"in/a.txt": b"a", "in/deep/b.bin": large, "in/empty": b""}
    whole = visitor.get("zip/?folder=")
    assert set(contents(zipped(whole))) == {"in/a.txt", "in/deep/b.bin", "in/empty", "out.txt"}
    head = visitor.http.head(f"{visitor.path}zip/?folder=in/")
    assert (head.headers["Content-Length"], head.content) == (answer.headers["Content-Length"], b"")


def test_a_selection_by_form(visitor: Visitor) -> None:
    for name in ("in/a", "in/b", "in/deep/c", "in/deep/d"):
        visitor.put(name, name.encode())
    form = {"csrfmiddlewaretoken": visitor.token, "chosen": json.dumps({"names": ["in/a"], "folders": ["in/deep/"]})}
    answer = visitor.http.post(f"{visitor.path}zip/", data=form)
    assert contents(zipped(answer)) == {"a": b"in/a", "deep/c": b"in/deep/c", "deep/d": b"in/deep/d"}
    for chosen in ("", "[]", "{", '{"names": 1}', "{}"):
        form["chosen"] = chosen
        assert visitor.http.post(f"{visitor.path}zip/", data=form).status_code == 400
    assert visitor.get("zip/").status_code == 400
    assert visitor.get("zip/?name=none").status_code == 404


def test_a_folder_that_nothing_is_in(visitor: Visitor) -> None:
    visitor.ask("folders/", name="in/empty/")
    assert zipped(visitor.get("zip/?folder=in/empty/")).namelist() == ["empty/"]
    visitor.put("in/empty", b"a file of the same name")
    visitor.put("in/other", b"x")
    both = zipped(visitor.get("zip/?folder=in/empty/&folder=in/other/&name=in/empty&name=in/other"))
    assert both.namelist() == [MANIFEST, "empty", "other", "empty (2)/"]
    nothing = visitor.get("zip/?folder=none/")
    assert nothing.status_code == 404
    assert "These files no longer exist" in nothing.text


def test_too_many_files_for_one_zip_are_told_on_a_page(visitor: Visitor) -> None:
    collection_id = visitor.path.split("/")[2]
    drive_id = Drive.objects.get(collection_id=collection_id).pk
    fill_drive(collection_id, "files", [f"many/{number}" for number in range(limits.ZIP_MAX_FILES + 1)])
    answer = visitor.get("zip/?folder=many/")
    assert answer.status_code == 400
    assert "too many for one zip" in answer.text
    File.objects.filter(drive_id=drive_id).delete()


ODD = [
    "/lead.txt",
    "//two.txt",
    "a//b.txt",
    "../up.txt",
    "a/../../b.txt",
    "..",
    ".",
    "C:\\windows\\x",
    "back\\slash",
    "con.txt",
    "AUX",
    "trail. ",
    'q?*<>|":.txt',
    "Case.txt",
    "case.TXT",
    "e\u0301.txt",
    "\u00e9.txt",
    "file",
    "file/inside",
    "\u202egnp.exe",
    "x" * 1000 + ".txt",
    "\u05d0\u05d1.txt",
    "100%&#'.txt",
    "safe.txt",
]


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_odd_names_unpack_safely(visitor: Visitor, tmp_path: Path) -> None:
    for number, name in enumerate(ODD):
        assert visitor.put(name, str(number).encode()).status_code == 201
    answer = visitor.get("zip/?folder=")
    found = contents(zipped(answer))
    originals = json.loads(found.pop(MANIFEST))
    assert {originals.get(entry, entry): content for entry, content in found.items()} == {
        name: str(number).encode() for number, name in enumerate(ODD)
    }
    assert "safe.txt" in found
    for entry in found:
        assert not entry.startswith("/")
        assert "\\" not in entry
        assert not {"..", ".", ""} & set(entry.split("/"))
    (tmp_path / "in.zip").write_bytes(answer.content)
    inside = tmp_path / "inside"
    done = subprocess.run(
        ["unzip", "-q", str(tmp_path / "in.zip"), "-d", str(inside)],
        capture_output=True,
        text=True,
        timeout=MOMENT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    unpacked = [path for path in inside.rglob("*") if path.is_file()]
    assert len(unpacked) == len(ODD) + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.zip", "inside"], "nothing left the folder"


def test_bytes_that_are_missing_never_make_a_zip(visitor: Visitor) -> None:
    visitor.put("in/a", noise(400_000))
    visitor.put("in/b", noise(400_000, 1))
    visitor.put("in/c", noise(400_000, 2))
    drive_id = Drive.objects.get(collection_id=visitor.path.split("/")[2]).pk
    blobs.delete(File.objects.get(drive_id=drive_id, name="in/b").blob_ids)
    with pytest.raises(httpx.RemoteProtocolError):
        visitor.get("zip/?folder=in/")
    files.delete_files(access=Access(visitor.path.split("/")[2]), drive="files", names_given=["in/b"])
