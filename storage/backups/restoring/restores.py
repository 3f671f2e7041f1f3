"""Restores a server from a backup and the log behind it into an empty data folder, as it was at a moment.

Nothing of the running server is used: engines of the restored folder's own are started for as long as it takes. Until all is
there the folder has a note that it is not whole, by which `serve` refuses it and the next try begins anew.
"""

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

from storage.backups.faults import BackupFault, Damaged, Missing
from storage.backups.restoring import folders, reading
from storage.backups.sql import restored as restored_sql
from storage.backups.sql.restored import BlobToRestore
from storage.backups.targets import blobs as copies
from storage.backups.targets import catalogue
from storage.backups.targets import manifest as manifests
from storage.backups.targets.catalogue import Catalogue
from storage.backups.targets.manifest import Manifest
from storage.backups.targets.places import Place
from storage.backups.targets.wal import Segment
from storage.embedded import accounts, durable, leftovers, paths, postgres, state
from storage.embedded.backing_up import recovering, tars, tools, verifying
from storage.embedded.backing_up.recovering import Installation
from storage.s3 import blobs

MAJOR = "18"
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
    folders.claim(data, place, backup, at)
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
    (data / folders.NOTE).unlink()
    durable.sync_folder(data)
    return done


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
        unpacked = []
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
            unpacked.append(folder)
        major = (unpacked[-1] / "PG_VERSION").read_text().strip()
        if major != MAJOR:
            raise BackupFault(
                f"The backup is of PostgreSQL {major}, and this version of Homeport has {MAJOR}: restore it with Homeport"
                f" {self.backup.version}, then upgrade."
            )
        whole = unpacked[0]
        if len(unpacked) > 1:
            whole = incoming / "whole"
            tools.combine(unpacked, whole)
        whole.rename(postgres.folder(at.home))
        for folder in unpacked[1:]:
            shutil.rmtree(folder)

    def _unpack_log(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        self.tell(f"Fetching {len(self.log)} segments of the log ...")
        for each in self.log:
            content = reading.read_log(self.place, each)
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
                content = reading.read_blob(self.place, blob)
            except Missing:
                return False
            about = blobs.describe_owner(reading.owner_of(blob))
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
        return reading.checked(self.place, backup, name)


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
