"""Work whose processor time a stranger can drive up, done elsewhere: in a process that is ended when its budget is spent.

Python cannot end a thread, and a regular expression or a parser in C holds the interpreter's lock: one such piece of work
would stop every page and API call of its web worker. So it is done in helpers, processes that a web worker starts when
it first needs one, keeps while there is work, and takes along when it goes. `helper_process.py` is what runs there.

A budget is processor time, so that the answer does not depend on how busy the machine is and can be kept.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from console.bounded_work.helper_process import DONE, FAILED, READY, receive, send
from storage import limits

logger = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parent.parent.parent
# What a helper gets of our environment: where Python is, the marks by which `serve` finds what it left behind, and how
# it writes what goes wrong. No secret.
_VARIABLES = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_PREFIXES = ("PYTHON", "LC_", "HOMEPORT_INSTANCE", "HOMEPORT_LOG_FORMAT")
# A helper that has waited nearly as long as it ever does could be gone by the time it is asked.
_REUSED_SECONDS = limits.WORK_IDLE_SECONDS / 2


class Stopped(Exception):
    """The work was ended: it wanted more time or memory than there is for it, or failed. It would do so again."""


class Busy(Exception):
    """No helper was free, or it had no processor, for too long. Later it may be otherwise."""


class Helpers:
    """The helpers of this process for one module of tasks, a few at a time; safe to use from all threads.

    `module` is started as a program and calls `helper_process.serve` with its tasks.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._turns = threading.Semaphore(limits.WORKS_AT_ONCE)
        self._idle: list[_Helper] = []

    def run(self, task: str, *arguments: Any) -> Any:
        """What the task returns for these arguments: numbers, texts, bytes and lists of such, there and back.

        Raises Stopped and Busy. Hold no database connection meanwhile: this may take WORK_WAIT_SECONDS.
        """
        ends_at = time.monotonic() + limits.WORK_WAIT_SECONDS
        if not self._turns.acquire(timeout=limits.WORK_WAIT_SECONDS):
            raise Busy
        try:
            return self._run(msgspec.msgpack.encode((task, arguments)), ends_at)
        finally:
            self._turns.release()

    def end(self) -> None:
        """End the helpers that wait for work."""
        with suppress(IndexError):
            while True:
                self._idle.pop().end()

    def _run(self, message: bytes, ends_at: float) -> Any:
        helper = self._take(ends_at)
        try:
            how, what = msgspec.msgpack.decode(helper.ask(message, ends_at), type=tuple[str, Any])
        except TimeoutError:
            helper.end()
            raise Busy from None
        except (EOFError, OSError, msgspec.DecodeError) as error:
            helper.end()
            logger.error("A helper ended by itself: %r", error)
            raise Busy from None
        except BaseException:
            helper.end()
            raise
        self._idle.append(helper)
        if how == DONE:
            return what
        logger.log(logging.ERROR if how == FAILED else logging.INFO, "Work in a helper ended early: %s", what)
        raise Stopped(what)

    def _take(self, ends_at: float) -> "_Helper":
        """A helper that waits, or a new one. Raises Busy."""
        with suppress(IndexError):
            while True:
                helper = self._idle.pop()
                if helper.is_fresh():
                    return helper
                helper.end()
        try:
            return _Helper(self._module, ends_at)
        except (OSError, EOFError) as error:
            logger.error("A helper could not be started: %r", error)
            raise Busy from None


class _Helper:
    """One process and the socket to it."""

    def __init__(self, module: str, ends_at: float) -> None:
        """Raises OSError and EOFError when it does not start in time."""
        self._socket, theirs = socket.socketpair()
        self.asked_at = time.monotonic()
        with theirs:
            # Every other file and connection of ours is closed there.
            self._process = subprocess.Popen(
                [sys.executable, "-m", module],
                stdin=theirs.fileno(),
                cwd=_ROOT,
                env=_environment(),
                start_new_session=True,
            )
        try:
            if self._receive(ends_at) != READY:
                raise EOFError
        except BaseException:
            self.end()
            raise

    def is_fresh(self) -> bool:
        """Whether it is there and will wait for long enough to be asked."""
        return time.monotonic() - self.asked_at < _REUSED_SECONDS and self._process.poll() is None

    def ask(self, message: bytes, ends_at: float) -> bytes:
        """Raises EOFError when it is gone, and OSError, TimeoutError among it when there is no answer in time."""
        self.asked_at = time.monotonic()
        self._socket.settimeout(_left(ends_at))
        send(self._socket, message)
        return self._receive(ends_at)

    def _receive(self, ends_at: float) -> bytes:
        self._socket.settimeout(_left(ends_at))
        return receive(self._socket)

    def end(self) -> None:
        """End it, and the piece of work in it."""
        self._socket.close()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def _environment() -> dict[str, str]:
    return {name: text for name, text in os.environ.items() if name in _VARIABLES or name.startswith(_PREFIXES)}


def _left(ends_at: float) -> float:
    """Raises TimeoutError when nothing is left."""
    left = ends_at - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
