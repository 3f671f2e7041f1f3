"""The processes of the server: forked from one that has loaded everything, and replaced when they die or freeze.

They serve on sockets that `serve` opened and keeps. So when this main process dies the port goes on answering: its workers do,
until the next main process has had time to start its own.
"""

import contextlib
import logging
import mmap
import os
import select
import signal
import struct
import sys
import time
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)

# A worker's loop gives a sign of life every second; one that gave none for so long is frozen.
FROZEN_SECONDS = 20.0
# So many workers may die in so many seconds before the whole is given up; serve then starts it again.
_DEATHS_MAX, _DEATHS_WITHIN_SECONDS = 20, 3.0
# How long workers go on when the main process is gone.
ORPHAN_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_BEAT = struct.Struct("d")


class Beats:
    """The last sign of life of each worker, in memory that the processes share."""

    def __init__(self, workers: int) -> None:
        self._memory = mmap.mmap(-1, _BEAT.size * workers)

    def beat(self, worker: int) -> None:
        """Sign of life of a worker."""
        _BEAT.pack_into(self._memory, worker * _BEAT.size, time.monotonic())

    def seconds_since(self, worker: int) -> float:
        """How long ago the last one was."""
        (at,) = _BEAT.unpack_from(self._memory, worker * _BEAT.size)
        return float(time.monotonic() - at)


class Processes:
    """The workers of this main process. `work` runs in each with its number and what it has to call every second."""

    def __init__(self, workers: int, work: Callable[[int, Callable[[], None]], None], *, stop_seconds: float) -> None:
        self._work, self._stop_seconds = work, stop_seconds
        self._beats = Beats(workers)
        self._pids: dict[int, int] = {}
        self._deaths: deque[float] = deque(maxlen=_DEATHS_MAX)
        self._is_stopping = False
        self._parent_end, self._worker_end = os.pipe()
        self._woken, self._wake = os.pipe()
        self._numbers = range(workers)

    def run(self) -> int:
        """Keep them running until SIGTERM or SIGINT; returns the exit code."""
        os.set_blocking(self._wake, False)
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        looked = time.monotonic()
        for worker in self._numbers:
            self._start(worker)
        while not self._is_stopping:
            self._wait(_LOOK_SECONDS)
            self._replace_dead()
            # Which are silent is seen before the clock is: wherever this process was stopped meanwhile, the pause is noticed.
            silent = self._find_silent()
            now = time.monotonic()
            # After a pause of our own, such as a machine asleep, the workers have paused as well.
            if now - looked < FROZEN_SECONDS / 2:
                self._kill_frozen(silent)
            else:
                self._forgive()
            looked = now
            if len(self._deaths) == _DEATHS_MAX and self._deaths[-1] - self._deaths[0] < _DEATHS_WITHIN_SECONDS:
                self._stop()
                return 1
        self._stop()
        return 0

    def _start(self, worker: int) -> None:
        self._beats.beat(worker)
        pid = os.fork()
        if pid:
            self._pids[pid] = worker
            return
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            os.close(self._worker_end)
            self._work(worker, self._sign_of(worker))
            code = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            # Nothing of the main process may run here: not its `finally`, not what it would do at its end.
            os._exit(code)

    def _sign_of(self, worker: int) -> Callable[[], None]:
        orphaned_at: float | None = None

        def sign() -> None:
            nonlocal orphaned_at
            self._beats.beat(worker)
            # The main process holds the other end, and never writes: there is something to read when it is gone.
            if orphaned_at is None and select.select([self._parent_end], [], [], 0)[0]:
                orphaned_at = time.monotonic()
            if orphaned_at is not None and time.monotonic() - orphaned_at > ORPHAN_SECONDS:
                os.kill(os.getpid(), signal.SIGTERM)

        return sign

    def _wait(self, seconds: float) -> None:
        if select.select([self._woken], [], [], seconds)[0]:
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 4096)

    def _replace_dead(self) -> None:
        while self._pids:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            worker = self._pids.pop(pid)
            self._deaths.append(time.monotonic())
            if not self._is_stopping:
                self._start(worker)

    def _find_silent(self) -> list[int]:
        return [pid for pid, worker in self._pids.items() if self._beats.seconds_since(worker) > FROZEN_SECONDS]

    def _kill_frozen(self, silent: list[int]) -> None:
        for pid in silent:
            logger.error("Web worker %d gave no sign of life for %.0f s and is replaced", pid, FROZEN_SECONDS)
            self._beats.beat(self._pids[pid])
            os.kill(pid, signal.SIGKILL)

    def _forgive(self) -> None:
        for worker in self._numbers:
            self._beats.beat(worker)

    def _stop(self) -> None:
        self._is_stopping = True
        self._signal_all(signal.SIGTERM)
        ends_at = time.monotonic() + self._stop_seconds
        while self._pids and time.monotonic() < ends_at:
            self._wait(0.1)
            self._replace_dead()
        self._signal_all(signal.SIGKILL)
        while self._pids:
            self._pids.pop(os.wait()[0], None)

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def _ask_to_stop(self, *_: object) -> None:
        self._is_stopping = True
