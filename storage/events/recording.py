"""Which collections have their requests recorded: switched on and off here, and known in every process.

A request must not pay for a query: each process keeps the ids in memory, and its own thread checks every second whether
they have changed. So a switch takes effect within two seconds.
"""

import logging
import threading
import time

from django.db import connections, transaction

from storage import disk_space, engine_waits
from storage.audit import log as audit
from storage.audit.log import Verb
from storage.errors import StorageError
from storage.events.sql import queries as events_sql
from storage.models import Recording
from storage.postgres.database import run

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 1.0
# Only the first request of a process waits for the first look, and not for a database that does not answer.
_FIRST_LOOK_SECONDS = 0.2

_recorded: frozenset[str] = frozenset()
_looked = threading.Event()
_starting = threading.Lock()
_thread: threading.Thread | None = None


def find_recording(collection_id: str) -> Recording | None:
    """Since when a collection's requests are recorded; None when they are not."""
    return Recording.objects.filter(collection_id=collection_id).first()


def start_recording(collection_id: str) -> None:
    """Record the collection's requests from now on; starting again changes nothing. Raises DiskFull."""
    disk_space.check_space_for_items()
    with transaction.atomic():
        if Recording.objects.get_or_create(collection_id=collection_id)[1]:
            audit.record(Verb.RECORDING_STARTED, collection_id=collection_id)


def stop_recording(collection_id: str) -> None:
    """Stop recording; recorded requests stay until they expire."""
    with transaction.atomic():
        if Recording.objects.filter(collection_id=collection_id).delete()[0]:
            audit.record(Verb.RECORDING_STOPPED, collection_id=collection_id)


def is_recorded(collection_id: str) -> bool:
    """Whether requests to this collection are recorded, as of a second ago."""
    if _thread is None:
        engine_waits.will_wait()
        _start()
        _looked.wait(_FIRST_LOOK_SECONDS)
    return collection_id in _recorded


def _start() -> None:
    global _thread
    with _starting:
        if _thread is None:
            _thread = threading.Thread(target=_keep_looking, name="recording", daemon=True)
            _thread.start()


def _keep_looking() -> None:
    global _recorded
    while True:
        try:
            _recorded = frozenset(collection_id for (collection_id,) in run(events_sql.list_recorded()))
            _looked.set()
        except StorageError:
            pass  # keep the last known state: the requests themselves report that the database is down
        except Exception:
            logger.exception("Which collections are recorded could not be read")
        finally:
            connections.close_all()
        time.sleep(_LOOK_SECONDS)
