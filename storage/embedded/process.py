"""Child processes that are kept running: start, restart with a growing pause, stop; and a log file of bounded size.

Owns the life of one process; what it is started with, and how to tell that it answers, belong to the callers.
Everything happens in the caller's thread: Linux's death signal goes out when the *thread* that started a child ends.
"""

import contextlib
import ctypes
import logging
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.counting.counted import Counter, Gauge, Minutes
from storage.embedded.accounts import Account

logger = logging.getLogger(__name__)

# A child that ran this long was healthy: its next restart comes at once again.
_HEALTHY_AFTER_SECONDS = 10.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 5.0
_LOG_SIZE_BYTES = 8 * 1024 * 1024
_LOOKED_AT_BYTES = 256 * 1024
_PR_SET_PDEATHSIG = 1

_UP = Gauge("homeport_process_up")
_STARTED_AT = Gauge("homeport_process_start_time_seconds")
_RESTARTS = Counter("homeport_process_restarts")
RESTARTED = Minutes("restarts", size=1, kept=60)

# The umask of all we run: what it makes, sockets in shared folders too, is its user's alone.
PRIVATE = 0o077


@dataclass
class Child:
    """One supervised process.

    `prepare` runs before every start and removes what a crash left behind. `log` is a file, or None for our own output.
    `stop_signal` asks it to stop; after `stop_seconds` it is killed. `death_signal` reaches it when we are killed (Linux).
    When it dies, what it started ends with it, or goes on by itself for up to `outlived_seconds`, after which it has to be gone.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    account: Account | None = None
    log: Path | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0
    death_signal: signal.Signals = signal.SIGKILL
    outlived_seconds: float = 0.0
    prepare: Callable[[], None] = lambda: None
    # Descriptors that it inherits, such as sockets that are to outlive it.
    descriptors: Sequence[int] = ()
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    quick_deaths: int = field(default=0, init=False)
    _started_at: float = field(default=0.0, init=False)
    _restart_at: float | None = field(default=None, init=False)
    _refusal: str = field(default="", init=False)
    _is_ended_by_us: bool = field(default=False, init=False)
    _log_read_to: int = field(default=0, init=False)
    # Those that died, and until when others of their group may go on.
    _outlived: list[tuple[subprocess.Popen[bytes], float]] = field(default_factory=list, init=False)

    def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C in the terminal reaches only its parent."""
        self.prepare()
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(_open_log(self.log)) if self.log else None
            self._log_read_to = os.fstat(output).st_size if output else 0
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
                pass_fds=self.descriptors,
                umask=PRIVATE,
                preexec_fn=death_signal_setter(self.death_signal),
                **_as_account(self.account),
            )
        self._started_at = time.monotonic()
        self._restart_at = None
        _STARTED_AT.set(self.name, to=time.time())
        _RESTARTS.add(self.name, by=0)

    def is_running(self) -> bool:
        """Whether the process was started and lives."""
        return self.process is not None and self.process.poll() is None

    def tick(self) -> None:
        """Detect that the process died, and restart it when the pause is over. Call it often; it never waits."""
        now = time.monotonic()
        self._end_outlived(now)
        is_running = self.is_running()
        _UP.set(self.name, to=is_running)
        if self.process is None or is_running:
            return
        if self._restart_at is None:
            self._restart_at = now + self._note_death(self.process, now)
        if now >= self._restart_at:
            self._restart(now)

    def _restart(self, now: float) -> None:
        """Start it again, or later when the machine does not let us: no room on the disk, no process left."""
        try:
            self.start()
        except Exception as error:
            self.quick_deaths += 1
            self._restart_at = now + self._pause()
            if self._refusal != repr(error):
                self._refusal = repr(error)
                logger.exception("%s could not be started again. The next try comes soon.", self.name)
        else:
            self._refusal = ""
            _RESTARTS.add(self.name)
            RESTARTED.add(self.name, [1.0], minute=int(time.time()) // 60)
            logger.warning("%s was started again.", self.name)

    def restart(self) -> None:
        """Kill the process, for `tick` to start it again at once. Whoever calls this says why."""
        if self.process is not None and self.is_running():
            self._is_ended_by_us = True
            _kill_group(self.process)

    def request_stop(self) -> None:
        """Ask the process to stop, without waiting for it."""
        if self.process is not None and self.is_running():
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(self.stop_signal)

    def finish_stop(self, *, until: float) -> None:
        """Wait for the stop until that `time.monotonic()`, then kill; returns once the process and its group are gone."""
        self._end_outlived(math.inf)
        if self.process is None:
            return
        try:
            self.process.wait(timeout=max(until - time.monotonic(), 0.0))
        except subprocess.TimeoutExpired:
            logger.warning("%s did not stop in time and is killed.", self.name)
        _kill_group(self.process)
        self.process.wait()
        self.process = None

    def stop(self) -> None:
        """Ask, wait for `stop_seconds`, kill."""
        self.request_stop()
        self.finish_stop(until=time.monotonic() + self.stop_seconds)

    def last_words(self, lines: int = 8) -> str:
        """The end of its log file, to show when it can't be started."""
        if self.log is None or not self.log.is_file():
            return ""
        with open(self.log, encoding="utf-8", errors="replace", opener=_private) as file:
            return "\n".join(file.read().splitlines()[-lines:])

    def bound_log(self) -> None:
        """Keep the log file under its size: the child goes on appending to the same file, whose last lines move to `.1`.

        It needs no free space: what is kept is in memory when the room is given back. Raises OSError when there is none even
        then, and the log is short all the same.
        """
        if not self.log or not self.log.is_file() or self.log.stat().st_size <= _LOG_SIZE_BYTES:
            return
        with open(self.log, "rb+", opener=_private) as file:
            file.seek(-_LOG_SIZE_BYTES, os.SEEK_END)
            kept = file.read()
            file.truncate(0)
        with open(self.log.with_name(f"{self.log.name}.1"), "wb", opener=_private) as file:
            file.write(kept)

    def new_output(self) -> bytes:
        """What this process has logged since this was asked last; of very much only the end. Raises OSError."""
        if self.log is None:
            return b""
        with open(self.log, "rb", opener=_private) as file:
            size = file.seek(0, os.SEEK_END)
            since = self._log_read_to if self._log_read_to <= size else 0
            self._log_read_to = size
            file.seek(max(since, size - _LOOKED_AT_BYTES))
            return file.read(size - file.tell())

    def _note_death(self, process: subprocess.Popen[bytes], now: float) -> float:
        """Log it, end what is left of its group when its time is over, and return the seconds to pause before the restart."""
        self._outlived.append((process, now + self.outlived_seconds))
        self._end_outlived(now)
        if self._is_ended_by_us:
            self._is_ended_by_us = False
            return 0.0
        self.quick_deaths = self.quick_deaths + 1 if now - self._started_at < _HEALTHY_AFTER_SECONDS else 0
        logger.error("%s ended unexpectedly (%s).", self.name, _describe_exit(process.returncode))
        return self._pause()

    def _end_outlived(self, now: float) -> None:
        for each in [each for each in self._outlived if each[1] <= now]:
            self._outlived.remove(each)
            _kill_group(each[0])

    def _pause(self) -> float:
        if not self.quick_deaths:
            return 0.0
        # The exponent is bounded, as a child may be tried for weeks.
        return float(min(_FIRST_PAUSE_SECONDS * 2 ** min(self.quick_deaths - 1, 10), _LONGEST_PAUSE_SECONDS))


def stop_all(children: Iterable[Child]) -> None:
    """Stop children side by side, each within its own time."""
    waiting = [(child, time.monotonic() + child.stop_seconds) for child in children]
    for child, _ in waiting:
        child.request_stop()
    for child, until in sorted(waiting, key=lambda pair: pair[1]):
        child.finish_stop(until=until)


def run_tool(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    account: Account | None,
    text: str = "",
    seconds: float | None = 120,
    folder: Path | None = None,
) -> str:
    """Run one of an engine's own tools to its end, as the engine's user, with `text` as its input; return what it printed.

    `folder` is where it works, if it leaves something there. It is killed after `seconds`, None for never.
    Raises subprocess.CalledProcessError or subprocess.TimeoutExpired.
    """
    done = subprocess.run(
        command,
        env=dict(environment),
        cwd=folder or ("/" if account else None),
        input=text,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        check=True,
        umask=PRIVATE,
        **_as_account(account),
    )
    return done.stdout


def engine_environment(home: Path, *, marks: Mapping[str, str]) -> dict[str, str]:
    """A small environment for an engine: nothing of ours that it doesn't need, `marks` to find it again."""
    kept = {"PATH": os.environ["PATH"]} if "PATH" in os.environ else {}
    return kept | {"HOME": str(home), "TMPDIR": str(home / "tmp"), "LANG": "C", "TZ": "UTC", **marks}


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End the process and those it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _as_account(account: Account | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


@contextlib.contextmanager
def _open_log(path: Path) -> Iterator[int]:
    """Append, so that `bound_log` can shorten the file under a running child.

    The folder is the engines' user's, who could have root write elsewhere by a link: that one is refused with an OSError.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def death_signal_setter(number: signal.Signals) -> Callable[[], None] | None:
    """What a child does before it becomes its program, on Linux: ask the kernel for a signal when its parent dies.

    It runs after the change of user, which would undo it. Elsewhere a killed parent's children are found at the next start.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def _describe_exit(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
