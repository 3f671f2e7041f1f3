"""Stores the chosen parts of a source in batches. Each batch is one transaction that also records the progress.

So after any stop the next attempt continues after the last batch, and nothing is stored or counted twice. An item
that breaks a rule and a file whose bytes are damaged are reported and left out; the others are stored.
"""

import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db import transaction

from storage import disk_space, exact_json, limits
from storage.archive import sql as archive_sql
from storage.archive.importing import imported_micros, plans
from storage.archive.importing.checking import Fault, check_file, key_of, prepare, tell_broken
from storage.archive.importing.plans import Choice, Plan, PortionReport
from storage.archive.importing.sources import FileSource, FoundFile, ItemSource, MicroSource, Source
from storage.archive.importing.updating import find_changes
from storage.archive.reading.json_stream import Broken
from storage.archive.reading.tables import CsvItems
from storage.base import bases
from storage.base.items import PreparedItem, prepare_item
from storage.drive import content_types, drives, files
from storage.drive.failpoints import reach
from storage.drive.files import Stored
from storage.drive.parts import PartWriter, hold, reserve
from storage.drive.sql import files as files_sql
from storage.errors import CollectionNotFound, InvalidInput, Unauthorized
from storage.models import Base, Import, ImportProblem
from storage.postgres.caller import Access
from storage.postgres.database import engine_errors, run, run_one
from storage.postgres.leases import Lease, Superseded
from storage.s3 import blobs
from storage.zip_reader import Damaged, Problem

_CONTENT_TYPE = re.compile(rf"[\x20-\x7e]{{1,{limits.CONTENT_TYPE_MAX_CHARACTERS}}}")


class Position(msgspec.Struct):
    """The committed progress: `number` items or files of a portion are done; a `replace` has then deleted up to `last`.

    What was last written before `since` is older than the portion's import.
    """

    portion: int = 0
    number: int = 0
    bytes: int = 0
    since: datetime | None = None
    last: str = ""


class Importer:
    """One attempt at an import. It writes through `lease` and stops as soon as that is lost.

    Without `lets_expire` items keep their `__expires` and stay all the same.
    """

    def __init__(
        self, import_: Import, lease: Lease, plan: Plan, choices: list[Choice], *, lets_expire: bool = True
    ) -> None:
        self._import, self._lease, self._lets_expire = import_, lease, lets_expire
        self._access = Access(import_.collection_id)
        self._choices = choices
        self.position = msgspec.convert(import_.position, Position)
        self.reports = plans.read_report(import_.report) or [
            PortionReport(portion.kind, portion.name, plans.target_name(portion, choice), choice.do)
            for portion, choice in zip(plan.portions, choices, strict=True)
        ]
        self._problems: list[Problem] = []
        self._problems_total = import_.problems_total

    def run(self, source: Source) -> None:
        """Store everything that is not yet stored. Raises Superseded, EngineUnreachable and DiskFull."""
        if not self.position.portion and not self.position.number:
            for problem in source.problems:
                self._note(problem)
        portions: list[ItemSource | FileSource | MicroSource] = [*source.bases, *source.drives, *source.micros]
        for index in range(self.position.portion, len(portions)):
            report, portion = self.reports[index], portions[index]
            if report.do != "skip":
                self._store(report, portion)
            with engine_errors(), transaction.atomic():
                self.position = Position(portion=index + 1, bytes=self.position.bytes)
                self._save()

    def _store(self, report: PortionReport, portion: ItemSource | FileSource | MicroSource) -> None:
        if not self.position.since:
            self.position.since = run_one(archive_sql.read_clock()).now
        try:
            if isinstance(portion, MicroSource):
                self._create_micro(report, portion)
            elif isinstance(portion, FileSource):
                self._store_files(report, portion)
            else:
                self._store_items(report, portion)
        except (Unauthorized, CollectionNotFound):
            raise Superseded from None  # the collection was deleted, and its reports with it

    def _store_items(self, report: PortionReport, base: ItemSource) -> None:
        """The Base is made with the first items: a file of which nothing can be read leaves none behind."""
        target = _Target(self._access.collection_id, report.into, _way(report, base), isinstance(base, CsvItems))
        batch = _Items()
        try:
            for read in base.read(skip=self.position.number):
                try:
                    row = prepare(read)
                    row = row if self._lets_expire else row._replace(expires=None)
                    if batch.is_full or row.key in batch.rows:
                        self._commit_items(report, target, batch)
                    batch.rows[row.key] = _Item(row, read.spot, base.entry)
                except Fault as fault:
                    report.skip(fault.reason)
                    self._note(Problem(base.entry, fault.what, read.spot, key_of(read)))
                batch.number, batch.bytes = read.number, batch.bytes + read.size_bytes
        except (Broken, Damaged) as error:
            report.broken = tell_broken(error)
            self._note(Problem(base.entry, f"The rest cannot be read: {error}", getattr(error, "spot", "")))
        if not report.broken and (batch.rows or report.stored or not report.skipped_total):
            target.make()
        self._commit_items(report, target, batch)
        if report.do == "replace" and target.is_made:
            base_id, by = target.make(), self._import.asked_by_id
            self._remove_older(report, lambda: archive_sql.delete_older_items(base_id, person_id=by, **self._older()))

    def _commit_items(self, report: PortionReport, target: "_Target", batch: "_Items") -> None:
        if batch.rows:
            disk_space.check_space_for_items()
        base_id = target.make() if batch.rows else 0
        with engine_errors(), transaction.atomic():
            if batch.rows:
                self._write_items(report, target, base_id, batch)
            self.position.number = max(batch.number, self.position.number)
            self.position.bytes += batch.bytes
            self._save()
            reach("import-before-commit")
        reach("import-after-commit")
        batch.clear()

    def _write_items(self, report: PortionReport, target: "_Target", base_id: int, batch: "_Items") -> None:
        """In the caller's transaction."""
        rows = [each.row for each in batch.rows.values()]
        if target.way == "update":
            rows = self._merge_items(report, target, base_id, batch)
        report.bytes += sum(row.size_bytes for row in rows)
        if not rows:
            return
        done = run_one(
            archive_sql.import_items(
                base_id, list(rows), since=self.position.since, way=target.way, person_id=self._import.asked_by_id
            )
        )
        if not done.is_there:
            raise Superseded
        if target.way == "add":
            report.read += done.written
            report.new += done.written
            for _ in range(len(rows) - done.written):
                report.skip("There already")
            return
        report.new, report.replaced = report.new + done.written - done.known, report.replaced + done.known
        report.read += done.written

    def _merge_items(
        self, report: PortionReport, target: "_Target", base_id: int, batch: "_Items"
    ) -> list[PreparedItem]:
        """The rows to write: of items that are there with what the file changes, unless that is nothing."""
        stored = {row.key: row.value for row in run(archive_sql.lock_items(base_id, list(batch.rows)))}
        rows = []
        for key, item in batch.rows.items():
            if key not in stored:
                rows.append(item.row)
                continue
            before = exact_json.parse(stored[key].encode())
            changes = find_changes(exact_json.parse(item.row.json.encode()), before, is_table=target.is_table)
            if not changes:
                report.read += 1
                report.unchanged += 1
                continue
            try:
                rows.append(prepare_item({"key": key, **before, **changes}))
            except InvalidInput as error:
                report.skip(error.args[0].split(":")[0])
                self._note(Problem(item.entry, ". ".join(error.messages), item.spot, key))
        return rows

    def _store_files(self, report: PortionReport, drive: FileSource) -> None:
        drive_id = drives.ensure_drive(collection_id=self._access.collection_id, name=report.into)
        seen: set[int] = set()
        for file in drive.files[: self.position.number]:
            seen.add(hash(file.name))
        batch = _Files(self._access, report.into)
        with PartWriter(batch.owner, batch.take) as writer, batch:
            for number, file in enumerate(drive.files[self.position.number :], start=self.position.number + 1):
                try:
                    check_file(file, seen)
                    self._put_file(batch, file, writer)
                except Fault as fault:
                    report.skip(fault.reason)
                    self._note(Problem(file.entry, fault.what))
                except Damaged as error:
                    batch.give_up()
                    writer.drop()
                    report.skip("Damaged")
                    self._note(Problem(file.entry, str(error)))
                batch.number, batch.bytes = number, batch.bytes + file.size_bytes
                self._lease.tick(bytes_done=self.position.bytes + batch.bytes)
                if batch.is_full:
                    self._commit_files(report, drive_id, batch, writer)
            self._commit_files(report, drive_id, batch, writer)
        if report.do == "replace":
            self._remove_older(report, lambda: archive_sql.delete_older_files(drive_id, **self._older()))

    def _put_file(self, batch: "_Files", file: FoundFile, writer: PartWriter) -> None:
        batch.begin(file)
        size_bytes = 0
        for chunk in file.read():
            size_bytes += len(chunk)
            writer.write(chunk)
        if writer.holds or not size_bytes:
            writer.cut()
        batch.end()

    def _commit_files(self, report: PortionReport, drive_id: int, batch: "_Files", writer: PartWriter) -> None:
        writer.settle()
        batch.store_manifests()
        with engine_errors(), transaction.atomic():
            known = run_one(archive_sql.find_known_files(drive_id, [each.file.name for each in batch.done])).total
            batch.point_all(drive_id)
            report.replaced, report.new = report.replaced + known, report.new + len(batch.done) - known
            report.read += len(batch.done)
            report.bytes += sum(each.size_bytes for each in batch.done)
            self.position.number = max(batch.number, self.position.number)
            self.position.bytes += batch.bytes
            self._save()
            reach("import-before-commit")
        reach("import-after-commit")
        batch.clear()

    def _create_micro(self, report: PortionReport, micro: MicroSource) -> None:
        """In one transaction, which notes that it is there: another attempt does not create it again."""
        if self.position.number:
            return

        def commit(made: imported_micros.Made) -> None:
            files = len(micro.files)
            report.read, report.new, report.bytes = files, files, micro.size_bytes
            if made.lacks:
                self._note(Problem(micro.entry, f"It has to do without what others have here: {', '.join(made.lacks)}"))
            self.position.number = 1
            self.position.bytes += micro.size_bytes
            self._save()
            reach("import-before-commit")

        try:
            imported_micros.import_micro(
                micro,
                collection_id=self._access.collection_id,
                name=report.into,
                asked_by=self._import.asked_by,
                progress=self._lease.tick,
                commit=commit,
            )
        except (imported_micros.Refused, Damaged) as error:
            report.skip("Not created")
            self._note(Problem(micro.entry, str(error)))
        reach("import-after-commit")

    def _older(self) -> dict[str, Any]:
        return {"before": self.position.since, "last": self.position.last, "limit": limits.DELETE_BATCH_ROWS}

    def _remove_older(self, report: PortionReport, statement: Any) -> None:
        """Remove what a `replace` found in place, batch after batch."""
        while True:
            with engine_errors(), transaction.atomic():
                last, removed = run_one(statement())
                if last is None:
                    return
                self.position.last = last
                report.removed += removed
                self._save()
                reach("import-before-commit")

    def _note(self, problem: Problem) -> None:
        self._problems_total += 1
        if self._problems_total <= limits.ARCHIVE_PROBLEMS_KEPT:
            self._problems.append(problem)

    def _save(self) -> None:
        """In the caller's transaction: record the progress and the report."""
        self._lease.save(
            position=msgspec.to_builtins(self.position),
            report=plans.keep(*self.reports),
            bytes_done=self.position.bytes,
            problems_total=self._problems_total,
        )
        keep_problems(self._import.id, self._problems)
        self._problems = []


def keep_problems(import_id: UUID, problems: list[Problem]) -> None:
    """Write problems down for good. What Postgres cannot hold in a text is shown by its escape."""
    kept = [{name: _storable(text) for name, text in problem._asdict().items()} for problem in problems]
    ImportProblem.objects.bulk_create(ImportProblem(found_in_id=import_id, **each) for each in kept)


def _way(report: PortionReport, base: ItemSource) -> str:
    """What becomes of items that are there: "update", "merge" or "add"."""
    if report.do == "rename":
        return "update" if isinstance(base, CsvItems) else "merge"
    return "merge" if report.do == "replace" else report.do


class _Target:
    """The Base that items go into, made when it is needed."""

    def __init__(self, collection_id: str, name: str, way: str, is_table: bool) -> None:
        self._collection_id, self._name = collection_id, name
        self._id = 0
        self.way, self.is_table = way, is_table

    @property
    def is_made(self) -> bool:
        return bool(self._id)

    def make(self) -> int:
        """The id. Raises Unauthorized when the collection is gone."""
        if not self._id:
            bases.ensure_base(collection_id=self._collection_id, name=self._name)
            found = Base.objects.values_list("id", flat=True)
            self._id = found.get(collection_id=self._collection_id, name=self._name)
        return self._id


class _Item(NamedTuple):
    """An item to store, and where it stands in the file."""

    row: PreparedItem
    spot: str
    entry: str


@dataclass
class _Items:
    """A batch of items by key, and how far it reaches."""

    rows: dict[str, _Item] = field(default_factory=dict)
    number: int = 0
    bytes: int = 0

    @property
    def is_full(self) -> bool:
        return len(self.rows) >= limits.ARCHIVE_BATCH_ITEMS or self.bytes >= limits.ARCHIVE_BATCH_BYTES

    def clear(self) -> None:
        self.rows, self.bytes = {}, 0


@dataclass
class _File:
    """A file while it is stored in the bucket."""

    file: FoundFile
    upload_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    parts: list[Stored] = field(default_factory=list)
    parts_begun: int = 0
    manifest: Stored | None = None
    is_given_up: bool = False

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts)

    @property
    def content_type(self) -> str:
        """What the manifest says, if a file may have that type."""
        known = self.file.content_type
        return known if _CONTENT_TYPE.fullmatch(known) else content_types.guess(self.file.name)


class _Files:
    """A batch of files: their blobs are in the bucket, and wait for the transaction that lets names mean them.

    As a context it lets go of blobs that no such transaction came to.
    """

    def __init__(self, access: Access, drive: str) -> None:
        self._access, self._drive = access, drive
        self._part_of: dict[int, _File] = {}
        self._current: _File | None = None
        self._abandoned: list[UUID] = []
        self.done: list[_File] = []
        self.number = self.bytes = 0

    def __enter__(self) -> "_Files":
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is not None:
            self.give_up()
            held = [
                part.id for each in self.done for part in (*each.parts, *([each.manifest] if each.manifest else []))
            ]
            run(files_sql.discard_blobs([*held, *self._abandoned]))

    @property
    def is_full(self) -> bool:
        return len(self.done) >= limits.ARCHIVE_BATCH_FILES or self.bytes >= limits.ARCHIVE_BATCH_FILE_BYTES

    def begin(self, file: FoundFile) -> None:
        self._current = _File(file)

    def end(self) -> None:
        assert self._current is not None  # noqa: S101 -- begun before, always
        self.done.append(self._current)
        self._current = None

    def give_up(self) -> None:
        """Drop the current file; its blobs become garbage."""
        if self._current is not None:
            self._current.is_given_up = True
            self._abandoned += [part.id for part in self._current.parts]
            self._current = None

    def owner(self, number: int) -> blobs.Owner:
        """Whose the blob is that is being put: the current file's next part."""
        file = self._current
        assert file is not None  # noqa: S101 -- bytes are written for a file, always
        self._part_of[number] = file
        file.parts_begun += 1
        return self._owner(file)._replace(upload_id=file.upload_id, part=file.parts_begun)

    def take(self, number: int, stored: Stored) -> None:
        file = self._part_of.pop(number)
        if file.is_given_up:
            self._abandoned.append(stored.id)
        else:
            file.parts.append(stored)

    def store_manifests(self) -> None:
        """A file of several blobs has one more, which lists them (see `storage/drive/uploads.py`)."""
        for each in self.done:
            if len(each.parts) > 1:
                content = hold(blobs.write_manifest(part.id for part in each.parts))
                each.manifest = files.store(reserve(), content, self._owner(each.file)._replace(is_manifest=True))

    def point_all(self, drive_id: int) -> None:
        """In the caller's transaction: point the names at the blobs in the bucket, in one order to avoid deadlocks."""
        for each in sorted(self.done, key=lambda done: done.file.name):
            for stored in (*each.parts, *([each.manifest] if each.manifest else [])):
                files.take(stored)
            files.point_file(
                self._access,
                self._drive,
                each.file.name,
                drive_id=drive_id,
                parts=each.parts,
                manifest=each.manifest.id if each.manifest else None,
                content_type=each.content_type,
            )

    def clear(self) -> None:
        if self._abandoned:
            run(files_sql.discard_blobs(self._abandoned))
        self.done, self._abandoned, self.bytes = [], [], 0

    def _owner(self, file: _File | FoundFile) -> blobs.Owner:
        found = file.file if isinstance(file, _File) else file
        return blobs.Owner(self._access.collection_id, self._drive, found.name, _File(found).content_type)


def _storable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode().replace("\x00", "\\u0000")
