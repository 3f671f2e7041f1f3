"""What one backup is: a manifest, which is written last. What has none is no backup.

In a target:

- `homeport-backup.json`: whose backups these are;
- `manifests/<id>-<SHA-256 of this file>.json`: a backup, with the size and SHA-256 of each of its files;
- `postgres/<id>/base.tar.zst` and `postgres/<id>/backup_manifest`: the database, whole or what changed since the parent;
- `data/<id>.json`: the secrets of the data folder, `homeport.json` and `tls/`;
- `lists/<id>.zst`: the blobs that the database knew, a line each;
- `blobs/ab/cd/<blob>`: the bytes of files, as stored, for all backups together;
- `wal/<line>/...`: the database's log, see `wal.py`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

import msgspec

from storage.backups.faults import BackupFault, Damaged, Missing
from storage.backups.targets.places import Place, Put

FORMAT = 1
MARK = "homeport-backup.json"
MANIFESTS, BASES, DATA, LISTS, BLOBS, LOG = "manifests/", "postgres/", "data/", "lists/", "blobs/", "wal/"

_NAME = re.compile(r"manifests/([0-9]{8}T[0-9]{6}Z-[0-9a-f]{8})-([0-9a-f]{64})\.json")
_ID = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}")


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Whose backups are in a target. `target_id` tells this target from another of the same server's."""

    format: int
    instance_id: str
    target_id: str


class StoredFile(msgspec.Struct, frozen=True):
    """A file of a backup: its name in the target, its size in bytes, the SHA-256 of its content."""

    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A backup. `line` is which life of the database it is of: a restored one begins another.

    Positions in the log are PostgreSQL's; `began_at` and `consistent_at` are the database's clock, before and after the base
    backup: it can be restored from `consistent_at` on. `counted_at_position` is where the tables had as many rows as `rows`
    says; empty when they could not be counted. `keeps_log`: the log behind it comes without a gap.
    """

    format: int = FORMAT
    id: str
    parent: str | None
    line: str
    instance_id: str
    version: str
    began_at: datetime
    consistent_at: datetime
    first_segment: str
    segment_bytes: int
    files: list[StoredFile]
    rows: dict[str, int] = msgspec.field(default_factory=dict)
    counted_at_position: str = ""
    blobs: int = 0
    blob_bytes: int = 0
    has_database: bool = True
    keeps_log: bool = True

    @property
    def is_full(self) -> bool:
        """Whether it needs no other."""
        return self.parent is None

    @property
    def size_bytes(self) -> int:
        """Of its own files, without blobs and log."""
        return sum(each.size_bytes for each in self.files)

    def file(self, prefix: str) -> StoredFile | None:
        """Its file under a prefix of the target; None when it has none there."""
        return next((each for each in self.files if each.name.startswith(prefix)), None)


def hash_of(content: bytes) -> str:
    """The SHA-256 of something, in hexadecimal digits."""
    return sha256(content).hexdigest()


def new_id(began_at: datetime, line: str) -> str:
    """The id of a backup, by which they sort in time."""
    return f"{began_at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{line[:8]}"


def is_id(text: str) -> bool:
    """Whether a text is an id of a backup."""
    return _ID.fullmatch(text) is not None


def write_manifest(place: Place, manifest: Manifest) -> str:
    """Make a backup of what was written; the name of its manifest. Raises BackupFault."""
    content = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    name = f"{MANIFESTS}{manifest.id}-{hash_of(content)}.json"
    place.put(name, [content])
    return name


def read_manifest(place: Place, name: str) -> Manifest:
    """A backup by the name of its manifest. Raises Missing, Damaged and BackupFault."""
    found = _NAME.fullmatch(name)
    content = place.read(name)
    if found is None or hash_of(content) != found[2]:
        raise Damaged(f"{place}/{name} is damaged: its SHA-256 is not the one in its name.")
    try:
        raw = msgspec.json.decode(content)
        if isinstance(raw, dict) and isinstance(raw.get("format"), int) and raw["format"] > FORMAT:
            raise BackupFault(f"{place}/{name} was made by a newer version of Homeport: restore it with that version.")
        return msgspec.convert(raw, Manifest)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Damaged(f"{place}/{name} is damaged: {error}.") from error


def complete(manifest: Manifest, files: list[StoredFile], *, blobs: int, blob_bytes: int) -> Manifest:
    """The manifest of a backup all of whose files are written."""
    return msgspec.structs.replace(manifest, files=files, blobs=blobs, blob_bytes=blob_bytes)


@dataclass
class Written:
    """The files of a backup that is being made."""

    place: Place
    files: list[StoredFile] = field(default_factory=list)

    def put(self, name: str, chunks: Iterable[bytes]) -> Put:
        """Write one, and remember its size and SHA-256. Raises BackupFault."""
        done = self.place.put(name, chunks)
        self.files.append(StoredFile(name, done.size_bytes, done.sha256))
        return done


def read_mark(place: Place) -> Mark | None:
    """Whose backups are in this target; None when there are none. Raises BackupFault."""
    try:
        return msgspec.json.decode(place.read(MARK), type=Mark)
    except Missing:
        return None
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise Damaged(f"{place}/{MARK} is damaged: {error}.") from error


def write_mark(place: Place, mark: Mark) -> None:
    """Make a place a target of backups. Raises BackupFault."""
    place.put(MARK, [msgspec.json.encode(mark)])
