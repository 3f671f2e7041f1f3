"""Gives tries back, also those that the database could not take back at once: they are owed until it does.

A full disk that lets a try be counted may not let it be given back, and a database may end in between. What a process owes is in
its memory: it is settled every second while there is something, and before the process counts another try. One that is killed
forgets it; then the counters' windows end as for anybody. More than so many counters are not remembered.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable

from django.db import connection, connections

from storage import limits
from storage.errors import DiskFull, EngineUnreachable
from storage.postgres.database import run
from storage.throttles import sql as throttles_sql
from storage.throttles.sql import TakenTry

logger = logging.getLogger(__name__)

_SETTLE_SECONDS = 1.0

_owed: Counter[TakenTry] = Counter()
_changing, _settling = threading.Lock(), threading.Lock()
_thread: threading.Thread | None = None


def give_back(taken: Iterable[TakenTry]) -> None:
    """Take the tries off their counters: now, or else as soon as that can be written."""
    tries = Counter(TakenTry(bytes(who), ends_at) for who, ends_at in taken)
    if not _write(tries):
        _remember(tries)


def settle() -> None:
    """Give back what is owed, if anything is and the database takes it. Another thread may be at it already.

    Within a transaction it waits: that one may be taken back, and would break off with it.
    """
    if not _owed or connection.in_atomic_block or not _settling.acquire(blocking=False):
        return
    try:
        with _changing:
            tries = _owed.copy()
        if _write(tries):
            with _changing:
                _owed.subtract(tries)
                for each in [each for each, number in _owed.items() if number <= 0]:
                    del _owed[each]
    finally:
        _settling.release()


def _write(tries: Counter[TakenTry]) -> bool:
    if not tries:
        return True
    whos, windows = [each.who for each in tries], [each.ends_at for each in tries]
    try:
        run(throttles_sql.give_back(whos, windows, list(tries.values())))
    except (DiskFull, EngineUnreachable):
        return False
    return True


def _remember(tries: Counter[TakenTry]) -> None:
    global _thread
    with _changing:
        if len(_owed) < limits.THROTTLE_OWED_MAX:
            _owed.update(tries)
        if _thread is None:
            _thread = threading.Thread(target=_keep_settling, name="owed tries", daemon=True)
            _thread.start()


def _keep_settling() -> None:
    """Until nothing is owed."""
    global _thread
    while True:
        time.sleep(_SETTLE_SECONDS)
        try:
            settle()
        except Exception:
            logger.exception("Tries could not be given back")
        finally:
            connections.close_all()
        with _changing:
            if not _owed:
                _thread = None
                return
