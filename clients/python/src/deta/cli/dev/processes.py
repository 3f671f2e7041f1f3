"""The processes that `deta dev` runs: one in the person's terminal, or several whose lines are told apart, which end together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Optional, Union

from deta.cli.errors import CliError

# What is asked to end has so long before it is ended.
_GRACE_SECONDS = 10.0
_LOOK_SECONDS = 0.1
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_lock = threading.Lock()


class Asked(Exception):
    """A signal asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Signals:
    """What asks for the end raises Asked in the main thread: Ctrl-C once at most, and others once at most.

    So whatever is to be put back after an end is put back, and a second Ctrl-C does not keep it from that.
    """

    def __init__(self) -> None:
        self._heard: set[int] = set()
        self._kept: list[int] = []
        self._is_held = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """What asks within it is heard by the next `heard`: a command is never half started, and left to itself."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False

    @contextlib.contextmanager
    def heard(self) -> Iterator[None]:
        """Within `held`: what asks is heard again. Raises Asked for what was kept."""
        self._is_held = False
        try:
            if self._kept:
                raise Asked(self._kept.pop())
            yield
        finally:
            self._is_held = True

    def ask(self, number: int, frame: Optional[FrameType]) -> None:
        """The handler of each."""
        is_new = not self._heard if number == signal.SIGINT else not self._heard - {signal.SIGINT}
        self._heard.add(number)
        if is_new and self._is_held:
            self._kept.append(number)
        elif is_new:
            raise Asked(number)


@contextlib.contextmanager
def heeding_signals() -> Iterator[Signals]:
    """Within it a signal that asks for the end raises Asked, as `Signals` has it."""
    signals = Signals()
    before = {number: signal.signal(number, signals.ask) for number in _SIGNALS}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start(
    command: Union[str, Sequence[str]],
    environment: Mapping[str, str],
    *,
    folder: Optional[Path] = None,
    is_one_of_many: bool,
) -> subprocess.Popen[bytes]:
    """Start a command, of the shell when it is a text. One of many has its output read, and a group of processes of its own.

    Raises CliError.
    """
    try:
        # Of a Spacefile it is a line for a shell, as the person wrote it.
        return subprocess.Popen(  # nosec B602
            command,
            env=dict(environment),
            cwd=folder,
            shell=isinstance(command, str),
            stdin=subprocess.DEVNULL if is_one_of_many else None,
            stdout=subprocess.PIPE if is_one_of_many else None,
            stderr=subprocess.STDOUT if is_one_of_many else None,
            start_new_session=is_one_of_many,
        )
    except FileNotFoundError:
        raise CliError(f"{command[0]}: there is no such command", exit_code=127) from None
    except PermissionError:
        raise CliError(f"{command[0]} can't be run", exit_code=126) from None
    except OSError as error:
        raise CliError(f"{command[0]} can't be run: {error.strerror}") from None


def wait_for_one(process: subprocess.Popen[bytes], signals: Signals) -> int:
    """Its exit code as a shell says it, 128 and more after a signal; asked to end ourselves, we ask it. They are held before."""
    while True:
        try:
            with signals.heard():
                code = process.wait()
        except Asked as asked:
            # In a terminal Ctrl-C has reached it as well, and is its own to heed: to a prompt it means another line.
            if asked.number == signal.SIGINT and sys.stdin.isatty():
                continue
            process.send_signal(asked.number)
            code = _end(process)
        return code if code >= 0 else 128 - code


def wait_for_first(processes: Mapping[str, subprocess.Popen[bytes]], signals: Signals) -> tuple[str, int]:
    """The name and exit code of the first to end. They are held before; Asked is raised when one asks while we wait."""
    with signals.heard():
        while True:
            for name, process in processes.items():
                code = process.poll()
                if code is not None:
                    return name, code if code >= 0 else 128 - code
            time.sleep(_LOOK_SECONDS)


def end_all(processes: Collection[subprocess.Popen[bytes]]) -> None:
    """All that were started as one of many, and what they started."""
    for process in processes:
        _signal_group(process, signal.SIGTERM)
    for process in processes:
        _end(process, in_group=True)


def follow(name: str, width: int, pipe: IO[bytes], into: IO[bytes]) -> threading.Thread:
    """Write each line of a pipe behind the name of who printed it, until it ends."""

    def copy() -> None:
        for line in pipe:
            with _lock, contextlib.suppress(OSError, ValueError):
                into.write(f"{name:<{width}} | ".encode() + line.rstrip(b"\r\n") + b"\n")
                into.flush()

    thread = threading.Thread(target=copy, name=f"lines of {name}", daemon=True)
    thread.start()
    return thread


def _end(process: subprocess.Popen[bytes], *, in_group: bool = False) -> int:
    try:
        return process.wait(timeout=_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        if in_group:
            _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.kill()
        return process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """To all that one started, the shell's children among them; also when it has ended itself, and they have not."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, number)
        else:
            process.terminate()
