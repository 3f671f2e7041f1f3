"""`python -m console.listener`: granian's command line, with the application imported before it forks its workers.

Workers then start in no time, also in the place of one that died, and share the memory of the code. Where processes are
spawned instead of forked (macOS) each imports the application by itself, as it would anyway.
"""

import gc
import time
from collections import deque
from typing import Any

from django.urls import get_resolver
from granian import cli
from granian.server import MPServer

import console.wsgi  # noqa: F401 (imported for its effect: Django is set up)
from console.cpu_affinity import find_processors, keep_to, share_of

# So many workers may die in so many seconds before the listener as a whole is given up; serve then starts it again.
_DEATHS_MAX, _DEATHS_WITHIN_SECONDS = 20, 3.0


class Listener(MPServer):
    """granian, but each worker keeps to its processors, and one that dies twice within seconds is replaced twice.

    By itself granian would end then, and the other workers with it: nobody was served until the last of them had answered
    its last request. Two deaths may be one bad request tried again; a worker that cannot even start dies more often.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._deaths: deque[float] = deque(maxlen=_DEATHS_MAX)
        self._processors = find_processors()

    def _spawn_worker(self, idx: int, *args: Any, **options: Any) -> Any:
        if self._processors:
            # The worker inherits this; we ourselves do nothing but wait.
            keep_to(share_of(idx, workers=self.workers, processors=self._processors))
        return super()._spawn_worker(idx, *args, **options)

    def _respawn_workers(self, workers: list[int], *args: Any, **options: Any) -> None:
        super()._respawn_workers(workers, *args, **options)
        self._deaths.extend([time.monotonic()] * len(workers))
        if len(self._deaths) < _DEATHS_MAX or self._deaths[-1] - self._deaths[0] > _DEATHS_WITHIN_SECONDS:
            self.respawned_wrks.clear()


def main() -> None:
    """Load every route's code, and nothing that a fork must not share: no connection and no thread exists yet."""
    _ = get_resolver().url_patterns
    # Collecting would touch, and so copy, every page that the workers could share.
    gc.freeze()
    cli.Server = Listener
    cli.entrypoint()


if __name__ == "__main__":
    main()
