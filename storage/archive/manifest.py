"""The manifest of an archive: its contents, the real names, and the hashes to check them with.

It is the last entry, because everything has to be counted and hashed first. `docs/archives.md` documents the format.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from storage import limits
from storage.errors import InvalidInput
from storage.zip_reader import Archive, Damaged

ENTRY = "manifest.json"
FORMAT = "homeport-archive"
VERSION = 1


class BaseEntry(msgspec.Struct, frozen=True, gc=False):
    """A Base: its entry's name, how many items and bytes of JSON it has, and their SHA-256 in hexadecimal digits."""

    name: str
    entry: str
    items: int
    bytes: int
    sha256: str


class FileEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A file. `entry` is there when it differs from `drives/<drive>/<name>`."""

    name: str
    bytes: int
    type: str
    sha256: str
    entry: str = ""


class DriveEntry(msgspec.Struct, frozen=True, gc=False):
    """A Drive with all its files."""

    name: str
    files: int
    bytes: int
    listing: list[FileEntry]


class CodeEntry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A file of a Micro's code. `entry` is there when it differs from `micros/<Micro>/<name>`."""

    name: str
    bytes: int
    sha256: str
    entry: str = ""


class MicroEntry(msgspec.Struct, frozen=True):
    """A Micro: its settings, the names of its variables without their values, and the code that serves, if any."""

    name: str
    runtime: str
    subdomain: str  # a wish: another Micro may have it where this one is imported
    domains: list[str]  # likewise
    has_sign_in: bool
    is_recorded: bool
    is_kept_warm: bool
    idle_minutes: int
    variables: list[str]
    files: int
    bytes: int
    listing: list[CodeEntry]
    schedule: str = ""  # when its cron functions run
    schedule_seconds: int | None = None  # that such a run may take; none: as long as a request


class Totals(msgspec.Struct, gc=False):
    """How much there is in all. Files and bytes are those of Bases and Drives, unpacked; Micros have their own."""

    bases: int = 0
    items: int = 0
    drives: int = 0
    files: int = 0
    bytes: int = 0
    micros: int = 0


class CollectionEntry(msgspec.Struct, frozen=True, gc=False):
    """The collection that was exported."""

    id: str
    name: str


class Manifest(msgspec.Struct, frozen=True):
    """The whole manifest, as read."""

    format: str
    version: int
    made_at: datetime
    collection: CollectionEntry
    totals: Totals
    bases: list[BaseEntry]
    drives: list[DriveEntry]
    micros: list[MicroEntry] = []


@dataclass(frozen=True, slots=True)
class DriveListing:
    """A Drive while it is written: its files come one by one, as there may be very many."""

    name: str
    files: int
    bytes: int
    listing: Iterable[FileEntry]


_encode = msgspec.json.Encoder().encode
_decoder = msgspec.json.Decoder(Manifest)


def plain_entry(drive: str, name: str) -> str:
    """The entry that a file has when nothing speaks against its name."""
    return f"drives/{drive}/{name}"


def plain_code_entry(micro: str, name: str) -> str:
    """Likewise, of a file of a Micro's code."""
    return f"micros/{micro}/{name}"


def write_manifest(
    *,
    made_at: datetime,
    collection: CollectionEntry,
    totals: Totals,
    bases: list[BaseEntry],
    drives: Iterable[DriveListing],
    micros: Iterable[MicroEntry] = (),
) -> Iterator[bytes]:
    """The manifest's JSON in pieces, a line for each Base and file."""
    head = {"format": FORMAT, "version": VERSION, "made_at": made_at, "collection": collection, "totals": totals}
    yield _encode(head)[:-1] + b',\n"bases":['
    yield b",".join(b"\n" + _encode(base) for base in bases)
    yield b'],\n"drives":['
    for number, drive in enumerate(drives):
        about = {"name": drive.name, "files": drive.files, "bytes": drive.bytes}
        yield (b"," if number else b"") + b"\n" + _encode(about)[:-1] + b',"listing":['
        for index, file in enumerate(drive.listing):
            yield (b"," if index else b"") + b"\n" + _encode(file)
        yield b"]}"
    yield b'],\n"micros":['
    for number, micro in enumerate(micros):
        yield (b"," if number else b"") + b"\n" + _encode(micro)
    yield b"]}\n"


def read_manifest(text: bytes) -> Manifest | None:
    """The manifest of a Homeport archive; None when the file is something else.

    Raises InvalidInput for one of ours that is damaged, or newer than this version of Homeport.
    """
    try:
        about: Any = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        if msgspec.json.decode(about["format"]) != FORMAT:
            return None
        version = msgspec.json.decode(about["version"])
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError):
        return None
    if version != VERSION:
        raise InvalidInput(
            f"The manifest has version {version}, this Homeport reads version {VERSION}: update Homeport first"
        )
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The manifest is damaged: {error}") from None


def find_manifest(archive: Archive) -> Manifest | None:
    """The archive's manifest, when it is one of ours. Raises InvalidInput for one that is damaged or too large."""
    found = [entry for entry in archive.entries if archive.path_of(entry) == ENTRY]
    if not found:
        return None
    if found[0].file_size > limits.ARCHIVE_MANIFEST_MAX_BYTES:
        raise InvalidInput(f"The manifest has more than {limits.ARCHIVE_MANIFEST_MAX_BYTES:,} bytes")
    try:
        return read_manifest(b"".join(archive.read(found[0])))
    except Damaged as error:
        raise InvalidInput(f"The manifest is damaged: {error}") from None


def find_differences(left: Manifest, right: Manifest) -> list[str]:
    """The differences between two archives' data, in words; empty when there are none. Collection and time are not compared."""
    found = []
    for kind, mine, theirs in (
        ("Base", {b.name: b for b in left.bases}, {b.name: b for b in right.bases}),
        ("Drive", {d.name: d for d in left.drives}, {d.name: d for d in right.drives}),
        ("Micro", {m.name: _own(m) for m in left.micros}, {m.name: _own(m) for m in right.micros}),
    ):
        for name in sorted(mine.keys() | theirs.keys()):
            one, other = mine.get(name), theirs.get(name)
            if one is None or other is None:
                found.append(f"The {kind} {name} is in only one of them")
            elif isinstance(one, DriveEntry) and isinstance(other, DriveEntry):
                found += _differing_files(one, other)
            elif one != other:
                found.append(f"The {kind} {name} differs: {one} and {other}")
    return found


def _own(micro: MicroEntry) -> MicroEntry:
    """Without what an import can only wish for, or never has."""
    listing = [msgspec.structs.replace(file, entry="") for file in micro.listing]
    return msgspec.structs.replace(micro, subdomain="", domains=[], variables=[], listing=listing)


def _differing_files(left: DriveEntry, right: DriveEntry) -> list[str]:
    mine, theirs = {file.name: file for file in left.listing}, {file.name: file for file in right.listing}
    return [
        f"The file {name!r} of the Drive {left.name} differs"
        for name in sorted(mine.keys() | theirs.keys())
        if mine.get(name) != theirs.get(name)
    ]
