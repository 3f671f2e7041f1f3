"""`manage.py export` and `manage.py import`, as a shell does them."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from storage.archive import manifest
from storage.drive import files
from storage.models import Base, Export, Import
from tests import archives
from tests.commands import run_here
from tests.serving import ROOT, Server
from tests.waiting import MOMENT_SECONDS

pytestmark = pytest.mark.usefixtures("database")


def test_a_collection_goes_into_a_file_and_comes_out_of_it(server: Server, tmp_path: Path) -> None:
    access, target = archives.make_full(), archives.new_collection()
    path = tmp_path / "out.zip"
    exported = server.run("export", access.collection_id, str(path))
    assert exported.returncode == 0, exported.stderr
    assert list(tmp_path.iterdir()) == [path]

    imported = server.run("import", target.collection_id, str(path))

    assert imported.returncode == 0, imported.stderr
    assert "base odd -> odd: 53 read, 53 stored" in imported.stdout
    again = archives.manifest_of(archives.bytes_of(archives.export_now(target)))
    assert manifest.find_differences(archives.manifest_of(path.read_bytes()), again) == []
    kept = Import.objects.get(collection_id=target.collection_id)
    assert (kept.state, kept.is_direct, kept.is_kept) == ("done", True, False)
    assert not Export.objects.filter(collection_id=access.collection_id).exists()


@pytest.mark.slow
def test_standard_output_has_the_zip_and_nothing_else(server: Server, tmp_path: Path) -> None:
    access = archives.new_collection()
    archives.fill(access, "notes", [{"key": "a"}])
    command = [sys.executable, "manage.py", "export", access.collection_id, "-"]
    done = subprocess.run(command, cwd=ROOT, env=server.environment, capture_output=True, timeout=MOMENT_SECONDS)
    assert done.returncode == 0, done.stderr
    path = tmp_path / "piped.zip"
    path.write_bytes(done.stdout)
    assert zipfile.ZipFile(path).testzip() is None


def test_a_check_tells_and_stores_nothing(tmp_path: Path) -> None:
    access = archives.new_collection()
    path = tmp_path / "x.zip"
    path.write_bytes(archives.make_zip({"bases/notes.json": '[{"key": "a"}, {"key": ""}]', "drives/d/../x": b"x"}))
    checked = run_here("import", access.collection_id, str(path), "--check")
    assert checked.returncode != 0
    assert "base notes: 2 items, 1 faulty" in checked.stdout
    assert "bases/notes.json (byte 15): A key is empty" in checked.stdout
    assert "drives/d/../x: its name leads out" in checked.stdout
    assert "2 problems. Nothing was stored." in checked.stderr
    assert archives.stored_items(access, "notes") == {}
    assert not Import.objects.filter(collection_id=access.collection_id).exists()


def test_choices_are_made_by_name(tmp_path: Path) -> None:
    access = archives.new_collection()
    archives.fill(access, "b", [{"key": "old"}])
    path = tmp_path / "x.zip"
    entries = {f"bases/{name}.json": json.dumps([{"key": name}]) for name in "abc"} | {"drives/d/f": "f"}
    path.write_bytes(archives.make_zip(entries))
    options = ["--base", "a=skip", "--base", "b=replace", "--base", "c=rename:cc", "--drive", "d=rename:dd"]
    done = run_here("import", access.collection_id, str(path), *options)
    assert done.returncode == 0, done.stderr
    found = {name: list(archives.stored_items(access, name)) for name in ("a", "b", "c", "cc")}
    assert found == {"a": [], "b": ["b"], "c": [], "cc": ["c"]}
    assert files.list_files(access=access, drive="dd", limit=10).names == ["f"]


@pytest.mark.parametrize(
    "arguments, says",
    [
        (["nosuchcoll", "{file}"], "No collection has the id nosuchcoll"),
        (["{collection}", "/nowhere.zip"], "No such file"),
        (["{collection}", "{file}", "--base", "notes=burn"], "is not NAME=WAY"),
        (["{collection}", "{file}", "--base", "notes=rename"], "is not NAME=WAY"),
        (["{collection}", "{file}", "--base", "other=skip"], "There is no Base “other” in the archive"),
        (["{collection}", "{picture}"], "neither a zip nor JSON"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_import_says_what_is_wrong(tmp_path: Path, arguments: list[str], says: str) -> None:
    (tmp_path / "x.zip").write_bytes(archives.make_zip({"bases/notes.json": "[]"}))
    (tmp_path / "x.png").write_bytes(b"\x89PNG")
    known = {
        "collection": archives.new_collection().collection_id,
        "file": tmp_path / "x.zip",
        "picture": tmp_path / "x.png",
    }
    done = run_here("import", *(argument.format(**known) for argument in arguments))
    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_table_updates_and_says_what_it_was_taken_for(tmp_path: Path) -> None:
    access = archives.new_collection()
    archives.fill(access, "people", [{"key": "ada", "age": 36, "city": "London"}])
    path = tmp_path / "table.csv"
    path.write_bytes("mail;age;zip\nada;37;80331\nbob;7;10115\n".encode("utf-16"))
    options = ["--into", "people", "--key", "mail", "--type", "zip=text"]
    done = run_here("import", access.collection_id, str(path), *options)
    assert done.returncode == 0, done.stderr
    assert "CSV, semicolons between cells, UTF-16; 1 are there already, 1 are new" in done.stdout
    assert "zip: text (80331, 10115)" in done.stdout
    assert "base people -> people: 2 read, 2 stored (1 new, 1 updated, 0 unchanged)" in done.stdout
    assert archives.stored_items(access, "people") == {
        "ada": {"age": 37, "city": "London", "mail": "ada", "zip": "80331"},
        "bob": {"age": 7, "mail": "bob", "zip": "10115"},
    }
    unkeyed = run_here("import", access.collection_id, str(path), "--into", "people", "--check")
    assert "2 rows have no key and are added: --key COLUMN says which column it is" in unkeyed.stdout


def _encrypted() -> bytes:
    """A zip whose only entry says that it is encrypted."""
    zipped = bytearray(archives.make_zip({"bases/a.json": b"[]"}))
    zipped[zipped.index(b"PK\x03\x04") + 6] |= 1
    zipped[zipped.index(b"PK\x01\x02") + 8] |= 1
    return bytes(zipped)


@pytest.mark.parametrize(
    "name, content, says",
    [
        ("a.json", b"{ not json", "a.json cannot be read: byte "),
        ("b.csv", b"a,a\n1,2\n", "b.csv cannot be read: line 1: two columns are called"),
        ("c.png", b"\x89PNG", "neither a zip nor JSON"),
        ("d.json", b"", "1 to 1,099,511,627,776 bytes"),
        ("e.json", b'[{"key": "a"}, {"key"', "e.json cannot be read to its end: what stands before that was imported"),
        ("f.json", b"[{'key': 'a'}, 7]", "All of f.json is faulty. Nothing was stored."),
        ("g.csv", b"\n\n", "g.csv cannot be read: line 1: there is nothing here"),
        ("h.zip", _encrypted(), "Nothing in it can be read. Nothing was stored."),
    ],
    ids=["no JSON", "no table", "a picture", "nothing", "half of it", "Python", "empty lines", "all encrypted"],
)
def test_a_file_that_cannot_be_read_exits_with_1_and_makes_no_base(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    access = archives.new_collection()
    (tmp_path / name).write_bytes(content)
    done = run_here("import", access.collection_id, str(tmp_path / name))
    assert done.returncode != 0
    assert says in done.stderr
    assert Base.objects.filter(collection_id=access.collection_id).count() == (name == "e.json")


def test_an_export_of_nothing_leaves_no_file(tmp_path: Path) -> None:
    done = run_here("export", "nosuchcoll", str(tmp_path / "x.zip"))
    assert done.returncode != 0
    assert "No collection has the id nosuchcoll" in done.stderr
    assert list(tmp_path.iterdir()) == []
