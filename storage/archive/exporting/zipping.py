"""One moment of a collection as a streamed zip; only what the zip's directory needs is kept in memory.

`bases/<name>.json` is an array with an item on each line, exactly as stored, key first, in the order of the keys;
`drives/<name>/...` are the files; `micros/<name>/...` is the code of Micros; `manifest.json` comes last. Keys, the values of
variables, people and events are no part of it (promises: P7).
"""

import hashlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple
from zipfile import ZIP_DEFLATED, ZIP_STORED

from zipstream import ZipStream

from storage import limits
from storage.archive import sql as archive_sql
from storage.archive.entry_names import EntryNames
from storage.archive.exporting import exported_micros
from storage.archive.exporting.read_ahead import read_ahead
from storage.archive.manifest import (
    ENTRY,
    BaseEntry,
    CodeEntry,
    CollectionEntry,
    DriveListing,
    FileEntry,
    MicroEntry,
    Totals,
    plain_code_entry,
    plain_entry,
    write_manifest,
)
from storage.drive.files import Download, Stored, StoredFile
from storage.drive.sql import uploads as uploads_sql
from storage.errors import InvalidInput
from storage.exact_json import dump
from storage.models import Collection
from storage.postgres.database import Snapshot

_PIECE_BYTES = 131_072
# Twice as fast as zlib's own choice, for a tenth more bytes of JSON.
_LEVEL = 3
_DIGEST_BYTES = 32

Progress = Callable[[Totals], None]


@dataclass(eq=False)
class _File:
    """A file that is being read. Its digest is complete once its last chunk has come."""

    name: str
    size_bytes: int
    digest: Any = field(default_factory=hashlib.sha256)


class _Chunk(NamedTuple):
    file: _File
    content: bytes


@dataclass
class _Drive:
    """What is known of a Drive once its files are through: of each the SHA-256 alone, one after the other."""

    id: int
    name: str
    digests: bytearray = field(default_factory=bytearray)
    size_bytes: int = 0

    @property
    def files(self) -> int:
        return len(self.digests) // _DIGEST_BYTES


class CollectionZip:
    """The export of a collection. Iterate once; `totals` is the progress. Raises EngineUnreachable, BlobMissing, and
    InvalidInput when there are more files than an archive may have entries.
    """

    def __init__(self, snapshot: Snapshot, collection: Collection, *, progress: Progress = lambda totals: None) -> None:
        self.totals = Totals()
        self._snapshot, self._collection, self._progress = snapshot, collection, progress
        self._zip = ZipStream(compress_type=ZIP_STORED, sized=False)
        self._names = EntryNames()
        self._bases: list[BaseEntry] = []
        self._drives: list[_Drive] = []
        self._micros: list[MicroEntry] = []

    def __iter__(self) -> Iterator[bytes]:
        for base_id, name in list(self._snapshot.rows(archive_sql.list_exported_bases(self._collection.id))):
            yield from self._base(base_id, name)
        for drive_id, name in list(self._snapshot.rows(archive_sql.list_exported_drives(self._collection.id))):
            yield from self._drive(_Drive(drive_id, name))
        for row in list(self._snapshot.rows(archive_sql.list_exported_micros(self._collection.id))):
            yield from self._micro(row)
        yield from self._entry(ENTRY, self.manifest(), compressed=True)
        yield from self._zip.finalize()

    def _entry(
        self, name: str, content: Iterator[bytes], *, compressed: bool, size: int | None = None
    ) -> Iterator[bytes]:
        packing: dict[str, Any] = {"compress_type": ZIP_DEFLATED, "compress_level": _LEVEL} if compressed else {}
        self._zip.add(content, name, size=size, **packing)
        yield from self._zip.file()

    def _base(self, base_id: int, name: str) -> Iterator[bytes]:
        entry, digest, before = self._names.for_base(name), hashlib.sha256(), self.totals.items
        self.totals.bases += 1
        size_bytes = 0

        def pieces() -> Iterator[bytes]:
            nonlocal size_bytes
            for piece in _as_array(self._counted(self._snapshot.rows(archive_sql.read_items(base_id)))):
                digest.update(piece)
                size_bytes += len(piece)
                self.totals.bytes += len(piece)
                yield piece

        yield from self._entry(entry, pieces(), compressed=True)
        self._bases.append(BaseEntry(name, entry, self.totals.items - before, size_bytes, digest.hexdigest()))

    def _counted(self, rows: Iterator[archive_sql.ItemText]) -> Iterator[archive_sql.ItemText]:
        for row in rows:
            self.totals.items += 1
            self._progress(self.totals)
            yield row

    def _drive(self, drive: _Drive) -> Iterator[bytes]:
        self.totals.drives += 1
        self._drives.append(drive)
        chunks = read_ahead(self._read(drive), limits.ARCHIVE_CHUNKS_AHEAD)
        with closing(chunks):
            for file, of_file in groupby(chunks, key=lambda chunk: chunk.file):
                if self.totals.files >= limits.ARCHIVE_ENTRIES_MAX - 10_000:
                    raise InvalidInput(f"An archive holds at most {limits.ARCHIVE_ENTRIES_MAX:,} Bases and files")
                entry = self._names.for_file(drive.name, file.name)
                yield from self._entry(entry, self._passing(of_file), compressed=False, size=file.size_bytes)
                drive.digests += file.digest.digest()
                drive.size_bytes += file.size_bytes
                self.totals.files += 1
                self._progress(self.totals)

    def _read(self, drive: _Drive) -> Generator[_Chunk, None, None]:
        """The Drive's files in order, in chunks of at least one each."""
        for row in self._snapshot.rows(archive_sql.read_files(drive.id)):
            stored = StoredFile(*row[1:])
            file = _File(row.name, stored.size_bytes)
            with closing(Download(stored, start=0, length=stored.size_bytes)) as download:
                for content in download:
                    file.digest.update(content)
                    yield _Chunk(file, content)
            if not stored.size_bytes:
                yield _Chunk(file, b"")

    def _micro(self, row: archive_sql.ExportedMicro) -> Iterator[bytes]:
        self.totals.micros += 1
        made_of = list(self._snapshot.rows(uploads_sql.get_parts(row.deployment_id.hex))) if row.deployment_id else []
        listing = []
        for name, size_bytes, content in exported_micros.read_code([Stored(*part[1:]) for part in made_of]):
            entry, digest = self._names.for_code(row.name, name), hashlib.sha256()
            yield from self._entry(entry, self._hashed(content, digest), compressed=True)
            different = "" if entry == plain_code_entry(row.name, name) else entry
            listing.append(CodeEntry(name, size_bytes, digest.hexdigest(), different))
        self._micros.append(exported_micros.describe(row, listing))

    def _hashed(self, chunks: Iterator[bytes], digest: Any) -> Iterator[bytes]:
        for chunk in chunks:
            digest.update(chunk)
            self._progress(self.totals)
            yield chunk

    def _passing(self, chunks: Iterator[_Chunk]) -> Iterator[bytes]:
        for chunk in chunks:
            self.totals.bytes += len(chunk.content)
            self._progress(self.totals)
            yield chunk.content

    def manifest(self) -> Iterator[bytes]:
        """The JSON of the manifest in pieces, once everything else is through.

        The files are read once more: by the same moment, in the same order, and so with the same entries.
        """
        names = EntryNames()
        for base in self._bases:
            names.for_base(base.name)
        return write_manifest(
            made_at=datetime.now(UTC),
            collection=CollectionEntry(self._collection.id, self._collection.name),
            totals=self.totals,
            bases=self._bases,
            drives=(DriveListing(d.name, d.files, d.size_bytes, self._listing(d, names)) for d in self._drives),
            micros=self._micros,
        )

    def _listing(self, drive: _Drive, names: EntryNames) -> Iterator[FileEntry]:
        for index, file in enumerate(self._snapshot.rows(archive_sql.read_files(drive.id))):
            digest = drive.digests[index * _DIGEST_BYTES : (index + 1) * _DIGEST_BYTES]
            entry = names.for_file(drive.name, file.name)
            different = "" if entry == plain_entry(drive.name, file.name) else entry
            self._progress(self.totals)
            yield FileEntry(file.name, file.size_bytes, file.content_type, digest.hex(), different)


def _as_array(rows: Iterator[archive_sql.ItemText]) -> Iterator[bytes]:
    """A JSON array in pieces of a size that is worth handing on."""
    held, size = ["["], 1
    for number, (key, value) in enumerate(rows):
        head = (",\n" if number else "\n") + '{"key": ' + dump(key).decode()
        text = head + ("}" if value == "{}" else ", " + value[1:])
        held.append(text)
        size += len(text)
        if size >= _PIECE_BYTES:
            yield "".join(held).encode()
            held, size = [], 0
    held.append("\n]\n")
    yield "".join(held).encode()
