"""What a target holds: its backups, which of them belong together, and which moments can be restored from them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from storage.backups.faults import BackupFault, Damaged, Missing
from storage.backups.targets import manifest as manifests
from storage.backups.targets import wal
from storage.backups.targets.manifest import Manifest, Mark
from storage.backups.targets.places import Place
from storage.backups.targets.wal import Segment


@dataclass(frozen=True)
class Span:
    """The moments that one backup and the log behind it can bring back, by the database's clock."""

    first: datetime
    last: datetime

    def has(self, moment: datetime) -> bool:
        """Whether a moment is among them."""
        return self.first <= moment <= self.last


@dataclass(frozen=True)
class Catalogue:
    """The backups of a target, oldest first; `damaged` says what is wrong with manifests that can't be read."""

    mark: Mark
    backups: list[Manifest]
    segments: list[Segment]
    damaged: list[str]

    def chain(self, backup: Manifest) -> list[Manifest]:
        """The whole backup that this one builds on, those between, and itself. Raises BackupFault when one is missing."""
        known = {each.id: each for each in self.backups}
        found = [backup]
        while (parent := found[0].parent) is not None:
            if parent not in known or known[parent].id >= found[0].id:
                raise BackupFault(
                    f"The backup {backup.id} builds on {parent}, which is missing: choose an earlier one with --at."
                )
            found.insert(0, known[parent])
        return found

    def log_of(self, backup: Manifest) -> list[Segment]:
        """The log behind a backup, as far as there is no gap."""
        own = (each for each in self.segments if each.line == backup.line)
        return wal.unbroken(own, first=backup.first_segment, segment_bytes=backup.segment_bytes)

    def gaps(self) -> list[str]:
        """The names of segments that are missing, or not whole, in the middle of a log that was kept without a gap."""
        found = []
        for line in sorted({each.line for each in self.backups if each.keeps_log and each.has_database}):
            oldest = min((each for each in self.backups if each.line == line), key=lambda each: each.first_segment)
            last = max((each.name for each in self.segments if each.line == line), default="")
            log = self.log_of(oldest)
            if not log:
                found.append(oldest.first_segment)
            elif log[-1].name < last:
                is_whole = log[-1].size_bytes == oldest.segment_bytes
                found.append(wal.following(log[-1].name, oldest.segment_bytes) if is_whole else log[-1].name)
        return found

    def span(self, backup: Manifest) -> Span:
        """The moments that this backup can bring back."""
        ends = [each.until for each in self.log_of(backup)[-1:]]
        return Span(backup.consistent_at, max([backup.consistent_at, *ends]))

    def spans(self) -> list[Span]:
        """All moments that can be brought back, as few spans as possible, oldest first."""
        found: list[Span] = []
        for span in sorted((self.span(each) for each in self.restorable()), key=lambda each: each.first):
            if found and span.first <= found[-1].last:
                found[-1] = Span(found[-1].first, max(found[-1].last, span.last))
            else:
                found.append(span)
        return found

    def restorable(self) -> list[Manifest]:
        """The backups of databases whose chains are whole."""
        known = {each.id for each in self.backups}
        found: list[Manifest] = []
        whole: set[str] = set()
        for each in self.backups:
            if each.has_database and (each.parent is None or (each.parent in known and each.parent in whole)):
                whole.add(each.id)
                found.append(each)
        return found

    def is_whole(self, backup: Manifest) -> bool:
        """Whether nothing of a backup is missing that it builds on; one without a database builds on nothing."""
        return not backup.has_database or backup in self.restorable()

    def find_without_database(self, backup_id: str | None = None) -> Manifest | None:
        """The newest backup, or that of an id, if it is one without a database; None when it has one, or there is none."""
        found = [each for each in self.backups if backup_id in (None, each.id)]
        return found[-1] if found and not found[-1].has_database else None

    def choose(self, *, at: datetime | None = None, backup_id: str | None = None) -> Manifest:
        """The newest backup, or that of an id, that can bring a moment back. Raises BackupFault, with what there is."""
        found = [each for each in self.restorable() if backup_id in (None, each.id)]
        if not found:
            raise BackupFault(self._nothing(backup_id))
        if at is None:
            return found[-1]
        fitting = [each for each in found if self.span(each).has(at)]
        if not fitting:
            told = "; ".join(f"{_say(each.first)} to {_say(each.last)}" for each in self.spans())
            raise BackupFault(f"{_say(at)} can't be restored from here. What can: {told}.")
        return fitting[-1]

    def _nothing(self, backup_id: str | None) -> str:
        if backup_id is not None:
            known = ", ".join(each.id for each in self.restorable()) or "none"
            return f"There is no whole backup {backup_id}. There are: {known}."
        if any(not each.has_database for each in self.backups):
            return (
                "These backups have files and secrets, and no database, which was not the bundled one. Restore that by its own"
                " tools; `reconcile --from-backups` then brings back the files that it names."
            )
        return " ".join(["There is no whole backup here.", *self.damaged])


def read_catalogue(place: Place) -> Catalogue:
    """Everything that a target holds. Raises BackupFault when it is no target, or can't be read."""
    mark = manifests.read_mark(place)
    if mark is None:
        raise BackupFault(f"{place} has no backups of Homeport: {manifests.MARK} is missing there.")
    if mark.format > manifests.FORMAT:
        raise BackupFault(f"{place} was written by a newer version of Homeport: use that version.")
    backups, damaged = [], []
    for name in sorted(entry.name for entry in place.entries(manifests.MANIFESTS)):
        try:
            backups.append(manifests.read_manifest(place, name))
        except Missing:
            continue  # it is kept no longer, and was deleted since it was listed
        except Damaged as error:
            damaged.append(str(error))
    segments = [found for entry in place.entries(manifests.LOG) if (found := wal.read_segment(entry.name))]
    return Catalogue(mark, sorted(backups, key=lambda each: each.id), segments, damaged)


def _say(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
