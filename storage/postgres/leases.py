"""Leases: which worker has an export or import. A worker keeps it as long as it renews the lease.

A killed worker does not, and after `ARCHIVE_LEASE_SECONDS` another may take over. Each attempt has a number, and
writes of an earlier attempt are refused. All times are the database's.
"""

import time
from datetime import timedelta
from typing import Any

from django.db.models import Model, Q
from django.db.models.functions import Now

from storage import limits

_BEAT_SECONDS = 1.0


class Superseded(Exception):
    """Another worker took the work over, or its export or import was deleted: stop without a report."""


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
    """Rows whose lease has run out: their worker is dead."""
    return Q(heartbeat_at__lt=Now() - timedelta(seconds=limits.ARCHIVE_LEASE_SECONDS)) | Q(heartbeat_at=None)
