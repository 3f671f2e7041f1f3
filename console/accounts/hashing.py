"""Hashing of passwords: a few at a time in each process, without a database connection, and nobody waits long.

A hash takes a third of a second of a processor on purpose. Without a bound anybody could make the server hash for
everybody else's time, by sending passwords.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from console.error_status import HashingBusy
from storage import limits
from storage.postgres.database import release_connection

_places = threading.BoundedSemaphore(limits.HASHES_AT_ONCE)
_waiting = threading.BoundedSemaphore(limits.HASHES_AT_ONCE + limits.HASHES_WAITING)


class BoundedHasher(PBKDF2PasswordHasher):
    """Django's, whose hashes it makes and reads. Every password of a form goes through it."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        """Raises HashingBusy when too many wait already, or it takes too long."""
        with _turn():
            return super().encode(password, salt, iterations)


@contextmanager
def _turn() -> Iterator[None]:
    release_connection()
    if not _waiting.acquire(blocking=False):
        raise HashingBusy()
    try:
        if not _places.acquire(timeout=limits.HASH_WAIT_SECONDS):
            raise HashingBusy()
        try:
            yield
        finally:
            _places.release()
    finally:
        _waiting.release()
