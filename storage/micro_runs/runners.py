"""The threads of a job worker that make runs: a few for those that take no longer than a request, and a few for the long ones.

They are apart from the queue's own, so that neither a run of an hour nor a thousand that are due in one minute hold up another
job: a job only wakes them. A thread ends when nothing waits any more.
"""

import logging
import threading

from django.db import connections

from storage import limits
from storage.errors import StorageError
from storage.micro_runs.calling import claim_run, make_run
from storage.micro_runs.runs import State
from storage.micros import hosts
from storage.models import MicroRun

logger = logging.getLogger(__name__)


class Runners:
    """`at_once` is how many there are at most: of the long runs, and of the others."""

    def __init__(self, at_once: dict[bool, int]) -> None:
        self._at_once = at_once
        self._going = dict.fromkeys(at_once, 0)
        self._calls = 0  # so that a thread that is about to end learns that it was woken
        self._lock = threading.Lock()

    def wake(self) -> None:
        """Have as many runs begin as may. Where Micros are switched off, they wait. Raises EngineUnreachable."""
        if not hosts.can_run():
            return
        for is_long in self._at_once:
            waiting = MicroRun.objects.filter(state=State.QUEUED, limit_seconds__isnull=not is_long)[:1_000].count()
            self._wake(is_long=is_long, waiting=waiting)

    def _wake(self, *, is_long: bool, waiting: int) -> None:
        with self._lock:
            self._calls += 1
            more = min(waiting, self._at_once[is_long] - self._going[is_long])
            self._going[is_long] += more
        for _ in range(more):
            # A worker that is stopped waits for none of them: what is left becomes a run that failed with words.
            threading.Thread(target=self._work, args=[is_long], name="runs", daemon=True).start()

    def _work(self, is_long: bool) -> None:
        has_made = False
        try:
            while True:
                with self._lock:
                    calls = self._calls
                if (claimed := claim_run(is_long=is_long)) is not None:
                    connections.close_all()
                    make_run(claimed)
                    has_made = True
                    continue
                with self._lock:
                    if calls == self._calls:
                        break
        except StorageError as error:
            logger.warning("Runs of Micros wait: %s", error)
        except Exception:
            logger.exception("Runs of Micros wait")
        finally:
            with self._lock:
                self._going[is_long] -= 1
            self._wake_others(has_made)
            connections.close_all()

    def _wake_others(self, has_made: bool) -> None:
        """Runs of the other kind may have waited for a Micro that had no room for one more."""
        if has_made:
            try:
                self.wake()
            except StorageError as error:
                logger.warning("Runs of Micros wait: %s", error)


runners = Runners({False: limits.MICRO_RUNS_AT_ONCE, True: limits.MICRO_LONG_RUNS_AT_ONCE})
