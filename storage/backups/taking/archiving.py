"""The database's log on its way into the server's own target: four times a minute what came since.

PostgreSQL keeps the log for a slot, which is let go only once the target has it; so nothing is lost when this process, the target
or the machine's power is gone for a while. `max_slot_wal_keep_size` bounds how much that is, and when the disk is short the log
goes before anything else does: then there is a gap, which the next backup ends.

The log in a target is that of one life of the database, a line. An upgraded database, or a data folder that was put back from a
copy, lives another: its log must not go on where the target's ends, nor may what changed since be asked of it.
"""

import logging
import secrets
import tempfile
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import zstandard
from django.conf import settings
from django.db.models.functions import Now

from storage import disk_space
from storage.backups import ownership, plans
from storage.backups.faults import BackupFault
from storage.backups.sql import log as log_sql
from storage.backups.taking import engine
from storage.backups.taking.engine import BASE_SLOT, LOG_SLOT, Engine
from storage.backups.targets import blobs, wal
from storage.backups.targets import manifest as manifests
from storage.backups.targets.places import Place
from storage.backups.targets.wal import Segment
from storage.backups.turns import turn
from storage.embedded.backing_up import tools
from storage.models import BackupPlan
from storage.postgres.database import run_one
from storage.postgres.locks import only_worker

logger = logging.getLogger(__name__)

# At most so much is fetched at once, into the folder for temporary files.
_SEGMENTS_AT_ONCE = 8
_RECEIVE_SECONDS = 120.0
# Files that are new come first, so that the log names nothing that the target lacks; but the log does not wait for ever.
_BLOB_SECONDS = 20.0
# A backup waits so long until others have brought the log.
_TURN_SECONDS = 600.0


# The targets and lines of which this process knows that the database's life is theirs.
_known_lines: set[tuple[str, str]] = set()


class Kept(NamedTuple):
    """How far a target has the log."""

    position: str
    until: datetime


def keep_log() -> None:
    """Bring the log and new files to the server's own target, if there is one and a backup in it. What goes wrong is noted.

    Leaves at once when another is at work. Raises EngineUnreachable.
    """
    row = plans.read_row()
    plan = plans.read_plan(row)
    if settings.DATABASE_URL:
        return
    if not row.line:
        return
    if not plans.adopted(plan, row):
        with engine.open_engine() as found:
            found.drop_slot(LOG_SLOT)
        return
    with only_worker("backup log") as is_ours:
        if not is_ours:
            return
        try:
            place = ownership.open_own(plan, row)
            bring_log(place, row)
        except (BackupFault, tools.ToolFailed) as error:
            _note_fault(str(error))
        else:
            BackupPlan.objects.filter(id=1).exclude(log_fault="").update(log_fault="", log_fault_at=None)


def bring_log_in_turn(place: Place, row: BackupPlan) -> Kept:
    """As `bring_log`, once nobody else does it. Raises BackupFault, ToolFailed and EngineUnreachable."""
    slow = "The log is on its way to the backups for too long: is the target slow?"
    with turn("backup log", otherwise=slow, seconds=_TURN_SECONDS):
        row.refresh_from_db()
        return bring_log(place, row)


def bring_log(place: Place, row: BackupPlan) -> Kept:
    """Bring new files and then the log as it is at this moment, in turns of a bounded size.

    One process at a time. Raises BackupFault, ToolFailed and EngineUnreachable.
    """
    with engine.open_engine() as found:
        _let_go_if_short(found)
        _begin_anew_if_put_back(place, row)
        begins = _begin(found, row)
        row.refresh_from_db()
        kept = Kept(begins.text, row.kept_until or row.beat_at or _beat())
        while True:
            until = _beat()
            end = found.find_end()
            blobs.copy_new(place, seconds=_BLOB_SECONDS)
            most = (begins.byte // begins.segment_bytes + _SEGMENTS_AT_ONCE) * begins.segment_bytes
            reached = end._replace(byte=min(end.byte, most))
            is_all = reached == end
            if reached.byte > begins.byte:
                moment = until if is_all else kept.until
                ship(place, row.line, begins, reached, until=moment, before=kept.until)
                found.advance_slot(LOG_SLOT, reached)
                kept = Kept(reached.text, moment)
                BackupPlan.objects.filter(id=1).update(kept_position=kept.position, kept_until=kept.until)
            if is_all:
                return kept
            begins = reached


def ship(
    place: Place, line: str, begins: engine.Place, end: engine.Place, *, until: datetime, before: datetime
) -> None:
    """Write the log between two positions to a target. It is whole `until` that moment then, and `before` it was until that.

    Raises BackupFault and ToolFailed.
    """
    with tempfile.TemporaryDirectory(prefix="homeport-log-", dir=scratch()) as folder:
        # It would wait for more when there is nothing behind the position.
        last = engine.write_position(end.byte - 1)
        tools.receive_log(engine.bundled(), Path(folder), first=begins.segment, until=last, seconds=_RECEIVE_SECONDS)
        found = {path.name.removesuffix(".partial"): path for path in Path(folder).iterdir()}
        for name in sorted(found):
            number = engine.Place(end.timeline, end.byte, end.segment_bytes)
            is_last = name == number.segment
            size = number.offset if is_last else end.segment_bytes
            if name > number.segment or size == 0:
                continue
            is_newest = is_last or (number.offset == 0 and wal.following(name, end.segment_bytes) == number.segment)
            _put_segment(place, line, name, found[name], size, until if is_newest else before)


def scratch() -> Path:
    """The folder for what is on its way, in the data folder: ours alone."""
    folder = settings.DATA / "backing-up"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def _put_segment(place: Place, line: str, name: str, path: Path, size: int, until: datetime) -> None:
    """Write a segment, or its beginning, and then delete what the target had of it before."""
    with path.open("rb") as file:
        content = zstandard.ZstdCompressor(level=3, write_checksum=True).compress(file.read(size))
    segment = Segment(line, name, size, until, manifests.hash_of(content))
    before = [entry.name for entry in place.entries(f"{manifests.LOG}{line}/{name[:16]}/")]
    place.put(segment.path, [content])
    place.delete(
        path for path in before if path != segment.path and (old := wal.read_segment(path)) and old.name == name
    )


def _begin_anew_if_put_back(place: Place, row: BackupPlan) -> None:
    """A data folder that was put back from a copy does not know of log that the target has: it lives another life from here on.

    Nothing is brought before its moment is committed, so whoever brought it knows of it. Asked once by each process.
    """
    if (str(place), row.line) in _known_lines:
        return
    # Somebody else may have brought some since it was read.
    row.refresh_from_db()
    found = (wal.read_segment(entry.name) for entry in place.entries(f"{manifests.LOG}{row.line}/"))
    newest = max((each.until for each in found if each), default=None)
    if newest and (row.beat_at is None or newest > row.beat_at):
        logger.warning("The data folder is older than its backups, which begin anew: was it put back from a copy?")
        _note_gap()
        row.refresh_from_db()
    _known_lines.add((str(place), row.line))


def _begin(found: Engine, row: BackupPlan) -> engine.Place:
    """Where the log goes on; a slot that lost its log begins anew, and there is a gap, as where an upgrade left none behind."""
    slot = found.find_slot(LOG_SLOT)
    if slot is None or slot.position is None:
        if slot is not None or row.kept_until:
            _note_gap()
        found.make_slot(LOG_SLOT)
        slot = found.find_slot(LOG_SLOT)
    if slot is None or slot.position is None:
        raise BackupFault("PostgreSQL keeps no log for backups. Restart the server.")
    return found.find_end()._replace(byte=engine.read_position(slot.position))


def _let_go_if_short(found: Engine) -> None:
    """What waits for a target that is away must not fill the disk."""
    if disk_space.is_short_for_files() and found.find_slot(LOG_SLOT):
        found.drop_slot(LOG_SLOT)
        found.drop_slot(BASE_SLOT)
        _note_gap()
        raise BackupFault("The disk is too full to keep the database's log for backups: free some space.")


def _beat() -> datetime:
    """Commit something, so that the log has a moment to stop before; that moment, by the database's clock."""
    return run_one(log_sql.beat()).moment


def _note_gap() -> None:
    """A line of the log has no gaps: where one would be, another begins, with a whole backup."""
    BackupPlan.objects.filter(id=1, gap_at=None).update(gap_at=Now())
    BackupPlan.objects.filter(id=1).update(line=secrets.token_hex(16), kept_until=None, kept_position="")


def _note_fault(sentence: str) -> None:
    if BackupPlan.objects.filter(id=1, log_fault="").update(log_fault_at=Now()):
        # Once, not four times a minute.
        logger.warning("The database's log can't be brought to the backups: %s", sentence)
    BackupPlan.objects.filter(id=1).update(log_fault=sentence)
