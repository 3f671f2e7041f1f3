"""Drills: a backup is restored with engines of its own into a folder that is thrown away, and everything in the target is read.

Only what was restored once is a backup. What a drill finds is named, all of it as far as it can be read. Where the database is
one of one's own, backups have none, and everything is read alone.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from filelock import FileLock

from storage.backups import plans
from storage.backups.faults import BackupFault, Damaged, Missing
from storage.backups.restoring import folders, reading, restores
from storage.backups.sql import counting as counting_sql
from storage.backups.targets import blobs as copies
from storage.backups.targets import catalogue
from storage.backups.targets.blobs import ListedBlob
from storage.backups.targets.catalogue import Catalogue
from storage.backups.targets.manifest import Manifest
from storage.backups.targets.places import Place
from storage.backups.turns import turn
from storage.embedded import paths, postgres
from storage.embedded.backing_up import tools

_NAMED_AT_MOST = 20


@dataclass(frozen=True)
class Expected:
    """What the server knows of its own target. `ids` are the backups in it; it has the log of its line `kept_until` that moment.

    Another server that was restored from there may have backups of another line beside them.
    """

    ids: list[str]
    line: str
    kept_until: datetime | None
    engine_user: str


@dataclass
class Drilled:
    """What came of a drill: no faults, and it can be restored."""

    backup_id: str
    faults: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def is_restored(self) -> bool:
        """Whether the backup had a database to restore."""
        return not self.details.get("has_no_database")


def drill(
    target: str | None,
    *,
    backup_id: str | None,
    expected: Expected,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Drilled:
    """Try a backup, the newest by default, of a target, the server's own by default.

    Raises BackupFault when there is nothing to try, and EngineUnreachable.
    """
    with turn("drill", otherwise="Another drill is on its way: wait until it is done."):
        plan = plans.read_plan()
        wanted = target or plan.target
        if not wanted:
            raise BackupFault("No target is set: name one, or set HOMEPORT_BACKUP_TARGET.")
        place = plans.open_target(wanted)
        known = catalogue.read_catalogue(place)
        faults = list(known.damaged)
        if wanted == plan.target:
            faults += find_missing(place, known, expected)
            own = [each.id for each in known.backups if each.line == expected.line and known.is_whole(each)]
            backup_id = backup_id or next(reversed(own), None)
        if without := known.find_without_database(backup_id):
            tell("Reading everything in the target ...")
            done = Drilled(without.id, faults, {"has_no_database": True})
            done.details |= read_everything(place, known, done.faults)
            return done
        try:
            backup = known.choose(backup_id=backup_id)
        except BackupFault as error:
            return Drilled(backup_id or "", [*faults, str(error)])
        done = Drilled(backup.id, faults)
        tell("Reading everything in the target ...")
        done.details |= read_everything(place, known, done.faults)
        _restore(place, backup, expected.engine_user, done, tell)
        return done


def find_missing(place: Place, known: Catalogue, expected: Expected) -> list[str]:
    """What the server brought there and is not there any more."""
    there = {each.id for each in known.backups}
    found = [
        f"The backup {each} is missing in {place}: its manifest is gone."
        for each in expected.ids
        if each not in there and not any(each in damaged for damaged in known.damaged)
    ]
    found += [f"The log in {place} has a gap: {name} is missing." for name in known.gaps()]
    own = [each for each in known.restorable() if each.line == expected.line]
    if not found and own and expected.kept_until and known.span(own[-1]).last < expected.kept_until:
        found.append(
            f"The end of the log in {place} is missing: it was there until {expected.kept_until:%Y-%m-%d %H:%M:%S} UTC."
        )
    return found


def read_everything(place: Place, known: Catalogue, faults: list[str]) -> dict[str, int]:
    """Compare all that is in a target with its SHA-256, and add what is wrong to the faults; how many of each were good."""
    reading = _Reading(place, faults)
    reading.read(known)
    return reading.counts


class _Reading:
    """Reads everything in a target and notes what is not as it was written."""

    def __init__(self, place: Place, faults: list[str]) -> None:
        self.place, self.faults = place, faults
        self.counts = {"files": 0, "log": 0, "blobs": 0, "bytes": 0}

    def read(self, known: Catalogue) -> None:
        segments = {each.path: each for backup in known.backups for each in known.log_of(backup)}
        for backup in known.backups:
            for file in backup.files:
                self._attempt("files", file.size_bytes, partial(self._read_file, backup, file.name))
        for segment in segments.values():
            self._attempt("log", segment.size_bytes, partial(reading.read_log, self.place, segment))
        checked: set[UUID] = set()
        for backup in known.backups:
            for each in self._listed(backup):
                if each.id not in checked:
                    checked.add(each.id)
                    self._attempt("blobs", each.size_bytes, partial(self._read_blob, each))

    def _listed(self, backup: Manifest) -> list[ListedBlob]:
        """None of a list that is damaged, which is known by then."""
        try:
            return list(copies.read_list(self.place, backup))
        except (Damaged, Missing, ValueError):
            return []

    def _attempt(self, kind: str, size_bytes: int, read: Callable[[], object]) -> None:
        try:
            read()
        except (Damaged, Missing) as error:
            if len(self.faults) < _NAMED_AT_MOST:
                self.faults.append(str(error))
        else:
            self.counts[kind] += 1
            self.counts["bytes"] += size_bytes

    def _read_file(self, backup: Manifest, name: str) -> None:
        for _ in reading.checked(self.place, backup, name):
            pass

    def _read_blob(self, blob: ListedBlob) -> None:
        digest = hashlib.sha256()
        for chunk in self.place.open(copies.path_of(blob.id)):
            digest.update(chunk)
        if digest.hexdigest() != blob.sha256:
            raise Damaged(
                f"{self.place}/{copies.path_of(blob.id)} is damaged: its SHA-256 is another one than in the list."
            )


def _restore(place: Place, backup: Manifest, engine_user: str, done: Drilled, tell: Callable[[str], None]) -> None:
    """Restore it into a folder of its own, compare, and throw that away."""
    with _scratch() as data:
        try:
            restored = restores.restore(
                place,
                data=data,
                engine_user=engine_user,
                backup_id=backup.id,
                position=backup.counted_at_position,
                counts=counting_sql.TABLES if backup.rows else (),
                tell=tell,
            )
            tell("Comparing pages with their checksums ...")
            tools.check_pages(postgres.folder(restored.home))
        except BackupFault as error:
            if str(error) not in done.faults:
                done.faults.append(str(error))
            return
        except tools.ToolFailed as error:
            done.faults.append(f"A page of the restored database is damaged: {error}")
            return
    for table, rows in backup.rows.items():
        if restored.rows.get(table) != rows:
            done.faults.append(f"{table} has {restored.rows.get(table)} rows, and had {rows} when it was backed up.")
    if restored.missing:
        named = ", ".join(each.hex for each in restored.missing[:3])
        done.faults.append(f"The bytes of {len(restored.missing)} blobs are missing, such as {named}.")
    done.details |= {"rows": sum(restored.rows.values()), "restored_blobs": restored.blobs}


@contextmanager
def _scratch() -> Iterator[Path]:
    """An empty data folder beside the server's own things, which goes with all that is in it."""
    data = settings.DATA / "drill"
    paths.make_data_folder(data)
    with FileLock(data / folders.LOCK, timeout=0, mode=0o600):
        # It is nobody's but a drill's, so what is in it is what an interrupted one left.
        folders.remove_remains(data)
        (data / folders.NOTE).unlink(missing_ok=True)
        try:
            yield data
        finally:
            folders.remove_remains(data)
    shutil.rmtree(data)
