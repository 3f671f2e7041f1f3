"""Whether the disk with the bundled engines' data has enough free space. External engines look after their own disks.

A Postgres that cannot write its log may end, and starts again only when there is free space (its documentation: "Disk Full
Failure"). Until then nothing can be read or deleted. In our tests SeaweedFS refused to delete what it had failed to
write. So writes stop while there is still space for deletes and for what the engines write by themselves.
"""

import shutil
from functools import lru_cache

from django.conf import settings

from storage.embedded import paths
from storage.errors import DiskFull


def check_space_for_items() -> None:
    """Raises DiskFull when there is too little free space to write items."""
    if not settings.DATABASE_URL:
        _check()


def check_space_for_files() -> None:
    """Raises DiskFull when there is too little free space to write files and parts."""
    if settings.S3_IS_BUNDLED or not settings.DATABASE_URL:
        _check()


def is_short_of(size_bytes: int) -> bool:
    """Whether the bundled SeaweedFS may have failed to store so many bytes because the disk is full.

    SeaweedFS does not say so itself: it answers with a general internal error.
    """
    free = _free_bytes() if settings.S3_IS_BUNDLED else None
    return free is not None and free < size_bytes + _ENGINE_SLACK_BYTES


# SeaweedFS keeps a journal of its own, and metadata beside the bytes.
_ENGINE_SLACK_BYTES = 4_194_304


def _check() -> None:
    free = _free_bytes()
    if free is not None and free < settings.DISK_RESERVE_MB * 1_048_576:
        raise DiskFull()


def _free_bytes() -> int | None:
    """None when the folder does not exist, as before the first `serve`. Takes two microseconds."""
    try:
        return shutil.disk_usage(_folder()).free
    except OSError:
        return None


@lru_cache(maxsize=1)
def _folder() -> str:
    return str(settings.DATA / paths.ENGINES)
