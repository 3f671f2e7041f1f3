"""Micros by the names that their requests come under, as they were within the last second."""

import threading
import time

from storage.micros import micros
from storage.models import Micro
from storage.postgres.database import one_connection

_KEPT_SECONDS = 1.0
_KEPT_MOST = 1_024


class Found:
    """What was found; what is no Micro's is remembered too."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Micro | None]] = {}
        self._lock = threading.Lock()

    def find(self, host: str) -> Micro | None:
        """The Micro that a Host header names. Raises EngineUnreachable."""
        now = time.monotonic()
        kept = self._kept.get(host)
        if kept is not None and kept[0] > now:
            return kept[1]
        with one_connection():
            micro = micros.find_micro_by_host(host)
        if micro is not None and micro.deployment_id is None:
            # Its first deployment is waited for: it answers from that moment on.
            return micro
        with self._lock:
            if len(self._kept) >= _KEPT_MOST:
                self._kept = {name: each for name, each in self._kept.items() if each[0] > now}
            if len(self._kept) < _KEPT_MOST:
                self._kept[host] = (now + _KEPT_SECONDS, micro)
        return micro


found = Found()
