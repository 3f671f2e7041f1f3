"""The contents of a file to import, of any origin, as Bases of items and Drives of files.

A zip of ours, or of the original service (`bases/<name>.json` as an array or under "items", `drives/<name>/...`); a backup of
PocketBase; or a file of items, or a zip of such files (`storage/archive/reading/`). Items and files come one by one; whatever
cannot be read is a problem with its position.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import IO, Protocol
from zipfile import ZipInfo

from storage import zip_reader
from storage.archive import manifest as manifests
from storage.archive.manifest import FileEntry, Manifest, MicroEntry
from storage.archive.reading import kinds, pocketbase
from storage.archive.reading.documents import JsonItems
from storage.archive.reading.json_stream import Broken
from storage.archive.reading.parsed_items import Read
from storage.archive.reading.pocketbase import Database, RecordItems
from storage.archive.reading.shapes import Shape, find_shape
from storage.drive.content_types import guess
from storage.errors import InvalidInput
from storage.zip_reader import Archive, Damaged, Problem

_READ_BYTES = 262_144
_MAGIC_BYTES = len(pocketbase.MAGIC)
_BASE_ENTRY = re.compile(r"bases/([^/]+)\.json", re.IGNORECASE)
_FILE_ENTRY = re.compile(r"drives/([^/]+)/(.+)", re.DOTALL)
_STORED_ENTRY = re.compile(r"storage/([^/]+)/([^/]+)/(.+)", re.DOTALL)
# What is in those of Excel, LibreOffice and Numbers.
_WORKBOOKS = frozenset(("xl/workbook.xml", "xl/workbook.bin", "content.xml", "Index/Document.iwa"))
_ITEM_FILES = (*kinds.TABLES, *kinds.LINES, ".json")


class ItemSource(Protocol):
    """Items of one Base. `size_bytes` is how much there is to read, `told` what it was taken for."""

    @property
    def name(self) -> str: ...
    @property
    def entry(self) -> str: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def told(self) -> str: ...

    def read(self, skip: int = 0) -> Iterator[Read]:
        """The items after the first `skip`. Raises Broken where the rest cannot be read, and Damaged."""


@dataclass
class FoundFile:
    """A file of a Drive. `sha256` is what the manifest promises, if there is one."""

    archive: Archive
    info: ZipInfo
    name: str
    content_type: str
    sha256: str = ""

    @property
    def entry(self) -> str:
        return self.info.filename

    @property
    def size_bytes(self) -> int:
        return self.info.file_size

    def read(self) -> Iterator[bytes]:
        """The bytes. Raises Damaged, at the end at the latest, when they differ from the archive's checksum or manifest."""
        digest = hashlib.sha256()
        for chunk in self.archive.read(self.info):
            digest.update(chunk)
            yield chunk
        if self.sha256 and digest.hexdigest() != self.sha256:
            raise Damaged("its bytes do not match the hash in the manifest")


@dataclass
class FileSource:
    """The files of one Drive, in the order they lie in."""

    name: str
    files: list[FoundFile] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass
class MicroSource:
    """A Micro as the manifest tells it, and the files of its code that are there."""

    about: MicroEntry
    files: list[FoundFile] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.about.name

    @property
    def entry(self) -> str:
        return f"micros/{self.about.name}/"

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass
class Source:
    """All there is to import. `made_by` says what it was taken for.

    `ignored` counts other entries of a zip, `junk` what systems leave in zips (`.DS_Store` and its like).
    """

    made_by: str
    bases: list[ItemSource] = field(default_factory=list)
    drives: list[FileSource] = field(default_factory=list)
    micros: list[MicroSource] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: int = 0
    junk: int = 0


def open_source(stream: IO[bytes], *, size_bytes: int, file_name: str, base: str = "") -> Source:
    """What a file holds. `base` is the name of the Base that a file of items is for, else it is made of the file's.

    Raises InvalidInput when it is nothing that can be imported.
    """
    stream.seek(0)
    beginning = stream.read(_MAGIC_BYTES)
    if zip_reader.is_zip(beginning):
        return _open_zip(stream, size_bytes)

    def open_chunks() -> Iterator[bytes]:
        return _chunks(stream)

    if beginning == pocketbase.MAGIC:
        return _open_pocketbase(pocketbase.Database(open_chunks), file_name, size_bytes)
    try:
        found = kinds.open_items(open_chunks, file_name=file_name, size_bytes=size_bytes, name=base)
    except Broken as error:
        raise InvalidInput(f"{file_name} cannot be read: {error.spot}: {error.what}") from None
    if not found:
        raise InvalidInput(f"{file_name} is neither a zip nor JSON, NDJSON or CSV")
    return Source("file of items", list(found))


def _open_pocketbase(database: Database, entry: str, size_bytes: int) -> Source:
    bases = [RecordItems(each, entry, size_bytes, database) for each in database.collections]
    return Source("PocketBase", list(bases))


def _open_zip(stream: IO[bytes], size_bytes: int) -> Source:
    archive = zip_reader.open_zip(stream, size_bytes)
    manifest = manifests.find_manifest(archive)
    source = Source("Homeport" if manifest else "zip", problems=list(archive.problems))
    by_path = {archive.path_of(info): info for info in archive.entries}
    if manifest is None and (data := by_path.get("data.db")):
        database = pocketbase.Database(lambda: archive.read(data))
        backup = _open_pocketbase(database, data.filename, data.file_size)
        backup.problems, backup.drives = source.problems, _pocketbase_drives(archive, database)
        backup.ignored = len(archive.entries) - 1 - sum(len(drive.files) for drive in backup.drives)
        return backup
    base_names, described = _described(manifest)
    drives: dict[str, FileSource] = {}
    source.micros = [MicroSource(about) for about in manifest.micros] if manifest else []
    code = {
        file.entry or manifests.plain_code_entry(micro.name, file.name): (micro, file)
        for micro in source.micros
        for file in micro.about.listing
    }
    for info in archive.entries:
        path = archive.path_of(info)
        if path in base_names:
            source.bases.append(_base_source(archive, info, base_names.pop(path)))
        elif path in described:
            drive, about = described.pop(path)
            found = FoundFile(archive, info, about.name, about.type, about.sha256)
            drives.setdefault(drive, FileSource(drive)).files.append(found)
        elif path in code:
            micro, part = code.pop(path)
            micro.files.append(FoundFile(archive, info, part.name, "", part.sha256))
        elif zip_reader.is_junk(path):
            source.junk += 1
        elif base := _BASE_ENTRY.fullmatch(path):
            source.bases.append(_base_source(archive, info, base[1]))
        elif file := _FILE_ENTRY.fullmatch(path):
            found = FoundFile(archive, info, file[2], guess(file[2]))
            drives.setdefault(file[1], FileSource(file[1])).files.append(found)
        elif path != "manifest.json":
            source.ignored += 1
    source.drives = [drives[name] for name in sorted(drives)]
    source.bases.sort(key=lambda base: base.name)
    missing = [*base_names, *described, *code]
    source.problems += [Problem(entry, "the manifest lists it, but it is missing") for entry in missing]
    if not manifest and not source.bases and not source.drives:
        source.bases = _open_items_in_zip(archive)
        source.ignored -= len(source.bases)
        source.problems = list(archive.problems)
    if not manifest and not source.bases and not source.drives and not source.problems:
        raise InvalidInput(_explain_nothing([info.filename for info in archive.entries]))
    return source


def _explain_nothing(paths: list[str]) -> str:
    """Why a zip with these entries is none that can be imported."""
    if not _WORKBOOKS.isdisjoint(paths):
        return "This is a workbook: save its sheet as CSV, then import that"
    zips = [path for path in paths if path.lower().endswith(".zip") and not zip_reader.is_junk(path)]
    if zips:
        return f"The zip holds another zip: unpack it, and import {zips[0]}"
    return "The zip has no Bases (bases/<name>.json) and no files (drives/<name>/...)"


def _described(manifest: Manifest | None) -> tuple[dict[str, str], dict[str, tuple[str, FileEntry]]]:
    """By entry: the names of Bases; the Drive of each file and what the manifest says of it."""
    if manifest is None:
        return {}, {}
    files = {
        file.entry or f"drives/{drive.name}/{file.name}": (drive.name, file)
        for drive in manifest.drives
        for file in drive.listing
    }
    return {base.entry: base.name for base in manifest.bases}, files


def _base_source(archive: Archive, info: ZipInfo, name: str) -> ItemSource:
    """An entry of a Base: a list, or an object with one in it, or an item to a line."""

    def open_chunks() -> Iterator[bytes]:
        return archive.read(info)

    try:
        beginning, is_whole = kinds.peek(open_chunks)
    except Damaged:
        beginning, is_whole = b"", False  # which is told where all of it is read
    shape = find_shape(beginning, is_whole=is_whole) or Shape("a list of items")
    if not (shape.path or shape.is_lines or beginning.lstrip().startswith(b"[")):
        shape = Shape("a list of items", path=("items",))
    return JsonItems(name, info.filename, info.file_size, open_chunks, shape)


def _open_items_in_zip(archive: Archive) -> list[ItemSource]:
    """Of a zip that is no archive of Bases: the files of items in it, a Base each."""
    found: list[ItemSource] = []
    for info in archive.entries:
        if PurePath(info.filename).suffix.lower() not in _ITEM_FILES or zip_reader.is_junk(info.filename):
            continue

        def open_chunks(info: ZipInfo = info) -> Iterator[bytes]:
            return archive.read(info)

        try:
            found += kinds.open_items(open_chunks, file_name=info.filename, size_bytes=info.file_size)
        except (Broken, Damaged) as error:
            archive.problems.append(Problem(info.filename, str(error), getattr(error, "spot", "")))
    return found


def _pocketbase_drives(archive: Archive, database: Database) -> list[FileSource]:
    """The files of records: a Drive for each collection, in it `<id of the record>/<file>`."""
    names = {collection.id: collection.name for collection in database.collections}
    drives: dict[str, FileSource] = {}
    for info in archive.entries:
        stored = _STORED_ENTRY.fullmatch(archive.path_of(info))
        if stored and stored[1] in names and not stored[3].endswith(".attrs") and "/" not in stored[3]:
            name = names[stored[1]]
            found = FoundFile(archive, info, f"{stored[2]}/{stored[3]}", guess(stored[3]))
            drives.setdefault(name, FileSource(name)).files.append(found)
    return list(drives.values())


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(_READ_BYTES):
        yield chunk
