"""The control socket of one sandbox, our end: lines of JSON both ways, and once the two listeners that were opened inside.

An app can write to its end as well as its runtime can. So what comes is bounded, believed about its own Micro alone, and open
files are taken from the first message only, which is sent before any code of the app's runs.
"""

import json
import os
import socket
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_CHUNK_BYTES = 65_536
_LINE_MAX_BYTES = 262_144
_MESSAGES_MAX = 100
_FILES_MAX = 8

Hear = Callable[[dict[str, Any], list[socket.socket]], None]


class Channel:
    """`hear` gets each message with the sockets that came along."""

    def __init__(self, own: socket.socket, *, hear: Hear, loop: AbstractEventLoop) -> None:
        own.setblocking(False)
        self._socket, self._hear, self._loop = own, hear, loop
        self._begun = b""
        self._messages = 0
        self._files: list[socket.socket] = []
        self._is_reading = True
        loop.add_reader(own.fileno(), self._read)

    def send(self, message: dict[str, Any]) -> None:
        """Say something; one that is not listening misses it."""
        with suppress(OSError):
            self._socket.send(json.dumps(message).encode() + b"\n")

    def read_rest(self) -> None:
        """Take what came before its other end was closed."""
        while self._is_reading and self._read():
            pass

    def close(self) -> None:
        """End it, which ends a runtime that is still there."""
        self._stop_reading()
        self._socket.close()

    def _read(self) -> bool:
        try:
            data, files, _, _ = socket.recv_fds(self._socket, _CHUNK_BYTES, _FILES_MAX, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return False
        except OSError:
            data, files = b"", []
        self._take_files(files)
        *lines, self._begun = (self._begun + data).split(b"\n")
        for line in lines:
            self._take(line)
        if not data or len(self._begun) > _LINE_MAX_BYTES or self._messages >= _MESSAGES_MAX:
            self._stop_reading()
        return True

    def _take_files(self, files: list[int]) -> None:
        for number in files:
            try:
                if self._messages:
                    raise OSError
                self._files.append(socket.socket(fileno=number))
            except OSError:
                os.close(number)

    def _take(self, line: bytes) -> None:
        files, self._files = self._files, []
        self._messages += 1
        message: Any = None
        with suppress(ValueError, RecursionError):
            message = json.loads(line)
        if isinstance(message, dict) and self._messages <= _MESSAGES_MAX:
            self._hear(message, files)
            return
        for each in files:
            each.close()

    def _stop_reading(self) -> None:
        if self._is_reading:
            self._is_reading = False
            self._loop.remove_reader(self._socket.fileno())
        for each in self._files:
            each.close()
        self._files = []
