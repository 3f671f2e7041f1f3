"""Starts SeaweedFS again when a full disk has left it unable to store and delete.

It keeps what it knows of files in several LevelDBs. A journal of theirs that could not be written once refuses every later write,
however much room there is by then (goleveldb, issue 196): what it stands for can be read, and neither replaced nor deleted. Each
refusal is in SeaweedFS's log, with the journal's name. As nothing was acknowledged that is not written, it is killed.
"""

import logging
import shutil
import subprocess
import time

from storage.embedded.process import Child

logger = logging.getLogger(__name__)

# To open a LevelDB takes room, as its journal becomes a table. Without, SeaweedFS would not even be there to read.
_NEEDED_BYTES = 32 * 1_048_576
# On a disk that is filled again and again it should be there to read for most of the time.
_PAUSE_SECONDS = 30.0


class StuckJournal:
    """Looks after the journals of one SeaweedFS."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._stuck: subprocess.Popen[bytes] | None = None
        self._ended_at: float | None = None

    def look(self) -> None:
        """Have it started again when it is stuck and there is room to. Call it every second. Raises OSError."""
        process = self._child.process
        if any(map(_tells, self._child.new_output().splitlines())):
            self._stuck = process
        if process is None or process is not self._stuck or self._has_just_ended() or not self._has_room():
            return
        logger.warning("SeaweedFS is started again, as it stores and deletes nothing any more since the disk was full.")
        self._stuck, self._ended_at = None, time.monotonic()
        self._child.restart()

    def _has_just_ended(self) -> bool:
        return self._ended_at is not None and time.monotonic() - self._ended_at < _PAUSE_SECONDS

    def _has_room(self) -> bool:
        return shutil.disk_usage(self._child.folder).free >= _NEEDED_BYTES


def _tells(line: bytes) -> bool:
    return b"/filerldb2/" in line and b".log: no space left on device" in line
