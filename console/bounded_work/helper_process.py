"""The other side of `helpers.py`: a process that does what its web worker asks, each piece of work in a process of its own.

It has imported everything and forks for each piece, which takes 3 ms. What ends a piece is the system, not Python: a timer of
processor time whose signal nobody catches works in the middle of a regular expression too. Nothing of the server's is in
here: no connection, no secret, no file but what Python itself opened.

Only what the modules with the tasks import is loaded: neither Django's settings nor the database.
"""

import gc
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec

from storage import json_output, limits

Tasks = Mapping[str, Callable[..., Any]]

READY = b"ready"
DONE, STOPPED, FAILED = "done", "stopped", "failed"
_LENGTH = struct.Struct(">Q")
# The timer counts in the system's ticks and can be missed by no more than those; this is for a system that has none.
_LAST_RESORT_SECONDS = 2


def serve(tasks: Tasks) -> None:
    """Answer on the socket that is this process's input, until the web worker goes or has asked nothing for a while."""
    json_output.begin()
    os.nice(5)  # pages first
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    # What is imported is shared by all pieces, and no collection of theirs may copy it.
    gc.freeze()
    with socket.socket(fileno=0) as asked:
        send(asked, READY)
        asked.settimeout(limits.WORK_IDLE_SECONDS)
        with suppress(OSError, EOFError):
            while True:
                _answer(asked, receive(asked), tasks)


def _answer(asked: socket.socket, message: bytes, tasks: Tasks) -> None:
    worker = os.fork()
    if worker == 0:
        try:
            send(asked, _work(message, tasks))
        finally:
            os._exit(0)
    _, status = os.waitpid(worker, 0)
    if os.WIFSIGNALED(status):
        # It was ended before it began to answer: the timer runs no longer than the work.
        send(asked, msgspec.msgpack.encode((STOPPED, signal.Signals(os.WTERMSIG(status)).name)))


def _work(message: bytes, tasks: Tasks) -> bytes:
    """Do one piece within its bounds, and describe how it ended. A text of a type of its own is sent as a plain one."""
    name, arguments = msgspec.msgpack.decode(message, type=tuple[str, list[Any]])
    _bound()
    try:
        made = msgspec.msgpack.encode((DONE, tasks[name](*arguments)), enc_hook=str.__str__)
        ended = made if len(made) <= limits.WORK_ANSWER_MAX_BYTES else (STOPPED, "its answer is too long")
    except MemoryError:
        ended = (STOPPED, "memory")
    except Exception as error:  # whatever a parser of strangers' bytes may raise
        ended = (FAILED, f"{type(error).__name__}: {error}"[:500])
    signal.setitimer(signal.ITIMER_PROF, 0)
    return ended if isinstance(ended, bytes) else msgspec.msgpack.encode(ended)


def _bound() -> None:
    """From here on this process has so much memory and processor time, and writes no file."""
    for what, most in (
        (resource.RLIMIT_DATA, limits.WORK_MEMORY_BYTES),
        (resource.RLIMIT_CPU, _LAST_RESORT_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        # macOS knows them all, and keeps no process from having more memory.
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))
    signal.setitimer(signal.ITIMER_PROF, limits.WORK_CPU_SECONDS)


def send(where: socket.socket, message: bytes) -> None:
    """Raises OSError, TimeoutError among it."""
    where.sendall(_LENGTH.pack(len(message)))
    where.sendall(message)


def receive(where: socket.socket) -> bytes:
    """The next message. Raises EOFError when the other side is gone, and OSError, TimeoutError among it."""
    return _receive_bytes(where, _LENGTH.unpack(_receive_bytes(where, _LENGTH.size))[0])


def _receive_bytes(where: socket.socket, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = where.recv(min(count, 1_048_576))
        if not part:
            raise EOFError
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
