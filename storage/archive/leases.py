"""Who works on an export or import: a worker has it for as long as it gives a sign of life now and then.

A worker that was killed gives none, and after `ARCHIVE_LEASE_SECONDS` another may take the work over; each attempt has a
number, and whatever an earlier one still tries to write is refused. All times are the database's.
"""

import time
from datetime import timedelta
from typing import Any

from django.db.models import Model, Q
from django.db.models.functions import Now

from storage import limits

_BEAT_SECONDS = 1.0


class Superseded(Exception):
    """The work was taken over by another worker, or what it was for is gone: there is nothing left to do or to say."""


class Lease:
    """The right to work on a row, as taken by the attempt that the row has noted. `running` is how the row says so."""

    def __init__(self, row: Model, **running: Any) -> None:
        self._mine = type(row)._default_manager.filter(pk=row.pk, attempts=row.attempts, **running)  # type: ignore[attr-defined]
        self._beat_at = time.monotonic()

    def save(self, **values: Any) -> None:
        """Write values into the row, in the caller's transaction if there is one. Raises Superseded."""
        self._beat_at = time.monotonic()
        if not self._mine.update(heartbeat_at=Now(), **values):
            raise Superseded

    def tick(self, **values: Any) -> None:
        """Save, but once a second at most: call it as often as you like. Raises Superseded."""
        if time.monotonic() - self._beat_at >= _BEAT_SECONDS:
            self.save(**values)


def is_orphaned() -> Q:
    """Rows whose worker has given no sign of life for so long that it must be gone."""
    return Q(heartbeat_at__lt=Now() - timedelta(seconds=limits.ARCHIVE_LEASE_SECONDS)) | Q(heartbeat_at=None)
