"""How thumbnails are made: one after the other by the job worker, each in a process that is bounded and knows no secret.

A stranger's picture may be anything: a bomb of pixels, a file that sends its decoder astray. So it is decoded by
`shrinking.py` alone, which is started for this one picture, gets its bytes on standard input, and ends with its limits.
"""

import logging
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from storage import disk_space, limits
from storage.drive import files
from storage.drive.sql import files as files_sql
from storage.errors import BlobMissing, DiskFull, EngineUnreachable
from storage.postgres import clock
from storage.postgres.database import engine_errors, run
from storage.postgres.locks import only_worker
from storage.s3.blobs import Owner
from storage.thumbnails import sql as thumbnails_sql
from storage.thumbnails.sql import WantedThumbnail
from storage.thumbnails.thumbnails import CONTENT_TYPE

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parent.parent.parent
# What the process gets of our environment: where Python is, and the mark by which `serve` finds what it left behind.
_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_PREFIXES = ("PYTHON", "LC_", "HOMEPORT_INSTANCE")


@dataclass(slots=True)
class _Small:
    """A small picture on its way to S3."""

    picture: bytes
    content_type: str | None = CONTENT_TYPE

    def open(self) -> tuple[int, Iterator[bytes]]:
        return len(self.picture), iter([self.picture])


def make_wanted() -> bool:
    """Make thumbnails that are wanted, those that have waited longest first, for some seconds. Returns whether more are.

    Leaves at once when another is at it, and leaves the rest for later when the disk is too full.
    Raises EngineUnreachable and DiskFull.
    """
    ends_at = time.monotonic() + limits.THUMBNAIL_TURN_SECONDS
    with only_worker("thumbnails") as is_ours:
        while is_ours and not disk_space.is_short_for_files():
            taken = run(thumbnails_sql.take_wanted(limits.THUMBNAIL_ATTEMPTS_MAX))
            if not taken:
                return False
            try:
                _make(taken[0])
            except (EngineUnreachable, DiskFull):
                # That is not the picture's fault.
                run(thumbnails_sql.give_attempt_back(taken[0].blob_id))
                raise
            if time.monotonic() > ends_at:
                return True
    return False


def _make(wanted: WantedThumbnail) -> None:
    try:
        picture = _read(wanted)
    except BlobMissing:
        # It was replaced or deleted since it was asked for.
        picture = b""
    small = shrink(picture) if picture else b""
    if not small:
        run(thumbnails_sql.note_none(wanted.blob_id))
        return
    thumb_id = uuid.uuid4()
    run(files_sql.reserve_blobs([thumb_id]))
    with files.discarded_on_error(thumb_id):
        stored = files.store(thumb_id, _Small(small), Owner("", "", ""))
        with engine_errors(), transaction.atomic():
            files.take(stored)
            is_wanted = bool(run(thumbnails_sql.note_made(wanted.blob_id, thumb_id, len(small))))
            # The file may have been deleted meanwhile, and its thumbnail forgotten.
            transaction.set_rollback(not is_wanted)
    if not is_wanted:
        run(files_sql.discard_blobs([thumb_id]))


def _read(wanted: WantedThumbnail) -> bytes:
    size_bytes = sum(wanted.blob_sizes)
    file = files.StoredFile(size_bytes, "", "", clock.now(), wanted.blob_ids, wanted.blob_sizes)
    return files.read_start(file, size_bytes)


def shrink(picture: bytes) -> bytes:
    """The picture in small, as WebP of at most 256 by 256 pixels; empty when it is none, or takes too much to read."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "storage.thumbnails.shrinking"],
            input=picture,
            capture_output=True,
            cwd=_ROOT,
            env={name: text for name, text in os.environ.items() if name in _VARIABLES or name.startswith(_PREFIXES)},
            start_new_session=True,
            timeout=limits.THUMBNAIL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.info("A thumbnail was not made: %s", type(error).__name__)
        return b""
    if done.returncode or not 0 < len(done.stdout) <= limits.THUMBNAIL_MAX_BYTES:
        logger.info("A thumbnail was not made: %s %s", done.returncode, done.stderr[-300:].decode(errors="replace"))
        return b""
    return done.stdout
