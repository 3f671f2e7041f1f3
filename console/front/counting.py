"""Counts the requests to Micros, and stores the sums every few seconds, in a thread of each web process."""

import logging
import threading
import time
from collections import Counter

from storage.errors import StorageError
from storage.micros import figures
from storage.postgres.database import one_connection

logger = logging.getLogger(__name__)

_STORED_SECONDS = 3.0
_SERVER_ERROR = 500


class Counts:
    """What was counted since the last time."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._errors: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()
        self._is_storing = False

    def add(self, micro_id: str, status: int) -> None:
        """A request was answered."""
        place = (micro_id, int(time.time() // 60))
        with self._lock:
            self._requests[place] += 1
            self._errors[place] += status >= _SERVER_ERROR
            if self._is_storing:
                return
            self._is_storing = True
        threading.Thread(target=self._store_soon, name="micro-counts", daemon=True).start()

    def _store_soon(self) -> None:
        """Then the thread ends: without requests there is none."""
        time.sleep(_STORED_SECONDS)
        with self._lock:
            requests, errors = self._requests, self._errors
            self._requests, self._errors, self._is_storing = Counter(), Counter(), False
        counted = [
            figures.Counted(micro_id, minute, number, errors[micro_id, minute])
            for (micro_id, minute), number in requests.items()
        ]
        try:
            with one_connection():
                figures.add_figures(counted)
        except StorageError as error:
            logger.warning("Requests to Micros were not counted: %s", error)


counts = Counts()
