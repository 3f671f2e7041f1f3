"""The contents of a file to import, of any origin, as Bases of items and Drives of files.

A zip of ours, or of the original service (`bases/<name>.json` as an array or under "items", `drives/<name>/...`); or a file of
items: JSON, NDJSON, CSV. Items and files come one by one; whatever cannot be read is a problem with its position.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import IO, Any, Protocol
from zipfile import ZipInfo

from storage import limits, zip_reader
from storage.archive import manifest as manifests
from storage.archive.manifest import FileEntry, Manifest, MicroEntry
from storage.archive.reading import tables
from storage.archive.reading.json_stream import find_items
from storage.archive.reading.parsed_items import Read, parse_leniently, parse_value
from storage.drive.content_types import guess
from storage.errors import InvalidInput
from storage.zip_reader import Archive, Damaged, Problem

_READ_BYTES = 262_144
_PEEK_BYTES = 65_536
_BASE_ENTRY = re.compile(r"bases/([^/]+)\.json", re.IGNORECASE)
_FILE_ENTRY = re.compile(r"drives/([^/]+)/(.+)", re.DOTALL)


class ItemSource(Protocol):
    """Items of one Base. `size_bytes` is how much there is to read."""

    name: str
    entry: str
    size_bytes: int

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
    """All there is to import. `made_by` is "Homeport", "zip", "JSON", "NDJSON" or "CSV"; `ignored` counts other entries."""

    made_by: str
    bases: list[ItemSource] = field(default_factory=list)
    drives: list[FileSource] = field(default_factory=list)
    micros: list[MicroSource] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: int = 0


def open_source(stream: IO[bytes], *, size_bytes: int, file_name: str, is_typed: bool = True) -> Source:
    """What a file holds. `is_typed`: whether a CSV's cells that look like numbers or JSON are taken for those.

    Raises InvalidInput when it is nothing that can be imported.
    """
    stream.seek(0)
    beginning = stream.read(_PEEK_BYTES)
    if zip_reader.is_zip(beginning):
        return _open_zip(stream, size_bytes)
    name = _base_name(file_name)
    match _guess_kind(beginning, file_name):
        case "JSON":
            return Source("JSON", [JsonItems(name, file_name, size_bytes, lambda: _chunks(stream))])
        case "NDJSON":
            return Source("NDJSON", [tables.NdjsonItems(name, file_name, size_bytes, lambda: _chunks(stream))])
        case "CSV":
            return Source("CSV", [tables.CsvItems(name, file_name, size_bytes, lambda: _chunks(stream), is_typed)])
    raise InvalidInput(f"{file_name} is neither a zip nor JSON, NDJSON or CSV")


@dataclass
class JsonItems:
    """Items in JSON: an array, or an object that has one under "items"."""

    name: str
    entry: str
    size_bytes: int
    open: Any

    def read(self, skip: int = 0) -> Iterator[Read]:
        found = find_items(self.open(), text_max_bytes=limits.ARCHIVE_ITEM_TEXT_MAX_BYTES)
        for number, value in enumerate(found, start=1):
            if number > skip:
                yield parse_value(number, value)


def _open_zip(stream: IO[bytes], size_bytes: int) -> Source:
    archive = zip_reader.open_zip(stream, size_bytes)
    manifest = manifests.find_manifest(archive)
    source = Source("Homeport" if manifest else "zip", problems=list(archive.problems))
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
    if not manifest and not source.bases and not source.drives and not source.problems:
        raise InvalidInput("The zip has no Bases (bases/<name>.json) and no files (drives/<name>/...)")
    return source


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
    return JsonItems(name, info.filename, info.file_size, lambda: archive.read(info))


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    stream.seek(0)
    while chunk := stream.read(_READ_BYTES):
        yield chunk


def _base_name(file_name: str) -> str:
    """A legal name out of a file's: `My notes.json` makes `My-notes`."""
    stem = PurePath(file_name.replace("\\", "/")).name.split(".", 1)[0]
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-")[: limits.NAME_MAX_CHARACTERS] or "imported"


def _guess_kind(beginning: bytes, file_name: str) -> str:
    """By the ending where it is clear, else by how it begins."""
    ending = PurePath(file_name).suffix.lower()
    text = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if ending in (".csv", ".tsv"):
        return "CSV"
    if ending in (".ndjson", ".jsonl"):
        return "NDJSON"
    if text.startswith(b"["):
        return "JSON"
    if text.startswith(b"{"):
        first = parse_leniently(text.split(b"\n", 1)[0])
        return "NDJSON" if isinstance(first, dict) and not isinstance(first.get("items"), list) else "JSON"
    return "JSON" if ending == ".json" else ""
