"""Much of everything: the round trip at size, a zip with a million entries, and memory that stays flat whatever there is."""

import io
import random
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from storage import jobs, limits
from storage.archive import manifest
from storage.archive.exporting import exports
from storage.archive.importing import imports, plans
from storage.archive.importing.plans import Choice
from storage.drive import files
from storage.models import Base, Export, Import
from storage.postgres.caller import Access
from tests import archives
from tests.serving import Server
from tests.storage.rows import fill_base
from tests.waiting import LONG_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("database")]
MB = 1_000_000
GROWTH_MB = 150
FILE_BYTES = 10 * MB


def test_a_hundred_thousand_items_and_a_thousand_hostile_files_come_in_as_they_went_out() -> None:
    access = archives.make_full()
    shapes = [{name: value for name, value in item.items() if name != "key"} for item in archives.odd_items()]
    base = Base.objects.get(collection_id=access.collection_id, name="odd")
    small = [shape for shape in shapes if len(str(shape)) < 1000 and "__expires" not in shape]
    numbers = range(100_000 - len(shapes))
    fill_base(base.id, ({"key": f"many/{number:06}", **small[number % len(small)]} for number in numbers))
    for number in range(1_000 - len(archives.HOSTILE_NAMES)):
        name = f"{archives.HOSTILE_NAMES[number % len(archives.HOSTILE_NAMES)]}{number}"
        archives.put(access, "files", name, name.encode())
    zipped = archives.bytes_of(archives.export_now(access))

    target = archives.new_collection()
    done = archives.import_now(target, zipped)

    assert (done.state, done.reason, archives.problems_of(done)) == ("done", "", [])
    before = archives.manifest_of(zipped)
    after = archives.manifest_of(archives.bytes_of(archives.export_now(target)))
    assert manifest.find_differences(before, after) == []
    assert before.totals == after.totals
    assert (before.totals.items, before.totals.files) == (100_001, 1_002)


def test_a_million_entries_are_told_without_reading_them_all_into_memory() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for number in range(limits.ARCHIVE_ENTRIES_MAX + 1):
            archive.writestr(zipfile.ZipInfo(f"drives/d/{number}"), b"")
    content = made.getvalue()
    del archive, made
    before = psutil.Process().memory_info().rss
    checked = archives.check_now(archives.new_collection(), content)
    assert (checked.state, checked.reason) == ("failed", "The zip has more than 1,000,000 entries")
    assert psutil.Process().memory_info().rss - before < GROWTH_MB * MB


class Watch:
    """What the job worker's memory grows by while something goes on."""

    def __init__(self, server: Server) -> None:
        self._workers = server.children("procrastinate")
        self._idle = self._rss()
        self._over = threading.Event()
        self._peak = self._idle
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def grown_mb(self) -> float:
        return (self._peak - self._idle) / MB

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self._peak = max(self._peak, self._rss())

    def _rss(self) -> int:
        return sum(process.memory_info().rss for process in self._workers)


def progress_of(row: Export | Import, states: tuple[str, ...]) -> list[int]:
    """How far it was, each time it was looked at, until it is in one of the states."""
    started, seen = time.monotonic(), [0]
    while True:
        row.refresh_from_db()
        seen.append(row.bytes_done)
        if row.state in states:
            return seen
        assert time.monotonic() - started < LONG_SECONDS, (row.state, row.reason)
        time.sleep(0.3)


@pytest.fixture
def large() -> Iterator[Access]:
    """A gigabyte of files and 100,000 items."""
    access = archives.new_collection()
    archives.fill(access, "notes", [{"key": "first"}])
    base = Base.objects.get(collection_id=access.collection_id, name="notes")
    fill_base(base.id, ({"key": f"{number:06}", "text": "some words of text " * 10} for number in range(100_000)))
    for number in range(100):
        archives.put(access, "files", f"{number}.bin", random.Random(number).randbytes(FILE_BYTES))
    yield access
    names: list[object] = [f"{number}.bin" for number in range(100)]
    files.delete_files(access=access, drive="files", names_given=names)


def test_a_gigabyte_goes_out_and_comes_in_with_memory_flat_and_progress_that_moves(
    server: Server, large: Access
) -> None:
    def start(act: Callable[[], Any]) -> Any:
        made = act()
        jobs.start(jobs.continue_archives)
        return made

    with Watch(server) as exporting:
        export = start(lambda: exports.ask_for_export(collection_id=large.collection_id, asked_by=None))
        moved = progress_of(export, ("done", "failed"))
    assert (export.state, export.items, export.files) == ("done", 100_001, 100), export.reason
    assert exporting.grown_mb < GROWTH_MB
    # On a busy machine few of its steps are seen: one between beginning and end says that it moves.
    assert len(set(moved)) > 2
    assert moved == sorted(moved)

    target = archives.new_collection()
    where: dict[str, Any] = {"collection_id": target.collection_id}
    begun = imports.start_import(file_name="large.zip", size_bytes=export.size_bytes, asked_by=None, **where)
    stored = exports.open_export(collection_id=large.collection_id, export_id=export.id)
    with Watch(server) as importing:
        for start_at in range(0, export.size_bytes, 8 * MB):
            length = min(8 * MB, export.size_bytes - start_at)
            part = b"".join(files.Download(stored, start=start_at, length=length))
            imports.append_part(access=target, import_id=begun.id, start=start_at, content=archives.Content(part))
        jobs.start(jobs.continue_archives)
        looked = progress_of(begun, ("checked", "failed"))
        start(lambda: imports.request_run(import_id=begun.id, choices=[Choice("merge")] * 2, **where))
        ran = progress_of(begun, ("done", "failed"))
    assert begun.state == "done", begun.reason
    assert [(each.new, archives.adds_up(each)) for each in plans.read_report(begun.report)] == [
        (100_001, True),
        (100, True),
    ]
    assert importing.grown_mb < GROWTH_MB
    assert len(set(looked)) > 3
    assert len(set(ran)) > 3
