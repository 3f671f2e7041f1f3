"""Whether the disk with the bundled engines' data has enough free space: the one gate for whatever writes there.

External engines look after their own disks.

A Postgres that cannot write its log may end, and starts again only when there is free space (its documentation: "Disk Full
Failure"). Until then nothing can be read or deleted. SeaweedFS gives deleted bytes back by copying what is left of a volume, and
stops writing altogether when a hundredth of the disk is free. So writes stop while there is still space for deletes and for
what the engines write by themselves; `storage/embedded/reserve.py` keeps some more, for when others have filled the disk.
"""

import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from storage.embedded import paths
from storage.errors import DiskFull
from storage.findings import Finding

_MB = 1_048_576
# SeaweedFS itself writes nothing when this part of the disk is free, and looks once a minute.
_SEAWEEDFS_STOPS_AT = 0.01
# SeaweedFS keeps a journal of its own, and metadata beside the bytes.
_ENGINE_SLACK_BYTES = 4 * _MB


def check_space_for_items() -> None:
    """Raises DiskFull when there is too little free space to write items, or anything else that is new, to the database.

    Signing in goes on, deleting and taking rights away, and changes to what is there already; so does what goes with these: a
    session, a second factor, an entry in the audit log. All of that is small, by people who have an account, or bounded.
    """
    if is_short_for_items():
        raise DiskFull()


def check_space_for_files(size_bytes: int = 0) -> None:
    """Raises DiskFull when there is too little free space to write files, parts and archives.

    `size_bytes`: of how many bytes they are together, where that is known beforehand.
    """
    if is_short_for_files():
        raise DiskFull()
    usage = _usage() if settings.S3_IS_BUNDLED and size_bytes else None
    if usage is not None and (room := usage.free - _needed_for_files(usage.total)) < size_bytes:
        raise DiskFull(
            f"It takes {_say(size_bytes)}, and there is space for {_say(room)}: free some space, then try again"
        )


def check_space_at(path: Path) -> None:
    """Raises DiskFull when a file of a command would lie on the engines' disk, and that has too little free space."""
    folder = path.absolute().parent
    if is_short_for_files() and folder.is_dir() and folder.stat().st_dev == Path(_folder()).stat().st_dev:
        raise DiskFull()


def is_short_for_items(size_bytes: int = 0) -> bool:
    """Whether the database takes nothing new: recorded requests are left out, and strangers leave no rows of their own.

    With `size_bytes`, whether so much more would come too near to that.
    """
    return not settings.DATABASE_URL and _lacks(reserved_bytes() + size_bytes)


def is_short_for_files() -> bool:
    """Whether nothing but deletes goes on: what is deleted then has to give its room back at once."""
    if settings.DATABASE_URL and not settings.S3_IS_BUNDLED:
        return False
    usage = _usage()
    return usage is not None and usage.free < _needed_for_files(usage.total)


def has_room_for_history() -> bool:
    """Whether the database may keep what deleted items were: while room is short, it is the first that goes."""
    return bool(settings.DATABASE_URL) or not is_short_for_files()


def has_room_for_copies(size_bytes: int) -> bool:
    """Whether copies of so many bytes may be kept on this disk: they are the first that go."""
    usage = _usage(settings.DATA)
    return usage is not None and usage.free >= 2 * _needed_for_files(usage.total) + size_bytes


def is_short_of(size_bytes: int) -> bool:
    """Whether the bundled SeaweedFS may have failed to store so many bytes because the disk is full.

    SeaweedFS does not say so itself: it answers with a general internal error.
    """
    usage = _usage() if settings.S3_IS_BUNDLED else None
    return usage is not None and usage.free < size_bytes + max(_ENGINE_SLACK_BYTES, usage.total * _SEAWEEDFS_STOPS_AT)


class Disk(NamedTuple):
    """The disk with the engines' data; with less than `needed_bytes` free nothing new is stored there."""

    free_bytes: int
    size_bytes: int
    needed_bytes: int


def find_disk() -> Disk | None:
    """None when no engine's data is on a disk of ours."""
    usage = _usage()
    needed_bytes = _needed_for_files(usage.total) if usage is not None else 0
    return Disk(usage.free, usage.total, needed_bytes) if needed_bytes else None


def find_problems() -> list[Finding]:
    """Whether nothing new is stored any more, or that is near."""
    disk = find_disk()
    if disk is None or disk.free_bytes >= 2 * disk.needed_bytes:
        return []
    free = _say(disk.free_bytes)
    if disk.free_bytes < disk.needed_bytes:
        return [
            Finding(
                "disk_full",
                "bad",
                f"The disk is too full: {free} are free, and nothing new is stored.",
                "Delete what is not needed, here or beside Homeport, or give the data folder a larger disk.",
            )
        ]
    return [
        Finding(
            "disk_short",
            "warn",
            f"The disk is nearly full: {free} are free, and below {_say(disk.needed_bytes)} nothing new is stored.",
            "Make room soon: delete what is not needed, or give the data folder a larger disk.",
        )
    ]


def free_bytes() -> int:
    """What is free on the engines' disk."""
    usage = _usage()
    return usage.free if usage else 0


def reserved_bytes() -> int:
    """What is kept free: for SeaweedFS to grow and compact a volume, and as much for Postgres and its log."""
    engines = (not settings.DATABASE_URL) + bool(settings.S3_IS_BUNDLED)
    return int(settings.DISK_RESERVE_MB * _MB * engines)


def _say(size_bytes: int) -> str:
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.1f} MB"


def _needed_for_files(total_bytes: int) -> int:
    reserved = reserved_bytes()
    if not settings.S3_IS_BUNDLED or not reserved:
        return reserved
    # Half as much again, so that our own writers never come to the point where SeaweedFS stops by itself.
    return max(reserved, int(total_bytes * _SEAWEEDFS_STOPS_AT * 1.5))


def _lacks(needed_bytes: int) -> bool:
    usage = _usage()
    return usage is not None and usage.free < needed_bytes


def _usage(folder: Path | None = None) -> Any:
    """None when the folder does not exist, as before the first `serve`. Takes two microseconds."""
    try:
        return shutil.disk_usage(folder or _folder())
    except OSError:
        return None


@lru_cache(maxsize=1)
def _folder() -> str:
    return str(settings.DATA / paths.ENGINES)
