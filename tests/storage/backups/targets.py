"""Backups that were never made: manifests and log in a folder, for what reads, chooses and deletes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.backups.targets import manifest as manifests
from storage.backups.targets import wal
from storage.backups.targets.manifest import Manifest, Mark
from storage.backups.targets.places import FolderPlace
from storage.backups.targets.wal import Segment

LINE = "a" * 32
START = datetime(2030, 1, 1, 12, tzinfo=UTC)
SEGMENT_BYTES = 16 * 1024 * 1024


def day(number: float) -> datetime:
    """So many days after the first backup."""
    return START + timedelta(days=number)


def backup(number: float, *, parent: Manifest | None = None, segment: int = 1, line: str = LINE) -> Manifest:
    """A backup of that day; its log begins with that segment."""
    return Manifest(
        id=manifests.new_id(day(number), line),
        parent=parent.id if parent else None,
        line=line,
        instance_id="me",
        version="1",
        began_at=day(number),
        consistent_at=day(number) + timedelta(minutes=1),
        first_segment=name(segment),
        segment_bytes=SEGMENT_BYTES,
        files=[],
    )


def name(number: int) -> str:
    """What PostgreSQL calls a segment."""
    return f"{1:08X}{0:08X}{number:08X}"


def segment(number: int, until: datetime, *, size_bytes: int = SEGMENT_BYTES, line: str = LINE) -> Segment:
    """A part of the log."""
    return Segment(line, name(number), size_bytes, until, "0" * 64)


def target(folder: Path, *backups: Manifest, log: list[Segment] | None = None) -> FolderPlace:
    """A folder with these."""
    place = FolderPlace(folder)
    manifests.write_mark(place, Mark(format=1, instance_id="me", target_id="here"))
    for each in backups:
        manifests.write_manifest(place, each)
    for part in log or []:
        place.put(part.path, [b"log"])
        assert wal.read_segment(part.path) == part
    return place
