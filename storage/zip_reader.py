"""Reads untrusted zips entry by entry; nothing is unpacked to disk.

`zipfile` reads the directory and the entries. What it would let through is looked at here first: too many entries, names that
lead elsewhere, links, encryption, entries over each other, sizes that lie, and more bytes than a zip of this size may hold.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

from storage import limits
from storage.errors import InvalidInput

_READ_BYTES = 262_144
_END, _END64, _LOCATOR64, _RECORD = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"
_END_BYTES, _COMMENT_MAX_BYTES, _LOCATOR64_BYTES, _RECORD_BYTES = 22, 65_535, 20, 46
_LOCAL_BYTES = 30
_IS_UTF_8 = 0x800
# In lower case: Windows writes them in any.
_JUNK = (".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", ".localized")
_JUNK_FOLDERS = ("__macosx", ".spotlight-v100", ".trashes", ".fseventsd", ".appledouble", "@eadir")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class Problem(NamedTuple):
    """Something that cannot be imported: where (the entry or file, and the position in it), an item's key, and why."""

    place: str
    what: str
    spot: str = ""
    key: str = ""


class Damaged(Exception):
    """An entry's bytes are not what the archive says they are."""


@dataclass
class Archive:
    """The entries of a zip that can be read, in the order they lie in, and what is wrong with the others."""

    zip: ZipFile
    entries: list[ZipInfo] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    folder: str = ""  # that everything lies in
    budget_bytes: int = 0  # that may still be unpacked

    def read(self, entry: ZipInfo) -> Iterator[bytes]:
        """An entry's bytes in chunks. Raises Damaged, also at the end, when they do not match their checksum or size."""
        size_bytes = 0
        try:
            with self.zip.open(entry) as stream:
                while chunk := stream.read(_READ_BYTES):
                    size_bytes += len(chunk)
                    self.budget_bytes -= len(chunk)
                    if self.budget_bytes < 0:
                        raise Damaged("the archive unpacks to far more than its size: reading stopped")
                    yield chunk
        except (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error) as error:
            raise Damaged(_explain(error)) from None
        if size_bytes != entry.file_size:
            raise Damaged(f"it has {size_bytes:,} bytes, and the archive says {entry.file_size:,}")

    def path_of(self, entry: ZipInfo) -> str:
        """The entry's name within the folder that everything lies in."""
        return entry.filename.removeprefix(self.folder)


def open_zip(source: IO[bytes], size_bytes: int) -> Archive:
    """Look at a zip's directory. Raises InvalidInput when it has none that can be read, or too large a one."""
    _count_entries(source, size_bytes)
    try:
        archive = Archive(ZipFile(source))
    except (BadZipFile, struct.error, ValueError, NotImplementedError, OverflowError) as error:
        raise InvalidInput(f"This is not a zip that can be read: {error}") from None
    for entry in archive.zip.infolist():
        _read_name(entry)
    archive.budget_bytes = limits.ARCHIVE_FREE_BYTES + limits.ARCHIVE_RATIO_MAX * size_bytes
    in_order = sorted(archive.zip.infolist(), key=lambda entry: entry.header_offset)
    overlapping = _find_overlapping(in_order, archive.zip.start_dir)
    seen: set[str] = set()
    for entry in in_order:
        if entry.is_dir():
            continue
        fault = _find_fault(entry, archive) or ("it overlaps another entry" if id(entry) in overlapping else "")
        if not fault and entry.filename in seen:
            fault = "another entry has this name: only the first of them is read"
        if fault:
            archive.problems.append(Problem(_shown(entry.filename), fault))
        else:
            seen.add(entry.filename)
            archive.entries.append(entry)
    archive.folder = _find_folder(archive.entries)
    return archive


def _read_name(entry: ZipInfo) -> None:
    """A name without the flag for UTF-8, which `zipfile` takes for cp437: many programs write UTF-8 and don't say so.

    `orig_filename` stays, as `zipfile` compares it with the entry's own.
    """
    if entry.flag_bits & _IS_UTF_8 or entry.filename.isascii():
        return
    with suppress(UnicodeError):
        entry.filename = entry.filename.encode("cp437").decode()


def _find_fault(entry: ZipInfo, archive: Archive) -> str:
    """Why an entry is not read; empty when it can be."""
    name = entry.filename
    steps = name.split("/")
    if name.startswith("/"):
        return "its name is an absolute path"
    if len(name) > 1 and name[1] == ":":
        return "its name is a path with a drive letter"
    if "\\" in name:
        return "its name is a Windows path with backslashes"
    if ".." in steps:
        return "its name leads out of its folder (“..”)"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "it is a link, not a file"
    if entry.flag_bits & 0x41:
        return "it is encrypted"
    if entry.compress_type not in _METHODS:
        return f"its compression method is not supported (number {entry.compress_type})"
    if entry.file_size > archive.budget_bytes:
        return "it would unpack to far more than an archive of this size may"
    return ""


def _find_overlapping(in_order: list[ZipInfo], directory_at: int) -> set[int]:
    """The ids of entries whose bytes reach into the next one, and of those next ones."""
    found: set[int] = set()
    reached, last = 0, None
    for entry in in_order:
        if last is not None and entry.header_offset < reached:
            found |= {id(last), id(entry)}
        end = entry.header_offset + _LOCAL_BYTES + len(entry.orig_filename) + entry.compress_size
        if end > reached:
            reached, last = end, entry
        if end > directory_at:
            found.add(id(entry))
    return found


def _find_folder(entries: list[ZipInfo]) -> str:
    """`export/` when all entries lie in a folder of that name, as those do that somebody unpacked and packed again.

    It may lie in another one.
    """
    paths = [entry.filename for entry in entries if not is_junk(entry.filename)]
    found = ""
    while len(tops := {path.split("/", 1)[0] if "/" in path else "" for path in paths}) == 1:
        only = tops.pop()
        if only in ("", "bases", "drives"):
            break
        found += f"{only}/"
        paths = [path.removeprefix(f"{only}/") for path in paths]
    return found


def _count_entries(source: IO[bytes], size_bytes: int) -> None:
    """Walk the directory without keeping it. Raises InvalidInput when there are more entries than memory is meant for."""
    at, length = _find_directory(source, size_bytes)
    source.seek(at)
    count, left = 0, length
    while left >= _RECORD_BYTES:
        record = source.read(_RECORD_BYTES)
        if len(record) < _RECORD_BYTES or not record.startswith(_RECORD):
            break
        more = sum(struct.unpack_from("<3H", record, 28))
        source.seek(more, 1)
        left -= _RECORD_BYTES + more
        count += 1
        if count > limits.ARCHIVE_ENTRIES_MAX:
            raise InvalidInput(f"The zip has more than {limits.ARCHIVE_ENTRIES_MAX:,} entries")


def _find_directory(source: IO[bytes], size_bytes: int) -> tuple[int, int]:
    """Where the directory begins and how many bytes it has. Raises InvalidInput."""
    tail_bytes = min(size_bytes, _END_BYTES + _COMMENT_MAX_BYTES + _LOCATOR64_BYTES + 56)
    source.seek(size_bytes - tail_bytes)
    tail = source.read(tail_bytes)
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_BYTES:
        raise InvalidInput("This zip is incomplete: its directory, which is at the end, is missing")
    length = struct.unpack_from("<L", tail, end + 12)[0]
    above = size_bytes - tail_bytes + end  # what the directory must end at
    locator = end - _LOCATOR64_BYTES
    if locator >= 0 and tail[locator : locator + 4] == _LOCATOR64:
        end64 = tail.rfind(_END64, 0, locator)
        if end64 >= 0 and locator - end64 >= 56:
            length, above = struct.unpack_from("<Q", tail, end64 + 40)[0], size_bytes - tail_bytes + end64
    if length > above:
        raise InvalidInput("The zip's directory claims to be larger than the zip")
    return above - length, length


def _explain(error: Exception) -> str:
    said = str(error)
    if "Bad CRC" in said:
        return "its bytes do not match their checksum or size"
    if "differ" in said:
        return "its two names in the archive differ"
    return f"it cannot be unpacked ({said[:200]})"


def _shown(name: str) -> str:
    return name if len(name) <= 300 else f"{name[:300]}…"


def is_junk(path: str) -> bool:
    """Whether a system left this in a zip: no person put it there."""
    *folders, name = path.lower().split("/")
    return not set(_JUNK_FOLDERS).isdisjoint(folders) or name in _JUNK or name.startswith("._")


def is_zip(beginning: bytes) -> bool:
    return beginning.startswith((b"PK\x03\x04", _END))
