"""What tests of exports and imports start from: collections full of odd things, zips made by hand, and work done here and now.

The server of the tests has a worker that takes what waits: what a test does itself is taken before anybody sees it waiting.
"""

import io
import random
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from storage import exact_json
from storage.archive import manifest
from storage.archive.exporting import exports
from storage.archive.importing import imports, plans
from storage.archive.importing.plans import Choice
from storage.archive.manifest import Manifest
from storage.base import bases, items
from storage.collections import collections
from storage.drive import files
from storage.drive.files import Download, Stored
from storage.drive.sql import uploads as uploads_sql
from storage.models import Export, Import
from storage.postgres.caller import Access
from storage.postgres.database import run

HOSTILE_NAMES = [
    "plain.txt",
    "a",
    "A",
    "a/b",
    "a//b",
    "/lead",
    "../x",
    "../../etc/passwd",
    "a/../b",
    "./x",
    ".",
    "..",
    "...",
    "C:\\x",
    "c:/x",
    "a\\b",
    "CON",
    "con.txt",
    "nul/x",
    "COM1.tar.gz",
    "trailing.",
    "trailing ",
    " leading",
    "x/ /y",
    "é",
    "e\u0301",
    "日本語/ファイル.txt",
    "🙂",
    "\u202egnp.exe",
    'a"b<c>d|e?f*g:h',
    "%2e%2e%2fx",
    "~000000000000/x",
    "s" * 300,
    "/".join(["d" * 50] * 20),
    "x" * 255 + "/" + "y" * 255 + ".jpeg",
    "manifest.json",
    "bases/notes.json",
    "ß",
    "SS",
    "K",
    "\u212a",
]


def odd_items() -> list[dict[str, Any]]:
    """Every shape of JSON, and keys of every kind."""
    keys = [
        "a",
        "A",
        "a/b",
        "../x",
        "%@#//#!#)#$_",
        "é",
        "e\u0301",
        "日",
        "🙂",
        "\ufffd",
        "line\nbreak",
        "tab\t",
        '"',
        "\\",
        " ",
    ]
    keys += ["k" * 1024, "0", "-1", "null", "[]", "\u202e", "\x01", "\U0010ffff"]
    values: list[Any] = [
        None,
        True,
        False,
        "",
        "\\",
        '"',
        "\u2028",
        "🙂" * 10,
        "\x7f",
        "{}",
        [],
        {},
        [[]],
        [{}],
        {" ": 1},
    ]
    values += [0, -1, 9007199254740993, 10**37, Decimal("1.0"), Decimal("0.10"), Decimal("1E-125"), Decimal("1.5E+120")]
    values += [
        Decimal("12345678901234567890.123456789012345678"),
        {"a": {"b": [1, {"c": None}]}},
        ["x", 1, None, [True]],
    ]
    nested: Any = "deep"
    for _ in range(98):
        nested = [nested]
    values.append(nested)
    made: list[dict[str, Any]] = [{"key": key, "n": index} for index, key in enumerate(keys)]
    made += [{"key": f"value-{index:03}", "value": value} for index, value in enumerate(values)]
    made += [{"key": "only"}, {"key": "expires", "__expires": 33_000_000_000}, {"key": "long", "text": "x" * 300_000}]
    return made


def fill(access: Access, base: str, made: Iterable[dict[str, Any]]) -> None:
    batch: list[dict[str, Any]] = []
    for item in made:
        batch.append(item)
        if len(batch) == 25:
            items.put_items(access=access, base=base, items=batch)
            batch = []
    if batch:
        items.put_items(access=access, base=base, items=batch)


def put(access: Access, drive: str, name: str, content: bytes, content_type: str | None = None) -> None:
    files.put_file(access=access, drive=drive, name=name, content=Content(content, content_type))


class Content:
    """Bytes to store."""

    def __init__(self, content: bytes, content_type: str | None = None) -> None:
        self.content_type = content_type
        self._content = content

    def open(self) -> tuple[int, Iterator[bytes]]:
        return len(self._content), iter([self._content])


def make_full(name: str = "Full of odd things") -> Access:
    """A collection with two Bases and two Drives of what is hard to carry."""
    access = Access(collections.create_collection(name).id)
    fill(access, "odd", odd_items())
    fill(access, "Odd", [{"key": "case", "text": "two Bases that differ by case alone"}])
    bases.ensure_base(collection_id=access.collection_id, name="empty")
    for index, hostile in enumerate(HOSTILE_NAMES):
        put(access, "files", hostile, f"{index} {hostile}".encode(), "x/odd; a=b" if index % 3 else None)
    put(access, "CON", "empty", b"")
    put(access, "CON", "large.bin", random.Random(1).randbytes(9_500_000))
    return access


def export_now(access: Access) -> Export:
    """An export that is done."""
    with transaction.atomic():
        export = exports.ask_for_export(collection_id=access.collection_id, asked_by=None)
        exports.begin_attempt(export)
    exports.make_export(export)
    export.refresh_from_db()
    return export


def bytes_of(export: Export) -> bytes:
    stored = exports.open_export(collection_id=export.collection_id, export_id=export.id)
    return b"".join(Download(stored, start=0, length=stored.size_bytes))


def manifest_of(zipped: bytes) -> Manifest:
    found = manifest.read_manifest(zipfile.ZipFile(io.BytesIO(zipped)).read("manifest.json"))
    assert found
    return found


def send(access: Access, content: bytes, name: str = "export.zip", part: int = 6_000_000) -> Import:
    """An import that was sent in parts and is being checked by nobody yet."""
    started = imports.start_import(
        collection_id=access.collection_id, file_name=name, size_bytes=len(content), asked_by=None
    )
    with transaction.atomic():
        for start in range(0, len(content), part):
            started = imports.append_part(
                access=access,
                import_id=started.id,
                start=start,
                content=Content(content[start : start + part]),
            )
        imports.begin_attempt(started)
    return started


def check_now(access: Access, content: bytes, name: str = "export.zip") -> Import:
    """An import that was looked through."""
    sent = send(access, content, name)
    imports.work_on_import(sent)
    sent.refresh_from_db()
    return sent


def run_now(import_: Import, **ways: Choice) -> Import:
    """Run an import that was checked; `ways` are the choices that are not the suggested ones, by name."""
    chosen = [
        ways.get(portion.name) or plans.suggest_choice(portion) for portion in plans.read_plan(import_.plan).portions
    ]
    where: dict[str, Any] = {"collection_id": import_.collection_id, "import_id": import_.id}
    with transaction.atomic():
        imports.request_run(choices=chosen, **where)
        import_ = imports.find_import(**where)
        imports.begin_attempt(import_)
    imports.work_on_import(import_)
    import_.refresh_from_db()
    return import_


def import_now(access: Access, content: bytes, name: str = "export.zip", **ways: Choice) -> Import:
    return run_now(check_now(access, content, name), **ways)


def adds_up(report: plans.PortionReport) -> bool:
    """Whether all that was read was stored or skipped."""
    return report.read == report.stored + report.skipped_total


def new_collection() -> Access:
    return Access(collections.create_collection("Made by a test").id)


def make_zip(entries: Mapping[str, Any]) -> bytes:
    """A zip as anybody's program writes it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def stored_items(access: Access, base: str) -> dict[str, Any]:
    """All items of a Base by key, without it, with every digit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.key, i.value::text FROM storage_item i JOIN storage_base b ON b.id = i.base_id "
            "WHERE b.collection_id = %s AND b.name = %s ORDER BY i.key",
            [access.collection_id, base],
        )
        return {key: exact_json.parse(value.encode()) for key, value in cursor.fetchall()}


def problems_of(import_: Import) -> list[tuple[str, str, str, str]]:
    return [(each.place, each.spot, each.key, each.what) for each in imports.list_problems(import_)]


def put_part(archive_id: UUID, number: int, stored: Stored) -> None:
    run(uploads_sql.put_part(archive_id.hex, number, stored.id))
