"""What is asked for and has no index, and which indexes answer: counted in memory, and stored off the hot path.

A request writes nothing. Each process collects the asks and uses of the last seconds and its own thread stores them in two
statements; a crash loses those seconds.
"""

import logging
import threading
import time
from collections.abc import Iterable

from django.db import connections

from storage import disk_space, limits
from storage.attribute_indexes.sql import tending as tending_sql
from storage.errors import StorageError
from storage.exact_json import dump
from storage.postgres.database import run
from storage.postgres.distribution import items_are_distributed

Path = tuple[str, ...]

logger = logging.getLogger(__name__)

_REST_SECONDS = 3.0
# In one process between two flushes: more are left out, whoever asks for them in earnest asks again.
_COUNTED_MAX = 10_000

_asks: dict[tuple[int, Path], int] = {}
_uses: set[int] = set()
_noted = threading.Event()
_starting = threading.Lock()
_thread: threading.Thread | None = None


def note_asks(base_id: int, paths: Iterable[Path]) -> None:
    """Note that a query asked for these attributes of a Base, and had to stop before its end for want of an index.

    Where items are distributed there will be none.
    """
    if items_are_distributed():
        return
    for path in paths:
        size_bytes = sum(len(step.encode()) + 8 for step in path)
        if size_bytes <= limits.ATTRIBUTE_PATH_MAX_BYTES and len(_asks) < _COUNTED_MAX:
            _asks[base_id, path] = _asks.get((base_id, path), 0) + 1
            _wake()


def note_uses(index_ids: Iterable[int]) -> None:
    """Note that these indexes have just answered a query. Takes a microsecond."""
    _uses.update(index_ids)
    _wake()


def flush() -> None:
    """Store what was noted. What could not be stored because the database is down, or its disk full, is lost."""
    global _asks, _uses
    asks, _asks = _asks, {}
    uses, _uses = _uses, set()
    try:
        if asks and not disk_space.is_short_for_items():
            rows = [(base_id, dump(list(path)).decode(), times) for (base_id, path), times in asks.items()]
            run(tending_sql.add_asks(rows, limits.ATTRIBUTE_ASK_SECONDS))
        if uses:
            run(tending_sql.note_uses(sorted(uses)))
    except StorageError:
        logger.info("What was asked for without an index could not be stored")


def _wake() -> None:
    if not _noted.is_set():
        _noted.set()
        if _thread is None:
            _start()


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_keep_flushing, name="asked attributes", daemon=True)
            _thread.start()


def _keep_flushing() -> None:
    while True:
        _noted.wait()
        # Several asks in a row are stored together, and the request that woke this has its answer first.
        time.sleep(_REST_SECONDS)
        _noted.clear()
        try:
            flush()
        except Exception:
            # This thread is the only one of its kind; the asks of a few seconds are a smaller loss than all later ones.
            logger.exception("What was asked for without an index could not be stored")
        finally:
            connections.close_all()
