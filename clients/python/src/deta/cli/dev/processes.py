"""The processes that `deta dev` runs: one in the person's terminal, or several whose lines are told apart, which end together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
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


@contextlib.contextmanager
def heeding_signals() -> Iterator[None]:
    """Within it a signal that asks for the end raises Asked in the main thread; Ctrl-C once at most, and others once at most.

    So whatever is to be put back after an end is put back, and a second Ctrl-C does not keep it from that.
    """
    heard: set[int] = set()

    def ask(number: int, frame: Optional[FrameType]) -> None:
        is_new = not heard if number == signal.SIGINT else not heard - {signal.SIGINT}
        heard.add(number)
        if is_new:
            raise Asked(number)

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    try:
        yield
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


def wait_for_one(process: subprocess.Popen[bytes]) -> int:
    """Its exit code as a shell says it, 128 and more after a signal; asked to end ourselves, we ask it."""
    while True:
        try:
            code = process.wait()
        except Asked as asked:
            # In a terminal Ctrl-C has reached it as well, and is its own to heed: to a prompt it means another line.
            if asked.number == signal.SIGINT and sys.stdin.isatty():
                continue
            process.send_signal(asked.number)
            code = _end(process)
        return code if code >= 0 else 128 - code


def wait_for_first(processes: Mapping[str, subprocess.Popen[bytes]]) -> tuple[str, int]:
    """The name and exit code of the first to end; then all others are ended, as they are when Asked is raised."""
    try:
        while True:
            for name, process in processes.items():
                code = process.poll()
                if code is not None:
                    return name, code if code >= 0 else 128 - code
            time.sleep(_LOOK_SECONDS)
    finally:
        for process in processes.values():
            _signal_group(process, signal.SIGTERM)
        for process in processes.values():
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
