"""Makes one backup: the database whole or what changed, the files that are new, the data folder's secrets, and last the manifest.

It works beside the running server, as a client of its engines, in the job worker or in a command. What was interrupted has no
manifest, so it is no backup, and the next one removes it.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import zstandard
from django.conf import settings

from homeport import __version__
from storage.backups import ownership, plans
from storage.backups.faults import BackupFault, Missing
from storage.backups.plans import Plan
from storage.backups.taking import archiving, counting, engine
from storage.backups.taking.engine import BASE_SLOT, Engine
from storage.backups.targets import blobs, catalogue, retention
from storage.backups.targets import manifest as manifests
from storage.backups.targets.catalogue import Catalogue, Span
from storage.backups.targets.manifest import Manifest, Written
from storage.backups.targets.places import Place
from storage.backups.turns import turn
from storage.embedded import state
from storage.embedded.backing_up import tools
from storage.embedded.backing_up.tars import FileInPassing
from storage.models import BackupPlan, BackupRun
from storage.postgres import clock

# How many incremental ones may build on each other: each makes restoring longer, and depends on all before it.
_LONGEST_CHAIN = 50


@dataclass(frozen=True)
class Made:
    """A backup that was made. `unreadable`: blobs that the bucket lacks; `removed`: backups that were too old."""

    backup: Manifest
    unreadable: int
    blobs_copied: int
    blob_bytes_copied: int
    removed: list[str]
    spans: list[Span]
    is_own: bool


def make_backup(
    target: str | None = None,
    *,
    is_full: bool | None = None,
    is_new: bool = False,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Made:
    """Make a backup in a target, None for the server's own; the first target there is becomes that.

    `is_full` None: as the plan has it. `is_new`: begin anew in a target that lost its backups. Raises BackupFault and
    EngineUnreachable; there is no backup then.
    """
    with turn("backup", otherwise="Another backup is being made: wait until it is done."):
        row = plans.read_row()
        plan = plans.read_plan(row)
        wanted = target or plan.target
        if not wanted:
            raise BackupFault("No target is set: name one, or set HOMEPORT_BACKUP_TARGET.")
        try:
            place, is_own = _open(wanted, plan, row, is_new=is_new)
            return _Backup(place, row, plan, is_own=is_own, tell=tell).make(is_full=is_full)
        except tools.ToolFailed as error:
            raise BackupFault(f"PostgreSQL could not be backed up: {error}") from error


def _open(wanted: str, plan: Plan, row: BackupPlan, *, is_new: bool) -> tuple[Place, bool]:
    if wanted == plan.target and plans.adopted(plan, row) and not is_new:
        return ownership.open_own(plan, row), True
    place, mark = ownership.take(wanted)
    if not plan.target:
        plans.change_plan(target=wanted)
        plan = plans.read_plan()
        row.refresh_from_db()
    is_own = wanted == plan.target
    if is_own:
        ownership.adopt(mark, row, target=wanted)
    return place, is_own


class _Backup:
    """One backup on its way."""

    def __init__(self, place: Place, row: BackupPlan, plan: Plan, *, is_own: bool, tell: Callable[[str], None]) -> None:
        self.place, self.row, self.plan, self.is_own, self.tell = place, row, plan, is_own, tell
        self.line = plans.own_line(row)
        self.written = Written(place)

    def make(self, *, is_full: bool | None) -> Made:
        if not self.is_own:
            # There the log is not kept between two backups.
            self.line = manifests.hash_of(f"{self.line} elsewhere".encode())[:32]
        elif not settings.DATABASE_URL:
            self.tell("Bringing the log ...")
            # From here on the target has all of it.
            archiving.bring_log_in_turn(self.place, self.row)
            self.line = self.row.line
        known = catalogue.read_catalogue(self.place)
        retention.remove_unfinished(self.place, known, line=self.line)
        began_at = clock.now()
        self.id = manifests.new_id(began_at, self.line)
        if any(each.id == self.id for each in known.backups):
            raise BackupFault("A backup was begun within this second: try again.")
        self.tell("Copying files ...")
        there = self._known_blobs(known)
        copied = self._copy_blobs(there)
        if settings.DATABASE_URL:
            made = self._dump(began_at)
        else:
            made = self._back_up_database(began_at, None if is_full else self._find_parent(known, is_full, began_at))
        # What came since: all that the database names at the end of the backup is there then.
        more = self._copy_blobs(there)
        self._write_secrets()
        listed = blobs.BlobList(there)
        self.written.put(f"{manifests.LISTS}{self.id}.zst", listed.chunks())
        made = manifests.complete(made, self.written.files, blobs=listed.blobs, blob_bytes=listed.size_bytes)
        manifests.write_manifest(self.place, made)
        BackupPlan.objects.filter(id=1).update(gap_at=None)
        self.tell("Removing what is too old ...")
        now_known = catalogue.read_catalogue(self.place)
        removed = retention.prune(self.place, now_known, keep_days=self.plan.keep_days, now=clock.now())
        unreadable = {*copied.unreadable, *more.unreadable}
        new, new_bytes = copied.blobs + more.blobs, copied.size_bytes + more.size_bytes
        return Made(made, len(unreadable), new, new_bytes, removed, now_known.spans(), self.is_own)

    def _known_blobs(self, known: Catalogue) -> dict[UUID, str] | None:
        """What a target that is not the server's own has; of the own one the database knows."""
        if self.is_own:
            return None
        newest = known.backups[-1] if known.backups else None
        return {each.id: each.sha256 for each in blobs.read_list(self.place, newest)} if newest else {}

    def _copy_blobs(self, there: dict[UUID, str] | None) -> blobs.Copied:
        return blobs.copy_new(self.place) if there is None else blobs.copy_missing(self.place, there)

    def _find_parent(self, known: Catalogue, is_full: bool | None, now: datetime) -> Manifest | None:
        """The backup that an incremental one builds on; None when it has to be a whole one."""
        own = [each for each in known.restorable() if each.line == self.line]
        if not own or not _is_remembered(own[-1]):
            return None
        chain = known.chain(own[-1])
        is_due = chain[0].began_at < now - timedelta(days=self.plan.full_every_days) or len(chain) >= _LONGEST_CHAIN
        return None if is_due and is_full is None else own[-1]

    def _back_up_database(self, began_at: datetime, parent: Manifest | None) -> Manifest:
        with engine.open_engine() as found:
            # The log that a base backup begins with has to be there when it ends.
            found.make_slot(BASE_SLOT)
            try:
                kept = self._stream_incremental(parent) if parent else b""
                if not kept:
                    parent = None
                    kept = self._stream_base("Copying the whole database ...", None)
                consistent_at = clock.now()
                ends = self._end_of(found, kept)
                counted = counting.count_tables()
                self._bring_log_until(found, ends, counted)
            finally:
                found.drop_slot(BASE_SLOT)
        return Manifest(
            id=self.id,
            parent=parent.id if parent else None,
            line=self.line,
            instance_id=ownership.instance_id(),
            version=__version__,
            began_at=began_at,
            consistent_at=consistent_at,
            first_segment=ends.segment,
            segment_bytes=ends.segment_bytes,
            files=[],
            keeps_log=self.is_own,
            rows=counted.rows,
            counted_at_position=counted.position,
        )

    def _stream_incremental(self, parent: Manifest) -> bytes:
        """Write what changed since the parent; its own manifest, empty when PostgreSQL can't tell any more what that is."""
        with tempfile.TemporaryDirectory(prefix="homeport-base-", dir=archiving.scratch()) as folder:
            previous = Path(folder) / "backup_manifest"
            try:
                previous.write_bytes(self.place.read(f"{manifests.BASES}{parent.id}/backup_manifest"))
                return self._stream_base(f"Copying what changed since {parent.id} ...", previous)
            except Missing:
                return b""
            except tools.ToolFailed as error:
                if "WAL summar" in str(error):
                    return b""
                raise

    def _stream_base(self, sentence: str, previous: Path | None) -> bytes:
        """Write the base backup; its own manifest."""
        self.tell(sentence)
        watched = FileInPassing("backup_manifest")
        chunks = tools.stream_base(engine.bundled(), label=self.id, previous=previous)
        self.written.put(f"{manifests.BASES}{self.id}/base.tar.zst", _compressed(watched.watch(chunks)))
        self.written.put(f"{manifests.BASES}{self.id}/backup_manifest", [watched.content])
        return watched.content

    def _end_of(self, found: Engine, backup_manifest: bytes) -> engine.Place:
        """Where the log of the base backup ends."""
        ranges = json.loads(backup_manifest)["WAL-Ranges"]
        place = found.find_end()
        return place._replace(timeline=ranges[-1]["Timeline"], byte=engine.read_position(ranges[-1]["End-LSN"]) - 1)

    def _bring_log_until(self, found: Engine, ends: engine.Place, counted: counting.Counted) -> None:
        """The log behind the base backup, at least up to where the tables were counted."""
        if self.is_own:
            archiving.bring_log_in_turn(self.place, self.row)
            return
        until = clock.now()
        archiving.ship(self.place, self.line, ends, found.find_end(), until=until, before=until)

    def _dump(self, began_at: datetime) -> Manifest:
        """A database of one's own is left to its own tools: a backup has the files and the secrets."""
        now = clock.now()
        return Manifest(
            id=self.id,
            parent=None,
            line=self.line,
            instance_id=ownership.instance_id(),
            version=__version__,
            began_at=began_at,
            consistent_at=now,
            first_segment="",
            segment_bytes=0,
            files=[],
            has_database=False,
        )

    def _write_secrets(self) -> None:
        """`homeport.json` and `tls/`: what no engine has."""
        found = [settings.DATA / state.FILE_NAME, *sorted((settings.DATA / "tls").glob("*"))]
        content = {
            path.relative_to(settings.DATA).as_posix(): path.read_text(encoding="utf-8")
            for path in found
            if path.is_file()
        }
        self.written.put(f"{manifests.DATA}{self.id}.json", [json.dumps(content, indent=1).encode()])


def _is_remembered(backup: Manifest) -> bool:
    """Whether the database knows of it. One that was put back from a copy does not, of those that were made after the copy."""
    return BackupRun.objects.filter(kind=BackupRun.Kind.BACKUP, backup_id=backup.id, fault="").exists()


def _compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
    for chunk in chunks:
        if packed := compressor.compress(chunk):
            yield packed
    yield compressor.flush()
