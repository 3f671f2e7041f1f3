"""Tables and other programs' files into a collection: what is updated, what is kept, and what is told beforehand."""

import json
import sqlite3
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from storage.archive.importing import imports, plans
from storage.archive.importing.plans import Choice, Portion, PortionReport, Reading
from storage.base import items
from storage.drive import files
from storage.models import Base, Import
from storage.postgres.caller import Access
from tests import archives

pytestmark = pytest.mark.usefixtures("database")

PEOPLE = [
    {"key": "ada", "age": 36, "city": "London", "ok": True, "zip": "01067"},
    {"key": "bob", "age": 7, "city": "Rome", "tags": [1, 2]},
]
# As a spreadsheet writes it back: TRUE, and a new row; one cell differs.
TABLE = b"key,age,city,ok,zip\nada,36,Paris,TRUE,01067\nbob,7,Rome,,\ncy,5,Oslo,,\n"


@pytest.fixture
def access() -> Access:
    """A collection with the people in it."""
    made = archives.new_collection()
    archives.fill(made, "people", PEOPLE)
    return made


def check(access: Access, content: bytes, name: str = "people.csv", **readings: Reading) -> Import:
    sent = archives.send(access, content, name)
    sent.plan = imports.plan_to_check(readings=readings)
    sent.save(update_fields=["plan"])
    imports.work_on_import(sent)
    sent.refresh_from_db()
    return sent


def portion_of(checked: Import) -> Portion:
    return plans.read_plan(checked.plan).portions[0]


def report_of(done: Import) -> PortionReport:
    (report,) = plans.read_report(done.report)
    assert archives.adds_up(report)
    return report


def stored(access: Access) -> "dict[str, Any]":
    return archives.stored_items(access, "people")


def test_a_table_updates_the_attributes_that_it_has(access: Access) -> None:
    before = items.get_item(access=access, base="people", key="bob").revision
    checked = check(access, TABLE)
    assert plans.suggest_choice(portion_of(checked), exists=True) == Choice("update")
    assert (portion_of(checked).known, portion_of(checked).new, portion_of(checked).keyless) == (2, 1, 0)
    report = report_of(archives.run_now(checked))
    assert (report.new, report.replaced, report.unchanged) == (1, 1, 1)
    assert stored(access) == {
        "ada": {"age": 36, "city": "Paris", "ok": True, "zip": "01067"},
        "bob": {"age": 7, "city": "Rome", "tags": [1, 2]},
        "cy": {"age": 5, "city": "Oslo"},
    }
    assert items.get_item(access=access, base="people", key="bob").revision == before


@pytest.mark.parametrize(
    "do, ada, keys, counts",
    [
        ("merge", {"age": 36, "city": "Paris", "ok": True, "zip": "01067"}, ["ada", "bob", "cy"], (1, 2, 0)),
        ("add", {**PEOPLE[0]}, ["ada", "bob", "cy"], (1, 0, 2)),
        ("replace", {"age": 36, "city": "Paris", "ok": True, "zip": "01067"}, ["ada", "bob", "cy"], (1, 2, 0)),
    ],
)
def test_other_ways_are_choices(access: Access, do: Any, ada: Any, keys: "list[str]", counts: Any) -> None:
    report = report_of(archives.run_now(check(access, TABLE), people=Choice(do)))
    assert (report.new, report.replaced, report.skipped_total) == counts
    found = stored(access)
    assert list(found) == keys
    assert found["ada"] == {name: value for name, value in ada.items() if name != "key"}
    assert ("tags" in found["bob"]) == (do == "add")


def test_a_null_key_is_no_key_and_the_same_item_is_added_once(access: Access) -> None:
    lines = b'{"key": null, "n": 1}\n{"n": 2}\n'
    for added in (2, 0):
        checked = check(access, lines, "people.jsonl")
        assert (portion_of(checked).faults, portion_of(checked).keyless) == (0, 2)
        assert report_of(archives.run_now(checked)).new == added


def test_any_column_is_the_key_and_types_are_chosen(access: Access) -> None:
    table = b"email,zip,age\na@b.c,80331,1\n,1,2\n"
    usual = portion_of(check(access, table, "mail.csv"))
    assert (usual.keyless, usual.known) == (2, 0)
    wanted = Reading("email", {"zip": "text"})
    checked = check(access, table, "mail.csv", mail=wanted)
    assert [(column.name, column.type, column.samples) for column in portion_of(checked).columns] == [
        ("email", "text", ["a@b.c"]),
        ("zip", "text", ["80331", "1"]),
        ("age", "number", ["1", "2"]),
    ]
    archives.run_now(checked)
    assert archives.stored_items(access, "mail") == {"a@b.c": {"email": "a@b.c", "zip": "80331", "age": 1}}
    assert archives.problems_of(checked) == [("mail.csv", "line 3", "", "“email” is empty, so it cannot be the key")]


def test_types_of_the_base_decide(access: Access) -> None:
    checked = check(access, b"key,zip,age\ndan,80331,12E5\n")
    assert [(column.name, column.type, column.known) for column in portion_of(checked).columns] == [
        ("key", "text", None),
        ("zip", "text", "text"),
        ("age", "number", "number"),
    ]
    archives.run_now(checked)
    assert stored(access)["dan"] == {"zip": "80331", "age": 1_200_000}


def test_an_update_that_makes_an_item_too_large_is_listed(access: Access) -> None:
    archives.fill(access, "people", [{"key": "big", "t": "x" * 400_000}])
    done = archives.run_now(check(access, f"key,u\nbig,{'y' * 20_000}\ncy,1\n".encode()))
    assert [(spot, key, what[:25]) for _, spot, key, what in archives.problems_of(done)] == [
        ("line 2", "big", "An item is larger than 40")
    ]
    assert (report_of(done).new, report_of(done).skipped_total) == (1, 1)


def test_a_file_that_cannot_be_read_leaves_no_base() -> None:
    access = archives.new_collection()
    for content, name in ((b"{ not json", "a.json"), (b"a,a\n1,2\n", "b.csv"), (b'[{"key": 1}', "c.json")):
        archives.run_now(check(access, content, name), **{name[0]: Choice("merge")})
    assert list(Base.objects.filter(collection_id=access.collection_id)) == []


def test_junk_in_zips_is_skipped_and_names_are_read() -> None:
    access = archives.new_collection()
    zipped = archives.make_zip(
        {
            "my export/.DS_Store": b"x",
            "my export/bases/notes.json": b'[{"key": "a"}]',
            "my export/drives/d/gr\u00fc\u00df.txt": b"1",
            "my export/drives/d/Thumbs.db": b"x",
            "__MACOSX/my export/drives/d/._gr\u00fc\u00df.txt": b"x",
            ".DS_Store": b"x",
            "my export/drives/d/desktop.INI": b"x",
            "my export/drives/d/@eaDir/x": b"x",
            "my export/drives/d/Icon\r": b"",
        }
    )
    # Without the flag that says so, in the directory and in the entries.
    unflagged = zipped.replace(b"\x00\x08\x08\x00", b"\x00\x00\x08\x00")
    assert unflagged != zipped
    done = archives.import_now(access, unflagged, "x.zip")
    assert done.state == Import.State.DONE, done.reason
    assert archives.problems_of(done) == []
    plan = plans.read_plan(done.plan)
    assert (plan.junk, plan.ignored) == (7, 0)
    assert files.list_files(access=access, drive="d", limit=10).names == ["gr\u00fc\u00df.txt"]
    assert archives.stored_items(access, "notes") == {"a": {}}


def test_an_export_may_lie_in_folders_of_folders() -> None:
    access = archives.new_collection()
    zipped = archives.make_zip({"a/b/bases/notes.json": '[{"key": "x"}]', "a/b/drives/d/bases/f.txt": b"1"})
    done = archives.import_now(access, zipped)
    assert done.state == Import.State.DONE, done.reason
    assert archives.stored_items(access, "notes") == {"x": {}}
    assert files.list_files(access=access, drive="d", limit=10).names == ["bases/f.txt"]


def test_items_that_are_all_left_out_make_no_base() -> None:
    access = archives.new_collection()
    done = archives.import_now(access, b"[{'key': 'a'}, 7]", "x.json")
    assert (done.state, done.problems_total) == (Import.State.DONE, 2)
    assert list(Base.objects.filter(collection_id=access.collection_id)) == []


def test_a_table_comes_back_from_a_spreadsheet_without_loss(access: Access) -> None:
    """As a German Excel saves what it opened: its own booleans, commas, and numbers as its cells show them."""
    archives.fill(
        access, "wide", [{"key": "a", "id": 12345678901234567890, "pi": Decimal("3.14159265358979"), "ok": True}]
    )
    before = archives.stored_items(access, "wide")
    table = "\ufeffkey;id;ok;pi\r\na;1,23457E+19;WAHR;3,141592654\r\n".encode()
    report = report_of(archives.run_now(check(access, table, "wide.csv")))
    assert (report.unchanged, report.replaced) == (1, 0)
    assert archives.stored_items(access, "wide") == before
    changed = table.replace(b"WAHR", b"FALSCH")
    archives.run_now(check(access, changed, "wide.csv"))
    assert archives.stored_items(access, "wide") == {"a": {**before["a"], "ok": False}}


def test_a_zip_of_tables_makes_a_base_of_each() -> None:
    access = archives.new_collection()
    done = archives.import_now(
        access, archives.make_zip({"a.csv": "key,n\nx,1\n", "sub/b.json": '{"data": [{"key": "y"}]}'})
    )
    assert done.state == Import.State.DONE, done.reason
    assert archives.stored_items(access, "a") == {"x": {"n": 1}}
    assert archives.stored_items(access, "b") == {"y": {}}


def test_trees_of_firestore_make_a_base_of_each_collection() -> None:
    access = archives.new_collection()
    moment = {"__datatype__": "timestamp", "value": {"_seconds": 1704164645, "_nanoseconds": 0}}
    tree = {
        "__collections__": {
            "users": {"u1": {"n": 1.5, "at": moment, "__collections__": {}}},
            "posts": {"p1": {"t": "x"}},
        }
    }
    done = archives.import_now(access, json.dumps(tree).encode(), "backup.json")
    assert done.state == Import.State.DONE, done.reason
    assert json.dumps(archives.stored_items(access, "users"), default=str) == json.dumps(
        {"u1": {"n": "1.5", "at": "2024-01-02T03:04:05Z"}}
    )
    assert archives.stored_items(access, "posts") == {"p1": {"t": "x"}}


def test_lists_by_name_make_a_base_of_each() -> None:
    """Also when there is more of them than is looked at to tell what it is."""
    access = archives.new_collection()
    posts = [{"key": f"p{number:04}", "t": "x" * 100} for number in range(1_000)]
    done = archives.import_now(access, json.dumps({"posts": posts, "tags": [{"key": "t"}]}).encode(), "db.json")
    assert done.state == Import.State.DONE, done.reason
    assert len(archives.stored_items(access, "posts")) == 1_000
    assert archives.stored_items(access, "tags") == {"t": {}}
    checked = check(access, b'{"posts": [{"key": "a"}], "n": 1}', "one.json")
    assert portion_of(checked).told == "JSON, one item"


def make_pocketbase(path: Path) -> bytes:
    """A `data.db` as version 0.40 lays it out, cut down to what is read of it."""

    def field(name: str, kind: str, **more: Any) -> "dict[str, Any]":
        return {"name": name, "type": kind, "system": False, **more}

    notes = [
        field("id", "text"),
        field("title", "text"),
        field("n", "number"),
        field("done", "bool"),
        field("meta", "json"),
        field("tags", "select", maxSelect=3),
        field("pic", "file", maxSelect=1),
        field("created", "autodate"),
    ]
    users = [field("id", "text"), field("email", "email"), field("password", "password"), field("tokenKey", "text")]
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE _collections (id TEXT, system BOOLEAN, type TEXT, name TEXT, fields JSON)")
        for row in (
            ("pbc_1", 0, "base", "notes", json.dumps(notes)),
            ("pbc_2", 0, "auth", "users", json.dumps(users)),
            ("pbc_3", 0, "view", "seen", "[]"),
            ("pbc_4", 1, "auth", "_superusers", "[]"),
        ):
            connection.execute("INSERT INTO _collections VALUES (?, ?, ?, ?, ?)", row)
        connection.execute(
            "CREATE TABLE notes"
            " (id TEXT PRIMARY KEY, title TEXT, n NUMERIC, done BOOLEAN, meta JSON, tags JSON, pic TEXT, created TEXT)"
        )
        connection.execute("CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT, password TEXT, tokenKey TEXT)")
        connection.execute("CREATE VIEW seen AS SELECT id FROM notes")
        connection.execute("CREATE TABLE _superusers (id TEXT PRIMARY KEY)")
        rows = [
            ("n1", "One", 1.5, 1, '{"a":1.10}', '["x","y"]', "cat.png", "2024-01-02 03:04:05.000Z"),
            ("n2", "", 12, 0, "null", "[]", "", "2024-01-02 03:04:05.000Z"),
        ]
        connection.executemany("INSERT INTO notes VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("INSERT INTO users VALUES ('u1', 'a@b.c', '$2a$10$secret', 'token')")
    connection.close()
    return path.read_bytes()


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_backup_of_pocketbase_is_imported(tmp_path: Path, is_zip: bool) -> None:
    data = make_pocketbase(tmp_path / "data.db")
    content = archives.make_zip(
        {
            "data.db": data,
            "auxiliary.db": b"",
            "storage/pbc_1/n1/cat.png": b"png",
            "storage/pbc_1/n1/cat.png.attrs": b"{}",
            "storage/pbc_1/n1/thumbs_cat.png/100x100_cat.png": b"small",
        }
    )
    access = archives.new_collection()
    done = archives.import_now(access, content if is_zip else data, "backup.zip" if is_zip else "data.db")
    assert done.state == Import.State.DONE, done.reason
    assert archives.problems_of(done) == []
    notes = archives.stored_items(access, "notes")
    assert str(notes["n1"].pop("n")) == "1.5"
    assert str(notes["n1"].pop("meta")) == "{'a': Decimal('1.10')}"
    moment = "2024-01-02 03:04:05.000Z"
    assert notes == {
        "n1": {"title": "One", "done": True, "tags": ["x", "y"], "pic": "cat.png", "created": moment},
        "n2": {"title": "", "n": 12, "done": False, "meta": None, "tags": [], "pic": "", "created": moment},
    }
    assert archives.stored_items(access, "users") == {"u1": {"email": "a@b.c"}}
    assert sorted(Base.objects.filter(collection_id=access.collection_id).values_list("name", flat=True)) == [
        "notes",
        "users",
    ]
    if is_zip:
        assert files.list_files(access=access, drive="notes", limit=10).names == ["n1/cat.png"]


def test_another_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE t (a)")
    connection.close()
    checked = archives.check_now(archives.new_collection(), (tmp_path / "x.db").read_bytes(), "x.db")
    assert checked.state == Import.State.FAILED
    assert checked.reason.startswith("This is no database of PocketBase")
