"""Keys for items without one: short, unique across processes, and in the order of creation.

A snowflake id in base 36: 8 characters of milliseconds, 2 of the process, 2 of a count within the millisecond. No
two processes alive at once share a number, as a database sequence hands them out, so no key is ever made twice and
no item is overwritten by a chance that random characters would leave.
"""

import threading
import time

from storage.base.sql import items as items_sql
from storage.postgres.database import run_one

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PER_MS = 36**2


class KeyGenerator:
    """Makes keys for one process; safe to use from all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: str | None = None
        self._last = 0

    def new_key(self) -> str:
        """12 lower-case letters and digits (contract: Base, PUT). Raises EngineUnreachable on a process's first."""
        with self._lock:
            if self._process is None:
                self._process = _base36(run_one(items_sql.next_process_number()).number % _PER_MS, 2)
            # A clock that was set back must not repeat a key, so this only ever counts up.
            self._last = max(self._last + 1, int(time.time() * 1000) * _PER_MS)
            ms, count = divmod(self._last, _PER_MS)
            return _base36(ms, 8) + self._process + _base36(count, 2)


def _base36(number: int, width: int) -> str:
    text = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text


new_key = KeyGenerator().new_key
