"""Out, in, out again: the two archives hold the same, whatever the data is called and whatever shape it has."""

import io
import json
import random
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from storage.archive import manifest
from storage.archive import sql as archive_sql
from storage.archive.importing import plans
from storage.archive.importing.importer import Importer
from storage.archive.importing.plans import Choice
from storage.base.items import PreparedItem
from storage.base.sql import items as items_sql
from storage.drive import files
from storage.drive.files import Download
from storage.embedded.micros.places import Places
from storage.micros import deploying, deployments, domains, micros, schedules, variables
from storage.models import Base, Deployment, Export, Import
from storage.postgres import clock
from storage.postgres.caller import Access
from storage.postgres.database import OwnConnection, run
from storage.postgres.statements import Statement
from tests import archives
from tests.micros import HELLO, ToldHost, deploy_now, hosted_by, make_micro

pytestmark = pytest.mark.usefixtures("database")


def read(access: Access, drive: str, name: str) -> bytes:
    found = files.get_file(access=access, drive=drive, name=name)
    return b"".join(Download(found, start=0, length=found.size_bytes))


def test_what_went_out_comes_in_the_same() -> None:
    access = archives.make_full()
    first = archives.export_now(access)
    assert (first.state, first.reason) == (Export.State.DONE, "")
    zipped = archives.bytes_of(first)
    assert len(zipped) == first.size_bytes

    target = archives.new_collection()
    done = archives.import_now(target, zipped)

    assert (done.state, done.reason, archives.problems_of(done)) == (Import.State.DONE, "", [])
    again = archives.bytes_of(archives.export_now(target))
    before, after = archives.manifest_of(zipped), archives.manifest_of(again)
    assert manifest.find_differences(before, after) == []
    assert before.totals == after.totals
    assert before.totals.files == len(archives.HOSTILE_NAMES) + 2
    assert archives.stored_items(target, "odd") == archives.stored_items(access, "odd")
    for index, name in enumerate(archives.HOSTILE_NAMES):
        assert read(target, "files", name) == f"{index} {name}".encode()
    assert read(target, "CON", "large.bin") == random.Random(1).randbytes(9_500_000)


def test_an_export_is_a_zip_that_any_program_reads(tmp_path: Any) -> None:
    access = archives.make_full()
    zipped = zipfile.ZipFile(io.BytesIO(archives.bytes_of(archives.export_now(access))))
    assert zipped.testzip() is None
    names = zipped.namelist()
    assert names[-1] == "manifest.json"
    assert {"bases/empty.json", "bases/Odd.json", "drives/files/plain.txt"} <= set(names)
    assert len({name.casefold() for name in names}) == len(names)
    entries = {base["name"]: base["entry"] for base in json.loads(zipped.read("manifest.json"))["bases"]}
    items = json.loads(zipped.read(entries["odd"]))
    assert [item["key"] for item in items] == sorted((item["key"] for item in items), key=str.encode)
    assert json.loads(zipped.read("bases/empty.json")) == []
    zipped.extractall(tmp_path)
    assert sum(1 for path in tmp_path.rglob("*") if path.is_file()) == len(names)


def test_an_empty_collection_goes_out_and_comes_in() -> None:
    zipped = archives.bytes_of(archives.export_now(archives.new_collection()))
    done = archives.import_now(archives.new_collection(), zipped)
    assert (done.state, plans.read_report(done.report)) == (Import.State.DONE, [])


def test_expired_items_stay_behind() -> None:
    access = archives.new_collection()
    archives.fill(access, "things", [{"key": "gone", "__expires": 1}, {"key": "stays", "__expires": 33_000_000_000}])
    zipped = zipfile.ZipFile(io.BytesIO(archives.bytes_of(archives.export_now(access))))
    assert json.loads(zipped.read("bases/things.json")) == [{"key": "stays", "__expires": 33_000_000_000}]


def test_a_report_adds_up_and_a_second_run_doubles_nothing() -> None:
    access = archives.make_full()
    zipped = archives.bytes_of(archives.export_now(access))
    target = archives.new_collection()
    first = archives.import_now(target, zipped)
    second = archives.run_now(first)
    for report in plans.read_report(first.report):
        assert archives.adds_up(report)
        assert (report.stored, report.replaced, report.skipped) == (report.read, 0, {})
    for report in plans.read_report(second.report):
        assert (report.new, report.replaced, archives.adds_up(report)) == (0, report.read, True)
    again = archives.manifest_of(archives.bytes_of(archives.export_now(target)))
    assert manifest.find_differences(archives.manifest_of(zipped), again) == []


def small() -> bytes:
    return archives.make_zip(
        {
            "bases/notes.json": json.dumps([{"key": "a", "n": 1}, {"key": "b", "n": 2}]),
            "drives/pictures/x/y.txt": b"new",
            "drives/pictures/z.txt": b"z",
        }
    )


def prepared() -> Access:
    """A collection with data in the way of `small`."""
    access = archives.new_collection()
    archives.fill(access, "notes", [{"key": "a", "n": "old"}, {"key": "old", "n": 0}])
    archives.put(access, "pictures", "x/y.txt", b"old")
    archives.put(access, "pictures", "old.txt", b"old")
    return access


def names_of(access: Access, drive: str) -> list[str]:
    return files.list_files(access=access, drive=drive, limit=1000).names


def test_merge_replaces_what_has_the_same_name_and_keeps_the_rest() -> None:
    access = prepared()
    archives.import_now(access, small())
    assert archives.stored_items(access, "notes") == {"a": {"n": 1}, "b": {"n": 2}, "old": {"n": 0}}
    assert names_of(access, "pictures") == ["old.txt", "x/y.txt", "z.txt"]
    assert read(access, "pictures", "x/y.txt") == b"new"


@pytest.mark.parametrize("is_importer_ahead", [False, True])
def test_replace_tells_by_time_what_was_there(monkeypatch: pytest.MonkeyPatch, is_importer_ahead: bool) -> None:
    """Sessions take revisions ahead: an old item may have a higher one than the import, a later write a lower one."""

    def take_revisions(last: int) -> None:
        while run(Statement("SELECT nextval('storage_item_revision')", [], tuple))[0][0] % 32 != last:
            pass

    def write(key: str) -> None:
        writer.run(
            items_sql.put_items(access, "notes", [PreparedItem(key, json.dumps({"key": key}), 9, None)], replace=True)
        )

    def write_and_store(importer: Importer, *given: Any) -> None:
        write("meanwhile")
        store(importer, *given)

    access, store = prepared(), Importer._store_items
    monkeypatch.setattr(Importer, "_store_items", write_and_store)
    writer = OwnConnection(lock_timeout_ms=1000)
    try:
        take_revisions(1)  # of a block that this session, which imports, goes on with
        write("higher")
        if is_importer_ahead:
            take_revisions(0)
        archives.import_now(access, small(), notes=Choice("replace"))
    finally:
        writer.close()
    assert archives.stored_items(access, "notes").keys() == {"a", "b", "meanwhile"}


def test_replace_leaves_exactly_what_is_in_the_archive() -> None:
    access = prepared()
    done = archives.import_now(access, small(), notes=Choice("replace"), pictures=Choice("replace"))
    assert archives.stored_items(access, "notes") == {"a": {"n": 1}, "b": {"n": 2}}
    assert names_of(access, "pictures") == ["x/y.txt", "z.txt"]
    assert [(each.new, each.replaced, each.removed) for each in plans.read_report(done.report)] == [
        (1, 1, 1),
        (1, 1, 1),
    ]


def test_an_imported_item_is_never_older_than_its_import_even_if_the_clock_was_set_back() -> None:
    access = prepared()
    base_id = Base.objects.get(collection_id=access.collection_id, name="notes").id
    since = timezone.now() + timedelta(hours=1)

    run(
        archive_sql.import_items(
            base_id, [("new", '{"key": "new"}', 9, None)], since=since, way="merge", person_id=None
        )
    )
    run(archive_sql.delete_older_items(base_id, before=since, last="", limit=10, person_id=None))

    assert archives.stored_items(access, "notes").keys() == {"new"}


def test_rename_and_skip_leave_alone_what_is_there() -> None:
    access = prepared()
    archives.import_now(access, small(), notes=Choice("rename", "notes-2"), pictures=Choice("skip"))
    assert archives.stored_items(access, "notes") == {"a": {"n": "old"}, "old": {"n": 0}}
    assert archives.stored_items(access, "notes-2") == {"a": {"n": 1}, "b": {"n": 2}}
    assert names_of(access, "pictures") == ["old.txt", "x/y.txt"]


@pytest.mark.parametrize(
    "entries",
    [
        {"bases/notes.json": '{"paging": {"size": 1}, "items": [{"key": "a", "n": 1.0}]}', "drives/d/f.txt": b"f"},
        {"export/bases/notes.json": '[{"n": 1.0, "key": "a"}]', "export/drives/d/f.txt": b"f", "__MACOSX/x": b""},
        {"bases/notes.json": '\ufeff[{"key":"a","n":1.0}]\n', "drives/d/f.txt": b"f", "README.txt": b"hello"},
    ],
    ids=["items under a name", "a folder around it", "a byte order mark"],
)
def test_archives_of_the_original_service(entries: dict[str, Any]) -> None:
    access = archives.new_collection()
    done = archives.import_now(access, archives.make_zip(entries))
    assert archives.problems_of(done) == []
    assert str(archives.stored_items(access, "notes")["a"]["n"]) == "1.0"
    assert read(access, "d", "f.txt") == b"f"


def test_micros_go_out_and_come_in_without_their_secrets(tmp_path: Path) -> None:
    host, places = ToldHost(), Places(tmp_path / "micros")
    places.make()
    access = archives.new_collection()
    with hosted_by(host, places):
        micro = make_micro("Guest/book", collection_id=access.collection_id, runtime="python3.9")
        at: dict[str, Any] = {"collection_id": access.collection_id, "micro_id": micro.id}
        micros.change_micro(**at, has_sign_in=False, is_kept_warm=True, idle_minutes=7)
        schedules.set_schedule(**at, expression="0 10 * * ? *", limit_seconds=60)
        variables.set_variables(**at, values={"TOKEN": "a canary of a secret"})
        domains.add_domain(**at, name=f"{micro.id}.example.org")
        code = HELLO | {"CON/aux.txt": b"1", "con/AUX.txt": b"2"}
        assert deploy_now(micro, code).state == "done"
        make_micro("bare", collection_id=access.collection_id)
        data_key = micros.read_data_key(micro)
        zipped = archives.bytes_of(archives.export_now(access))

        opened = zipfile.ZipFile(io.BytesIO(zipped))
        before = archives.manifest_of(zipped)
        told = {each.name: each for each in before.micros}
        assert set(told) == {"Guest/book", "bare"}
        assert (told["bare"].files, told["Guest/book"].variables) == (0, ["TOKEN"])
        entries = {file.name: file.entry or f"micros/Guest/book/{file.name}" for file in told["Guest/book"].listing}
        assert {name: opened.read(entry) for name, entry in entries.items()} == code
        everything = b"".join(opened.read(name) for name in opened.namelist())
        assert b"canary" not in everything
        assert data_key.encode() not in everything

        target = archives.new_collection()
        with held_back_deployments():
            done = archives.import_now(target, zipped)
            waiting = list(Deployment.objects.filter(micro__collection_id=target.collection_id))
        assert (done.state, done.reason) == (Import.State.DONE, "")
        words = " ".join(what for _, _, _, what in archives.problems_of(done))
        assert f"the sub-domain {micro.subdomain}" in words
        assert f"the domain {micro.id}.example.org" in words
        assert [each.number for each in waiting] == [1]
        for each in waiting:
            deploying.make_deployment(Deployment.objects.select_related("micro").get(id=each.id))
        after = archives.manifest_of(archives.bytes_of(archives.export_now(target)))
        assert manifest.find_differences(before, after) == []
        made = {each.name: each for each in micros.list_micros(target.collection_id)}
        assert not made["Guest/book"].has_sign_in
        assert made["Guest/book"].schedule.expression == "0 10 * * ? *"
        assert made["Guest/book"].subdomain != micro.subdomain
        assert micros.read_data_key(made["Guest/book"]) != data_key

        again = archives.import_now(target, zipped)
        assert [report.skipped for report in plans.read_report(again.report)] == [
            {"Not created": 1},
            {"Not created": 1},
        ]
        assert len(micros.list_micros(target.collection_id)) == 2
        with held_back_deployments():
            archives.run_now(again, **{"Guest/book": Choice("rename", "third"), "bare": Choice("skip")})
        assert {each.name for each in micros.list_micros(target.collection_id)} == {"Guest/book", "bare", "third"}


@contextmanager
def held_back_deployments() -> Iterator[None]:
    """What is queued meanwhile is this test's to make, and looks taken to the server's worker from the first moment."""
    queue = deployments.queue_deployment

    def take(*args: Any, **options: Any) -> Deployment:
        asked = queue(*args, **options)
        Deployment.objects.filter(id=asked.id).update(
            state=Deployment.State.BUILDING, attempts=1, heartbeat_at=clock.now() + timedelta(hours=1)
        )
        return asked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deployments, "queue_deployment", take)
        yield


@pytest.mark.parametrize("way", ["changed", "missing"])
def test_a_micro_whose_code_is_damaged_is_not_created(way: str, tmp_path: Path) -> None:
    places = Places(tmp_path / "micros")
    places.make()
    access = archives.new_collection()
    with hosted_by(ToldHost(), places):
        deploy_now(make_micro(collection_id=access.collection_id), HELLO)
        zipped = zipfile.ZipFile(io.BytesIO(archives.bytes_of(archives.export_now(access))))
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as other:
            for name in zipped.namelist():
                if name != "micros/hello/main.py":
                    other.writestr(name, zipped.read(name))
                elif way == "changed":
                    other.writestr(name, b"import os")
        target = archives.new_collection()
        checked = archives.check_now(target, made.getvalue())
        plan = plans.read_plan(checked.plan)
        assert plan.portions[0].faults == 1
        assert plans.suggest_choice(plan.portions[0]) == Choice("skip")
        done = archives.run_now(checked, hello=Choice("merge"))
        assert [report.skipped for report in plans.read_report(done.report)] == [{"Not created": 1}]
    assert micros.list_micros(target.collection_id) == []
