"""Gives room back at once when the disk of the bundled engines is too full, instead of in its own time.

The oldest day of what items were goes first. What nobody can reach any more goes without its time of grace: expired items,
garbage, copies of hot files. Then PostgreSQL and
SeaweedFS are told to give the disk what these held, which they would do some time later by themselves.
"""

import logging
import subprocess
import time

from django.conf import settings

from storage import disk_space, sweeper
from storage.base.sql import items as items_sql
from storage.embedded import accounts, paths, seaweedfs
from storage.errors import DiskFull, EngineUnreachable
from storage.history import retention
from storage.postgres.database import run
from storage.postgres.locks import only_worker
from storage.s3.cache import copies

logger = logging.getLogger(__name__)

# SeaweedFS deletes what an object was made of up to a few seconds after the object.
_LAZY_SECONDS = 2.0
_ROUNDS_WITHOUT_GAIN = 4
_ASK_AGAIN_SECONDS = 1.0


def make_room(*, wait_seconds: float = 0) -> None:
    """While the disk is too full: delete and compact, until it is not or nothing more comes of it.

    Returns at once when there is room. It waits so long while another is at work, and while an engine does not answer, which a
    full disk may have ended. Raises EngineUnreachable.
    """
    until = time.monotonic() + wait_seconds
    unanswered_seconds = 0.0
    while disk_space.is_short_for_files():
        try:
            with only_worker("room") as is_ours:
                if is_ours:
                    _make_room()
            if is_ours or time.monotonic() > until:
                return
        except EngineUnreachable:
            unanswered_seconds += _ASK_AGAIN_SECONDS
            if unanswered_seconds > wait_seconds:
                raise
        time.sleep(_ASK_AGAIN_SECONDS)


def _make_room() -> None:
    without_gain = 0
    while without_gain < _ROUNDS_WITHOUT_GAIN and disk_space.is_short_for_files():
        before = disk_space.free_bytes()
        dropped = not disk_space.has_room_for_history() and retention.drop_oldest_day()
        swept = sweeper.sweep_files(at_once=True).blobs + sweeper.sweep_expired_items()
        copies.clear()
        compact()
        without_gain = 0 if dropped or swept or disk_space.free_bytes() > before else without_gain + 1
        time.sleep(_LAZY_SECONDS)


def compact() -> None:
    """Have the bundled engines give the disk what deleted items and files held. What fails is logged, and tried next time."""
    if not settings.DATABASE_URL:
        try:
            run(items_sql.give_back_items())
        except DiskFull:
            logger.warning("PostgreSQL found no room to give back that of deleted items.")
    local = settings.LOCAL_STATE
    if not settings.S3_IS_BUNDLED or local is None:
        return
    try:
        account = accounts.engine_account(settings.ENGINE_USER)
        home = local.home(settings.DATA)
        seaweedfs.compact(home, local.s3, binaries=paths.binaries(account), account=account)
    except (subprocess.SubprocessError, OSError, accounts.AccountError, paths.PathError) as error:
        logger.warning("SeaweedFS could not be compacted: %s", error)
