"""What a Micro prints: each line that is printed for a request is marked with the request's id.

A line on descriptor 1 or 2 is `<text>` or, during a request, `\\x1e<id>\\x1f<text>`. Who prints is known by a context variable,
which coroutines and the threads of the web server and of Starlette inherit; threads that an app starts by itself do not.
"""

import contextvars
import io
import os
import re
import sys
import threading
from typing import Any, Optional

PARTIAL_MAX_BYTES = 65_536  # of a line that does not end

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_request: contextvars.ContextVar[str] = contextvars.ContextVar("request", default="")


def enter_request(request_id: Optional[str]) -> str:
    """From here on this task prints for a request; returns its id, or an empty text when it has none that is well formed."""
    text = request_id if request_id and _ID.fullmatch(request_id) else ""
    _request.set(text)
    return text


class _Lines(io.RawIOBase):
    """A stream that gives whole lines to a descriptor, each with the mark of who printed it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._partial: dict[str, bytes] = {}
        self._renew_lock()
        os.register_at_fork(after_in_child=self._renew_lock)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return False

    def write(self, data: Any) -> int:
        written = bytes(data)
        request_id = _request.get()
        with self._lock:
            *lines, rest = (self._partial.pop(request_id, b"") + written).split(b"\n")
            if len(rest) > PARTIAL_MAX_BYTES:
                lines, rest = [*lines, rest], b""
            if rest:
                self._partial[request_id] = rest
            self._print(request_id, lines)
        return len(written)

    def end_line(self, request_id: str) -> None:
        """Print what was begun for a request that is over."""
        with self._lock:
            rest = self._partial.pop(request_id, b"")
            self._print(request_id, [rest] if rest else [])

    def end_lines(self) -> None:
        for request_id in list(self._partial):
            self.end_line(request_id)

    def _print(self, request_id: str, lines: list[bytes]) -> None:
        mark = b"\x1e" + request_id.encode() + b"\x1f" if request_id else b""
        left = memoryview(b"".join(mark + line + b"\n" for line in lines))
        while left:
            left = left[os.write(self._descriptor, left) :]

    def _renew_lock(self) -> None:
        self._lock = threading.RLock()


_streams: list[_Lines] = []


def take_over() -> None:
    """Replace `sys.stdout` and `sys.stderr`, before anything of the app can keep a hold of them."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        lines = _Lines(descriptor)
        _streams.append(lines)
        raw: Any = lines  # each write is a line's part at once, so nothing stands between them
        text = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True)
        setattr(sys, name, text)
        setattr(sys, f"__{name}__", text)


def leave_request(request_id: str) -> None:
    """Print what it began without ending the line."""
    for stream in _streams:
        stream.end_line(request_id)


def end_lines() -> None:
    """Print all that was begun, at the end of the process."""
    for stream in _streams:
        stream.end_lines()
