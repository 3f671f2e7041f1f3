"""When a data key was last used and by which client, without a write per request.

Each process collects the uses of the last seconds and its own thread stores them in one statement: at once for the
first use after a pause, then every few seconds. A crash loses those seconds.
"""

import logging
import threading
import time

from django.db import connections

from storage import limits
from storage.collections.sql import key_uses as key_uses_sql
from storage.errors import StorageError
from storage.postgres.database import run

logger = logging.getLogger(__name__)

_REST_SECONDS = 3.0

_uses: dict[bytes, tuple[float, str]] = {}
_noted = threading.Event()
_starting = threading.Lock()
_thread: threading.Thread | None = None


def note_use(*, key_digest: bytes, client: str) -> None:
    """Note that a request with this key was just allowed; `client` is its User-Agent. Takes a microsecond."""
    _uses[key_digest] = (time.monotonic(), client)
    if not _noted.is_set():
        _noted.set()
        if _thread is None:
            _start()


def flush_uses() -> None:
    """Store the noted uses. Uses that could not be stored because the database is down are tried again next time."""
    global _uses
    taken, _uses = _uses, {}
    if not taken:
        return
    now = time.monotonic()
    rows = [(digest, now - at, _clean(client)) for digest, (at, client) in list(taken.items())]
    try:
        run(key_uses_sql.note_uses(rows))
    except StorageError:
        _uses = taken | _uses
        _noted.set()


def _clean(client: str) -> str:
    """The text without unprintable characters, cut to the length of its column."""
    return "".join(filter(str.isprintable, client))[: limits.CLIENT_NAME_MAX_CHARACTERS]


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_keep_flushing, name="key uses", daemon=True)
            _thread.start()


def _keep_flushing() -> None:
    while True:
        _noted.wait()
        _noted.clear()
        try:
            flush_uses()
        except Exception:
            # This thread is the only one of its kind; the uses of a few seconds are a smaller loss than all later ones.
            logger.exception("The last uses of data keys could not be stored")
        finally:
            connections.close_all()
        time.sleep(_REST_SECONDS)
