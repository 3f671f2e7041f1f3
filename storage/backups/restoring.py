"""Restores a server from a backup and the log behind it into an empty data folder, as it was at a moment.

Nothing of the running server is used: engines of the restored folder's own are started for as long as it takes. Until all is
there the folder has a note that it is not whole, by which `serve` refuses it and the next try begins anew.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from storage.backups import blobs as copies
from storage.backups import catalogue, wal
from storage.backups import manifest as manifests
from storage.backups.catalogue import Catalogue
from storage.backups.faults import BackupFault, Damaged, Missing
from storage.backups.manifest import Manifest
from storage.backups.places import Place
from storage.backups.sql import restored as restored_sql
from storage.backups.sql.restored import BlobToRestore
from storage.backups.wal import Segment
from storage.embedded import accounts, durable, leftovers, paths, postgres, state
from storage.embedded.backing_up import recovering, tars, tools, verifying
from storage.embedded.backing_up.recovering import Installation
from storage.s3 import blobs

NOTE = "restore.json"
MAJOR = "18"
LOCK = "serve.lock"
_AT_ONCE = 4
_BATCH = 200
# Beside what is restored: the engines' own files, and the log that PostgreSQL writes meanwhile.
_MARGIN_BYTES = 512 * 1024 * 1024
# A tar of a database packs to a third at least, mostly.
_UNPACKED = 4


@dataclass(frozen=True)
class Until:
    """Where to stop: at a moment, or at a position of the log; at the end with neither."""

    at: datetime | None = None
    position: str = ""

    def settings(self) -> Mapping[str, str]:
        """As PostgreSQL's settings."""
        if self.position:
            return {"recovery_target_lsn": self.position}
        return {"recovery_target_time": self.at.astimezone(UTC).isoformat()} if self.at else {}


@dataclass
class Restored:
    """What was restored. `missing` are live blobs that the backup does not have, `rows` what tables have, where it was asked."""

    backup: Manifest
    last: datetime
    home: Path = Path()
    blobs: int = 0
    blob_bytes: int = 0
    missing: list[UUID] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def restore(
    place: Place,
    *,
    data: Path,
    engine_user: str,
    at: datetime | None = None,
    backup_id: str | None = None,
    position: str = "",
    counts: tuple[str, ...] = (),
    tell: Callable[[str], None] = lambda sentence: None,
) -> Restored:
    """Restore into a data folder that is empty, or has what an interrupted restore left, under the lock of that folder.

    With `counts`, say how many rows these tables have. Raises BackupFault; the folder is not whole then.
    """
    known = catalogue.read_catalogue(place)
    backup = known.choose(at=at, backup_id=backup_id)
    claim(data, place, backup, at)
    tell(f"Restoring the backup {backup.id} from {place} ...")
    work = _Restoring(place, known, backup, data, Until(at, position), tell)
    try:
        done = work.run(engine_user, counts)
    except (tools.ToolFailed, recovering.RecoveryFailed, verifying.Differs, psycopg.Error) as error:
        raise BackupFault(f"PostgreSQL could not be restored: {error}") from error
    except (paths.PathError, state.StateError, accounts.AccountError) as error:
        raise BackupFault(str(error)) from error
    except OSError as error:
        raise BackupFault(f"{error.filename or data}: {error.strerror or error}") from error
    (data / NOTE).unlink()
    durable.sync_folder(data)
    return done


def claim(data: Path, place: Place, backup: Manifest, at: datetime | None) -> None:
    """Make the folder one that is being restored. Raises BackupFault unless it is empty or was one already."""
    found = sorted(path.name for path in data.iterdir() if path.name != LOCK)
    if NOTE in found:
        remove_remains(data)
    elif found:
        raise BackupFault(
            f"{data} is not empty: it has {found[0]}. A backup is restored into an empty data folder: set HOMEPORT_DATA to one,"
            " or move what is there away. Nothing was changed."
        )
    about = {"source": str(place), "backup": backup.id, "at": at.isoformat() if at else None}
    durable.write(data / NOTE, json.dumps(about, indent=1).encode())


def refuse_unfinished(data: Path) -> None:
    """Raises BackupFault when a restore into this folder was interrupted."""
    if (data / NOTE).exists():
        raise BackupFault(
            f"{data} is not whole: a restore into it was interrupted, or is on its way. Run `restore` again; it begins anew."
        )


def remove_remains(data: Path) -> None:
    """Remove what an interrupted restore left in a folder that has its note, and its engines' home outside of it."""
    with contextlib.suppress(state.StateError):
        if kept := state.load(data):
            home = kept.home(data)
            leftovers.clear(kept.instance_id, data, postgres.folder(home.resolve()))
            if home.is_dir() and not home.resolve().is_relative_to(data):
                shutil.rmtree(home)
    for path in data.iterdir():
        if path.name not in (LOCK, NOTE):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


class _Restoring:
    """One restore on its way."""

    def __init__(
        self, place: Place, known: Catalogue, backup: Manifest, data: Path, until: Until, tell: Callable[[str], None]
    ) -> None:
        self.place, self.known, self.backup, self.data, self.until, self.tell = place, known, backup, data, until, tell
        self.chain = known.chain(backup)
        self.log = _needed(known.log_of(backup), until)
        self.done = Restored(backup, known.span(backup).last if not until.at else until.at)

    def run(self, engine_user: str, counts: tuple[str, ...]) -> Restored:
        self._check_room()
        at = self._prepare(engine_user)
        self.done.home = at.home
        incoming = at.home / "restoring"
        shutil.rmtree(incoming, ignore_errors=True)
        incoming.mkdir()
        # PostgreSQL passes through it to the log.
        incoming.chmod(0o711)
        self._unpack_database(at, incoming)
        log = incoming / "wal"
        self._unpack_log(log)
        self.tell("Replaying the log ...")
        parameters = postgres.connection_parameters(at.local.postgres)
        with (
            recovering.recovered_postgres(at, log=log, until=self.until.settings()),
            psycopg.connect(**parameters, autocommit=True) as connection,
        ):
            self.done.rows = {
                table: count for table in counts for (count,) in connection.execute(restored_sql.count(table).encode())
            }
            _begin_anew(connection)
            client = self._s3(at)
            with recovering.running_seaweedfs(at, has_bucket=lambda: _has_bucket(client, at)):
                self._put_blobs(client, at.local.s3.bucket, connection)
        shutil.rmtree(incoming)
        state.note_made(self.data, at.local)
        os.sync()
        return self.done

    def _check_room(self) -> None:
        """Raises BackupFault when there is clearly too little."""
        bases = sum(each.size_bytes for each in self.chain) * _UNPACKED
        needed = bases + len(self.log) * self.backup.segment_bytes + self.backup.blob_bytes + _MARGIN_BYTES
        free = shutil.disk_usage(self.data).free
        if free < needed:
            raise BackupFault(
                f"It takes about {needed / 1e9:.1f} GB, and the disk of {self.data} has {free / 1e9:.1f} GB free."
            )

    def _prepare(self, engine_user: str) -> Installation:
        """The secrets, ports and folders of the restored server."""
        secrets = self._fetch(f"{manifests.DATA}{self.backup.id}.json")
        files: dict[str, str] = json.loads(secrets)
        kept = msgspec.convert(msgspec.json.decode(files.pop(state.FILE_NAME)), state.LocalState)
        # Where the engines' data was, and that there was any, is of the machine that the backup is from.
        kept = replace(kept, engine_home="", engines_made=(), mark="", version=state.FORMAT)
        state.save(self.data, kept)
        folder = self.data / "tls"
        folder.mkdir(mode=0o700)
        for name, content in files.items():
            durable.write(folder / Path(name).name, content.encode())
        account = accounts.engine_account(engine_user)
        local = state.ensure(self.data, engine_user=engine_user)
        home = local.home(self.data)
        paths.prepare_home(self.data, home, account)
        local = state.claim_home(self.data, local)
        marks = leftovers.marks(local.instance_id, self.data)
        return Installation(home, local, paths.binaries(account), account, marks)

    def _unpack_database(self, at: Installation, incoming: Path) -> None:
        folders = []
        for number, each in enumerate(self.chain):
            self.tell(f"Unpacking the database of {each.id} ...")
            folder = incoming / f"base-{number}"
            folder.mkdir(mode=0o700)
            name = f"{manifests.BASES}{each.id}/base.tar.zst"
            try:
                tars.unpack(copies.unpacked(self._checked(each, name), name), folder)
            except tarfile.TarError as error:
                raise Damaged(f"{self.place}/{name} is damaged: {error}.") from error
            verifying.verify(folder)
            folders.append(folder)
        major = (folders[-1] / "PG_VERSION").read_text().strip()
        if major != MAJOR:
            raise BackupFault(
                f"The backup is of PostgreSQL {major}, and this version of Homeport has {MAJOR}: restore it with Homeport"
                f" {self.backup.version}, then upgrade."
            )
        whole = folders[0]
        if len(folders) > 1:
            whole = incoming / "whole"
            tools.combine(folders, whole)
        whole.rename(postgres.folder(at.home))
        for folder in folders[1:]:
            shutil.rmtree(folder)

    def _unpack_log(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.tell(f"Fetching {len(self.log)} segments of the log ...")
        for each in self.log:
            content = read_log(self.place, each)
            # PostgreSQL takes whole segments alone; behind the end of the log there are zeros.
            (folder / each.name).write_bytes(content.ljust(self.backup.segment_bytes, b"\0"))

    def _s3(self, at: Installation) -> Any:
        s3 = at.local.s3
        return blobs.open_client(
            s3.endpoint_url,
            region="us-east-1",
            access_key=s3.access_key,
            secret_key=s3.secret_key,
            tls=state.engine_tls(at.home),
        )

    def _put_blobs(self, client: Any, bucket: str, connection: "psycopg.Connection[Any]") -> None:
        """Bring every file's bytes into the bucket."""
        self.tell("Bringing the files back ...")

        def put(blob: BlobToRestore) -> bool:
            try:
                content = read_blob(self.place, blob)
            except Missing:
                return False
            about = blobs.describe_owner(owner_of(blob))
            try:
                client.put_object(Bucket=bucket, Key=blobs.key_of(blob.id), Body=content, Metadata=about)
            except blobs.CLIENT_ERRORS as error:
                raise BackupFault(f"SeaweedFS did not take a file: {error}") from error
            return True

        with ThreadPoolExecutor(_AT_ONCE, "restore") as threads:
            for batch in _batches(connection):
                for blob, is_there in zip(batch, threads.map(put, batch), strict=True):
                    if is_there:
                        self.done.blobs += 1
                        self.done.blob_bytes += blob.size_bytes
                    else:
                        self.done.missing.append(blob.id)

    def _fetch(self, name: str) -> bytes:
        return b"".join(self._checked(self.backup, name))

    def _checked(self, backup: Manifest, name: str) -> Iterator[bytes]:
        return checked(self.place, backup, name)


def checked(place: Place, backup: Manifest, name: str) -> Iterator[bytes]:
    """A file of a backup. Raises Damaged, at its end at the latest, and Missing."""
    wanted = backup.file(name)
    if wanted is None:
        raise Damaged(f"The manifest of {backup.id} does not have {name}.")
    digest = hashlib.sha256()
    for chunk in place.open(name):
        digest.update(chunk)
        yield chunk
    if digest.hexdigest() != wanted.sha256:
        raise Damaged(f"{place}/{name} is damaged: its SHA-256 is another one than in the manifest.")


def read_log(place: Place, segment: Segment) -> bytes:
    """A part of the log, or what has taken its place since it was listed, with more of it. Raises Damaged and Missing."""
    try:
        return _read_segment(place, segment)
    except Missing:
        near = (wal.read_segment(entry.name) for entry in place.entries(segment.path.rpartition("/")[0] + "/"))
        longer = wal.longest_of_each(each for each in near if each and each.name == segment.name)
        if segment.name not in longer:
            raise
        return _read_segment(place, longer[segment.name])


def _read_segment(place: Place, segment: Segment) -> bytes:
    packed = place.read(segment.path)
    if manifests.hash_of(packed) != segment.sha256:
        raise Damaged(f"{place}/{segment.path} is damaged: its SHA-256 is another one than in its name.")
    content = b"".join(copies.unpacked([packed], segment.path))
    if len(content) != segment.size_bytes:
        raise Damaged(f"{place}/{segment.path} is damaged: it has another length than in its name.")
    return content


def read_blob(place: Place, blob: BlobToRestore) -> bytes:
    """The bytes of a file's blob. Raises Damaged and Missing."""
    content = place.read(copies.path_of(blob.id))
    is_same = blob.md5 is None or hashlib.md5(content, usedforsecurity=False).hexdigest() == blob.md5
    if blob.sha256 is not None:
        is_same = hashlib.sha256(content).digest() == bytes(blob.sha256)
    if not is_same or len(content) != blob.size_bytes:
        file = f" It is of {blob.drive}/{blob.name}." if blob.name else ""
        raise Damaged(
            f"{place}/{copies.path_of(blob.id)} is damaged: its hash is another one than in the database.{file}"
        )
    return content


def owner_of(blob: BlobToRestore) -> blobs.Owner:
    """What its metadata says, as far as the database knows."""
    return blobs.Owner(blob.collection_id, blob.drive, blob.name, blob.content_type, "", blob.part, blob.is_manifest)


def _needed(log: list[Segment], until: Until) -> list[Segment]:
    """The log up to the part with which it is whole until that moment, or that has that position."""
    found: list[Segment] = []
    for each in log:
        found.append(each)
        if until.at is not None and each.until >= until.at:
            break
        if until.position and each.has_position(until.position):
            break
    return found


def _has_bucket(client: Any, at: Installation) -> bool:
    try:
        client.head_bucket(Bucket=at.local.s3.bucket)
    except blobs.CLIENT_ERRORS:
        return False
    return True


def _begin_anew(connection: "psycopg.Connection[Any]") -> None:
    with connection.transaction():
        for statement in (
            restored_sql.begin_new_line(),
            restored_sql.end_runs(),
            restored_sql.forget_backups(),
            restored_sql.leave_garbage(),
            restored_sql.leap_versions(),
            restored_sql.begin_feeds(),
        ):
            connection.execute(statement.text.encode())


def _batches(connection: "psycopg.Connection[Any]") -> Iterator[list[BlobToRestore]]:
    with connection.transaction(), connection.cursor("blobs") as cursor:
        cursor.execute(restored_sql.find_blobs().encode())
        while rows := cursor.fetchmany(_BATCH):
            yield [BlobToRestore(*row) for row in rows]
