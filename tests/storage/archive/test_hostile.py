"""Archives that strangers made, carelessly or not: every fault is told with its place, and what is good is imported."""

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from storage import limits
from storage.archive.importing import imports, plans
from storage.archive.importing.plans import Choice
from storage.drive import files
from storage.errors import ArchiveNotFound
from storage.models import Import
from tests import archives

pytestmark = pytest.mark.usefixtures("database")
GOOD = {"drives/d/good.txt": b"good", "bases/notes.json": b'[{"key": "a"}]'}


def raw_zip(*entries: tuple[zipfile.ZipInfo | str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", method) as archive:
        warnings.simplefilter("ignore")  # of duplicate names, which are meant
        for name, content in (*entries, *GOOD.items()):
            archive.writestr(name, content)
    return made.getvalue()


def link(name: str, target: bytes) -> tuple[zipfile.ZipInfo, bytes]:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info, target


def patched(zipped: bytes, name: str, *, local: dict[int, bytes] | None = None, central: dict[int, bytes]) -> bytes:
    """The zip with other bytes at offsets within the headers of an entry."""
    changed = bytearray(zipped)
    for signature, name_at, changes in ((b"PK\x03\x04", 30, local or {}), (b"PK\x01\x02", 46, central)):
        at = zipped.index(signature)
        while zipped[at + name_at : at + name_at + len(name)] != name.encode():
            at = zipped.index(signature, at + 1)
        for offset, content in changes.items():
            changed[at + offset : at + offset + len(content)] = content
    return bytes(changed)


def encrypted() -> bytes:
    return patched(raw_zip(("drives/d/x", b"xxxx")), "drives/d/x", local={6: b"\x01\x00"}, central={8: b"\x01\x00"})


def too_short() -> bytes:
    """It says that it has fewer bytes than there are."""
    zipped = raw_zip(("drives/d/x", b"x" * 5000), method=zipfile.ZIP_DEFLATED)
    return patched(zipped, "drives/d/x", central={24: struct.pack("<L", 10)})


def too_long() -> bytes:
    zipped = raw_zip(("drives/d/x", b"x" * 5000), method=zipfile.ZIP_DEFLATED)
    return patched(zipped, "drives/d/x", central={24: struct.pack("<L", 50_000)})


def overlapping() -> bytes:
    """Two entries of the directory that mean the same bytes."""
    zipped = raw_zip(("drives/d/x", b"x" * 100), ("drives/d/y", b"y" * 100))
    return patched(zipped, "drives/d/y", central={42: struct.pack("<L", 0)})


def flipped() -> bytes:
    zipped = raw_zip(("drives/d/x", b"some bytes"))
    return zipped.replace(b"some bytes", b"some bytez")


def name_twice() -> bytes:
    """The directory calls it otherwise than the entry itself."""
    return raw_zip(("drives/d/x", b"xxxx")).replace(b"drives/d/x", b"drives/d/q", 1)


HOSTILE: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "zip slip": (lambda: raw_zip(("drives/d/../../../etc/passwd", b"x")), "drives/d/../../../etc/passwd", "leads out"),
    "absolute": (lambda: raw_zip(("/etc/passwd", b"x")), "/etc/passwd", "absolute"),
    "drive letter": (lambda: raw_zip(("C:/x", b"x")), "C:/x", "drive letter"),
    "windows path": (lambda: raw_zip(("drives\\d\\..\\x", b"x")), "drives\\d\\..\\x", "backslashes"),
    "symlink": (lambda: raw_zip(link("drives/d/x", b"/etc/passwd")), "drives/d/x", "a link"),
    "encrypted": (encrypted, "drives/d/x", "encrypted"),
    "smaller than it says": (too_long, "drives/d/x", "archive says 50,000"),
    "larger than it says": (too_short, "drives/d/x", "do not match their checksum"),
    "overlapping": (overlapping, "drives/d/y", "overlaps another entry"),
    "changed": (flipped, "drives/d/x", "do not match their checksum"),
    "two names": (name_twice, "drives/d/x", "its two names"),
    "duplicate": (lambda: raw_zip(("drives/d/x", b"1"), ("drives/d/x", b"2")), "drives/d/x", "only the first"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_entry_is_told_and_the_others_are_imported(case: str) -> None:
    make, place, what = HOSTILE[case]
    access = archives.new_collection()
    checked = archives.check_now(access, make())
    assert checked.state == Import.State.CHECKED, checked.reason
    told = [problem for problem in archives.problems_of(checked) if problem[0] == place and what in problem[3]]
    assert told, archives.problems_of(checked)

    done = archives.run_now(checked)

    assert done.state == Import.State.DONE, done.reason
    assert all(archives.adds_up(report) for report in plans.read_report(done.report))
    assert archives.stored_items(access, "notes") == {"a": {}}
    stored = files.list_files(access=access, drive="d", limit=100).names
    assert "good.txt" in stored
    assert set(stored) <= {"good.txt", "x"}
    assert ("x" in stored) == (case == "duplicate")


def test_other_methods_of_packing_are_told() -> None:
    access = archives.new_collection()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("drives/d/x", b"x" * 100, compress_type=zipfile.ZIP_LZMA)
        archive.writestr("drives/d/y", b"y")
    checked = archives.check_now(access, made.getvalue())
    assert [(place, "method" in what) for place, _, _, what in archives.problems_of(checked)] == [("drives/d/x", True)]


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_FREE_BYTES", 1_000_000)
    monkeypatch.setattr(limits, "ARCHIVE_RATIO_MAX", 10)
    monkeypatch.setattr(limits, "ARCHIVE_ENTRIES_MAX", 1_000)


@pytest.mark.usefixtures("small_limits")
def test_a_bomb_is_not_unpacked() -> None:
    checked = archives.check_now(archives.new_collection(), archives.make_zip({"drives/d/zeros": b"\0" * 5_000_000}))
    assert [(p[0], "far more" in p[3]) for p in archives.problems_of(checked)] == [("drives/d/zeros", True)]
    assert checked.bytes_done == 0


@pytest.mark.usefixtures("small_limits")
def test_a_bomb_in_pieces_is_not_unpacked_to_its_end() -> None:
    checked = archives.check_now(
        archives.new_collection(), archives.make_zip({f"drives/d/{n}": b"\0" * 400_000 for n in range(20)})
    )
    plan = plans.read_plan(checked.plan)
    assert plan.portions[0].bytes < 2_500_000
    assert all("far more" in what for _, _, _, what in archives.problems_of(checked))
    assert len(archives.problems_of(checked)) > 10


@pytest.mark.usefixtures("small_limits")
def test_too_many_entries_are_refused_at_once() -> None:
    access = archives.new_collection()
    checked = archives.check_now(access, archives.make_zip({f"drives/d/{number}": b"" for number in range(1_001)}))
    assert (checked.state, checked.reason) == (Import.State.FAILED, "The zip has more than 1,000 entries")
    assert (
        archives.check_now(access, archives.make_zip({f"drives/d/{n}": b"" for n in range(1_000)})).state == "checked"
    )


@pytest.mark.parametrize(
    "content, name, reason",
    [
        (raw_zip()[:-30], "x.zip", "This zip is incomplete"),
        (b"PK\x03\x04" + b"\0" * 100, "x.zip", "This zip is incomplete"),
        (raw_zip().replace(b"PK\x01\x02", b"PK\x01\x09"), "x.zip", "not a zip that can be read"),
        (archives.make_zip({"readme.txt": b"x"}), "x.zip", "has no Bases"),
        (archives.make_zip({"a/export.zip": b"x", "__MACOSX/a/._export.zip": b"x"}), "x.zip", "import a/export.zip"),
        (archives.make_zip({"content.xml": b"x", "mimetype": b"x"}), "x.ods", "This is a workbook"),
        (archives.make_zip({"Index/Document.iwa": b"x"}), "x.numbers", "This is a workbook"),
        (b"\x89PNG....", "x.png", "neither a zip nor JSON"),
        (
            archives.make_zip({"manifest.json": '{"format": "homeport-archive", "version": 2}', **GOOD}),
            "x.zip",
            "version 2",
        ),
        (
            archives.make_zip({"manifest.json": '{"format": "homeport-archive", "version": 1}', **GOOD}),
            "x.zip",
            "damaged",
        ),
    ],
    ids=[
        "cut",
        "only a beginning",
        "no directory",
        "something else",
        "a zip in it",
        "LibreOffice's workbook",
        "Numbers' workbook",
        "a picture",
        "a newer manifest",
        "a damaged manifest",
    ],
)
def test_what_is_no_archive_fails_with_the_reason(content: bytes, name: str, reason: str) -> None:
    checked = archives.check_now(archives.new_collection(), content, name)
    assert checked.state == Import.State.FAILED
    assert reason in checked.reason


@pytest.mark.parametrize(
    "text, spot, count",
    [
        (b'[{"key": "a"}, {"key": "b"} {"key": "c"}]', "byte 28", 2),
        (b'[{"key": "a"}, {"key": "b"', "byte 26", 1),
        (b'[{"key": "a"}] and more', "byte 15", 1),
        (b'{"nothing": []}', "byte 0", 0),
        (b"", "byte 0", 0),
    ],
)
def test_broken_json_is_told_with_its_byte_and_what_came_before_can_be_had(text: bytes, spot: str, count: int) -> None:
    access = archives.new_collection()
    checked = archives.check_now(
        access, archives.make_zip({"bases/broken.json": text, "bases/good.json": b'[{"key": "a"}]'})
    )
    assert [(place, at) for place, at, _, _ in archives.problems_of(checked)] == [("bases/broken.json", spot)]
    portion = plans.read_plan(checked.plan).portions[0]
    assert (portion.count, portion.broken.startswith(spot)) == (count, True)
    assert plans.suggest_choice(portion) == Choice("skip")

    archives.run_now(checked, broken=Choice("merge"))

    assert len(archives.stored_items(access, "broken")) == count
    assert archives.stored_items(access, "good") == {"a": {}}


BAD_ITEMS: list[tuple[str, str, str]] = [
    ('{"key": "a\\u0000b"}', "a\\u0000b", "\\u0000"),
    ('{"key": ""}', "", "A key is empty"),
    ('{"key": "m", "n": }', "", "JSON is malformed"),
    ('{"key": "m", "n": 01}', "", "JSON is malformed"),
    ('{"key": "m", "t": "a\nb"}', "", "JSON is malformed"),
    ('{"key": 7}', "", "A key is not a string"),
    ('{"key": "k", "": 1}', "k", "An attribute name is empty"),
    ('{"key": "n", "n": 1e400}', "n", "exponent"),
    ('{"key": "d", "n": 123456789012345678901234567890123456789}', "d", "significant digits"),
    ('{"key": "s", "t": "\\ud800"}', "s", "surrogate"),
    ('{"key": "nan", "n": NaN}', "nan", "NaN"),
    ('{"key": "x", "__expires": "soon"}', "x", "__expires"),
    ('{"key": "deep", "a": ' + "[" * 120 + "]" * 120 + "}", "deep", "nested"),
    ('{"key": "big", "t": "' + "x" * 410_000 + '"}', "big", "larger than"),
    ("7", "", "not an object"),
    ("null", "", "not an object"),
]


def test_items_that_break_a_rule_are_listed_by_key_and_the_others_imported() -> None:
    access = archives.new_collection()
    good = [
        json.dumps(item) for item in archives.odd_items() if item["key"] not in ("long",) and not _has_decimal(item)
    ]
    texts = [text for pair in zip([bad for bad, _, _ in BAD_ITEMS], good, strict=False) for text in pair] + good[
        len(BAD_ITEMS) :
    ]
    done = archives.import_now(access, archives.make_zip({"bases/mixed.json": "[" + ",\n".join(texts) + "]"}))

    (report,) = plans.read_report(done.report)
    assert (report.read, report.stored, report.skipped_total) == (len(texts), len(good), len(BAD_ITEMS))
    assert archives.adds_up(report)
    assert len(archives.stored_items(access, "mixed")) == len(good)
    told = archives.problems_of(done)
    assert [key for _, _, key, _ in told] == [key for _, key, _ in BAD_ITEMS]
    assert all(spot.startswith("byte ") for _, spot, _, _ in told)
    for (_, _, _, what), (_, _, reason) in zip(told, BAD_ITEMS, strict=True):
        assert reason in what


def _has_decimal(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_decimal, value.values()))
    return any(map(_has_decimal, value)) if isinstance(value, list) else isinstance(value, Decimal)


def test_more_problems_than_are_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ARCHIVE_PROBLEMS_KEPT", 10)
    access = archives.new_collection()
    done = archives.import_now(access, json.dumps([{"key": ""}] * 25 + [{"key": "good"}]).encode(), "many.json")
    assert (done.problems_total, len(archives.problems_of(done))) == (25, 10)
    (report,) = plans.read_report(done.report)
    assert report.skipped == {"A key is empty or longer than 1024 bytes": 25}


def test_file_names_and_hashes_are_held_against_the_rules() -> None:
    source = archives.new_collection()
    archives.put(source, "d", "honest", b"honest")
    archives.put(source, "d", "forged", b"forged")
    zipped = zipfile.ZipFile(io.BytesIO(archives.bytes_of(archives.export_now(source))))
    about = json.loads(zipped.read("manifest.json"))
    about["drives"][0]["listing"] += [{"name": "gone", "bytes": 1, "type": "x/y", "sha256": "00"}]
    forged = archives.make_zip(
        {
            "drives/d/honest": b"honest",
            "drives/d/forged": b"other!",
            "drives/d/" + "n" * 2000: b"x",
            "manifest.json": json.dumps(about),
        }
    )
    access = archives.new_collection()
    done = archives.import_now(access, forged)
    assert files.list_files(access=access, drive="d", limit=10).names == ["honest"]
    told = {place[:20]: what for place, _, _, what in archives.problems_of(done)}
    assert "hash in the manifest" in told["drives/d/forged"]
    assert "missing" in told["drives/d/gone"]
    assert "1024 bytes" in told["drives/d/nnnnnnnnnnn"]
    assert [(r.read, r.stored, r.skipped_total) for r in plans.read_report(done.report)] == [(3, 1, 2)]


@pytest.mark.parametrize("name", ["no spaces allowed", ".hidden", "ünïcode", "x" * 200])
def test_a_base_whose_name_is_not_legal_goes_under_another(name: str) -> None:
    access = archives.new_collection()
    checked = archives.check_now(access, archives.make_zip({f"bases/{name}.json": '[{"key": "a"}]'}))
    portion = plans.read_plan(checked.plan).portions[0]
    choice = plans.suggest_choice(portion)
    assert choice.do == "rename"
    archives.run_now(checked)
    assert archives.stored_items(access, choice.name) == {"a": {}}


NDJSON = b'\xef\xbb\xbf{"key": "a", "n": 0.10}\n\nnot json\n{"n": 2}\r\n[1]\n{"key": "last"}'


def test_ndjson_goes_on_behind_a_broken_line() -> None:
    access = archives.new_collection()
    done = archives.import_now(access, NDJSON, "my notes.ndjson")
    assert [(spot, what[:20]) for _, spot, _, what in archives.problems_of(done)] == [
        ("line 3", "JSON is malformed: i"),
        ("line 5", "An item is not an ob"),
    ]
    stored = archives.stored_items(access, "my-notes")
    assert [str(value.get("n")) for value in stored.values()] == ["2", "0.10", "None"]


CSV = 'key,name,n,flag,tags,zip\n1,Ada,0.10,true,"[1, 2]",007\n2,"Gra\nce",,false,{x},-1\n3,x,y,z,1,2,3\n'


def test_csv_is_typed_by_its_columns() -> None:
    access = archives.new_collection()
    done = archives.import_now(access, CSV.encode(), "people.csv")
    stored = archives.stored_items(access, "people")
    assert str(stored["1"]["n"]) == "0.10"
    assert stored["1"] | {"n": 0} == {"name": "Ada", "n": 0, "flag": True, "tags": "[1, 2]", "zip": "007"}
    assert stored["2"] == {"name": "Gra\nce", "flag": False, "tags": "{x}", "zip": "-1"}
    assert [(spot, what[:22]) for _, spot, _, what in archives.problems_of(done)] == [
        ("line 5", "The row has 7 cells, a")
    ]


@pytest.mark.parametrize(
    "content, what",
    [
        (b"a,,c\n1,2,3\n", "column 2 has no name"),
        (b"a,b,a\n1,2,3\n", "two columns"),
        (b"a,b\n1,\xc3\xa9\n2,\xff\n", "0xFF is no character (line 3, column 3)"),
        (b'a,b\n1,"open\n', "never closed"),
    ],
)
def test_a_csv_that_cannot_be_read_says_where(content: bytes, what: str) -> None:
    checked = archives.check_now(archives.new_collection(), content, "x.csv")
    assert checked.state == Import.State.CHECKED
    ((_, spot, _, told),) = archives.problems_of(checked)
    assert spot.startswith("line ")
    assert what in told


def test_items_without_keys_get_the_same_ones_each_time() -> None:
    access = archives.new_collection()
    content = json.dumps([{"n": 1}, {"n": 1}, {"n": 2}]).encode()
    archives.import_now(access, content, "things.json")
    before = archives.stored_items(access, "things")
    assert [value["n"] for value in before.values()] == [1, 1, 2]
    archives.import_now(access, content, "things.json")
    assert archives.stored_items(access, "things") == before


def test_a_key_that_comes_twice_means_the_later_item() -> None:
    access = archives.new_collection()
    done = archives.import_now(access, b'[{"key": "a", "n": 1}, {"key": "b"}, {"key": "a", "n": 2}]', "things.json")
    assert archives.stored_items(access, "things") == {"a": {"n": 2}, "b": {}}
    (report,) = plans.read_report(done.report)
    assert (report.new, report.replaced, report.read) == (2, 1, 3)


def test_nobody_reaches_anothers_import() -> None:
    mine, other = archives.new_collection(), archives.new_collection()
    sent = archives.check_now(mine, b"[]", "x.json")
    for call in (imports.find_import, imports.request_run, imports.request_check):
        more: dict[str, Any] = {"choices": []} if call is imports.request_run else {}
        with pytest.raises(ArchiveNotFound):
            call(collection_id=other.collection_id, import_id=sent.id, **more)
    imports.delete_import(collection_id=other.collection_id, import_id=sent.id)
    assert imports.find_import(collection_id=mine.collection_id, import_id=sent.id)
