"""Limits of data keys, requests a second and bytes a day, kept by all processes of all nodes together.

A process remembers which limits the keys have that it met, and looks every second whether they have changed: a key without
limits costs one statement when a process meets it first, and a look into a dictionary from then on. Requests come out of a
bucket in the database that holds as many as may be made in a second; a process takes a twentieth of it at once and uses that
within the second, so that a limit of N costs at most some 20 small statements a second in each process. Bytes are counted
after the fact, and added up in the database every second, or earlier where many have come together.
"""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta

from django.db import connections

from storage import engine_waits
from storage.collections.sql import key_limits as key_limits_sql
from storage.collections.sql.key_limits import KeyLimits
from storage.errors import EngineUnreachable, StorageError, Unauthorized
from storage.postgres.database import run

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
# Of a limit that a process takes, or uses, before it tells the others.
_SHARES = 20
_BYTE_SHARES = 100
# How long requests that were taken may be kept for use.
_LEASE_SECONDS = 1.0
# Another thread of this process may be asking the database just now.
_WAIT_SECONDS = 4.0
_KEYS_KEPT = 10_000

_known: dict[bytes, "Allowance | None"] = {}
_starting = threading.Lock()
_thread: threading.Thread | None = None


class Allowance:
    """A key that has limits, in this process: what it took of them, and what it used and has not told yet."""

    def __init__(self, row: KeyLimits) -> None:
        self._key_id = row.key_id
        self._taking, self._telling = threading.Lock(), threading.Lock()
        self._counting = threading.Lock()
        self._left = 0
        self._left_until = self._none_until = 0.0
        self._untold = 0
        self.update(row)

    def update(self, row: KeyLimits) -> None:
        """The limits as they are now, and what was used by all processes today."""
        self.requests_per_second, self.bytes_per_day = row.requests_per_second, row.bytes_per_day
        self._used_bytes = row.used_bytes

    def take_request(self) -> float:
        """Take one request; 0, or the seconds until there may be another. Raises EngineUnreachable."""
        rate = self.requests_per_second
        if rate is None:
            return 0.0
        budget = engine_waits.current()
        with budget.spending():
            is_ours = self._taking.acquire(timeout=budget.shorten(_WAIT_SECONDS))
        if not is_ours:
            raise EngineUnreachable()
        try:
            now = time.monotonic()
            if self._left > 0 and now < self._left_until:
                self._left -= 1
                return 0.0
            if now < self._none_until:
                return self._none_until - now
            return self._take_from_all(rate)
        finally:
            self._taking.release()

    def _take_from_all(self, rate: int) -> float:
        found = run(key_limits_sql.take_requests(self._key_id, rate, max(1, rate // _SHARES)))
        now = time.monotonic()
        if not found:
            return 0.0  # the key is gone, which the request itself finds out
        ((granted, tokens),) = found
        if granted:
            self._left, self._left_until = granted - 1, now + _LEASE_SECONDS
            return 0.0
        wait = (1 - tokens) / rate
        self._none_until = now + wait
        return wait

    def give_back_request(self) -> None:
        """Give back a request that was taken and not made: this process may make it within a second."""
        with self._taking:
            now = time.monotonic()
            self._left = self._left + 1 if now < self._left_until else 1
            self._left_until = now + _LEASE_SECONDS

    def wait_for_bytes(self) -> float:
        """0 while bytes are left for today, else the seconds until the next day (UTC)."""
        if self.bytes_per_day is None or self._used_bytes + self._untold < self.bytes_per_day:
            return 0.0
        now = datetime.now(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        return (midnight - now).total_seconds()

    def count_bytes(self, used: int) -> None:
        """Count bytes that a request moved. What cannot be told to the database now is told later."""
        limit = self.bytes_per_day
        if limit is None:
            return
        with self._counting:
            self._untold += used
            is_much = self._untold * _BYTE_SHARES >= limit
        if is_much:
            self.tell_bytes()

    def tell_bytes(self) -> None:
        """Add what was used here to what all have used; one thread at a time does."""
        if not self._untold or not self._telling.acquire(blocking=False):
            return
        try:
            untold = self._untold
            found = run(key_limits_sql.add_bytes(self._key_id, untold))
            with self._counting:
                self._untold -= untold
                if found:
                    self._used_bytes = found[0].used_bytes
        except StorageError:
            pass  # it stays untold until the next time
        finally:
            self._telling.release()


def find_allowance(key_digest: bytes) -> Allowance | None:
    """What a key that has limits may still do; None for a key without any.

    Raises Unauthorized when there is no such key, EngineUnreachable.
    """
    if _thread is None:
        _start()
    try:
        return _known[key_digest]
    except KeyError:
        return _meet(key_digest)


def _meet(key_digest: bytes) -> Allowance | None:
    found = run(key_limits_sql.find_limits(key_digest))
    if not found:
        raise Unauthorized()
    if len(_known) >= _KEYS_KEPT:
        for digest in [digest for digest, allowance in list(_known.items()) if allowance is None]:
            _known.pop(digest, None)
    # Two threads that meet a key at once must not each have an allowance of it.
    return _known.setdefault(key_digest, Allowance(found[0]) if _has_limits(found[0]) else None)


def _has_limits(row: KeyLimits) -> bool:
    return row.requests_per_second is not None or row.bytes_per_day is not None


def look_again() -> None:
    """Tell what was used, and learn the limits as they are now. Raises EngineUnreachable."""
    for allowance in list(_known.values()):
        if allowance is not None:
            allowance.tell_bytes()
    rows = {bytes(row.digest): row for row in run(key_limits_sql.list_limits())}
    for digest, allowance in list(_known.items()):
        row = rows.get(digest)
        if row is None:
            _known[digest] = None
        elif allowance is None:
            _known[digest] = Allowance(row)
        else:
            allowance.update(row)


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_keep_looking, name="key limits", daemon=True)
            _thread.start()


def _keep_looking() -> None:
    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            look_again()
        except StorageError:
            pass  # keep what is known: the requests themselves report that the database is down
        except Exception:
            logger.exception("The limits of data keys could not be read")
        finally:
            connections.close_all()
