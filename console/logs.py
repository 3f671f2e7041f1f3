"""What the log holds: entries of one line, so long and so many of a kind a minute, without secrets; and its file, if it has one.

Each says for which request or job it was written, if for any.

Anybody can make this server write an entry, by a foreign `Host` alone. So the entry for a client's mistake (4xx) is one short
line; of everything only so much is written a minute, and what was left out is counted; nobody can begin an entry of their own
or change the colour of a terminal with what they send; and a file never grows beyond its size.
"""

import copy
import fcntl
import logging
import os
import re
import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from storage import request_ids
from storage.json_output import plain_stderr

# Entries of one kind that a process writes within a minute.
ENTRIES_PER_MINUTE = 20
_MINUTE_SECONDS = 60.0
# In characters: of the entry for a client's mistake, of any other, and of a traceback, whose end says what went wrong.
_MISTAKE_MAX, _MESSAGE_MAX, _TRACEBACK_MAX = 300, 2_000, 8_000
# The file, and one older one beside it, have at most so many bytes each.
FILE_MAX_BYTES = 10_485_760

_MISTAKES = "4xx"
# Access tokens, data keys, and the links that let somebody in.
_SECRET = re.compile(
    r"(?<=hp_)[A-Za-z0-9]{40}|(?<=[a-z0-9]{10}_)[A-Za-z0-9]{32}|(?<=/join/)[^/\s]+|(?<=/s/)[^/\s]+|(?<=/welcome/)[^/\s]+"
)

logger = logging.getLogger(__name__)


class TextLine(logging.Formatter):
    """An entry as text, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry. Whatever is no visible character is shown as Python writes it: `\\n`, `\\x1b`."""
        made = _shortened(record)
        return _visible(f"{super().format(made)}{_about(made)}")


class JsonLine(JsonFormatter):
    """An entry as JSON, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry. JSON itself writes as `\\u001b` what is no visible character."""
        return super().format(_shortened(record))


class WithoutUnavailable(logging.Filter):
    """Leaves out Django's entry for every 503 and 507: an engine that is down or full is logged where it was noticed."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the entry stays."""
        return getattr(record, "status_code", None) not in (503, 507)


class Limited(logging.Filter):
    """Lets through so many entries of a kind a minute, and then tells how many were left out.

    A client's mistakes are of one kind together; other entries are of one kind when the same line of code makes them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._counts: dict[Hashable, int] = {}
        self._ends = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the entry stays."""
        kind = _MISTAKES if _is_mistake(record) else (record.name, record.levelname, record.pathname, record.lineno)
        with self._lock:
            now = time.monotonic()
            if now >= self._ends:
                self._counts = {}
                self._ends = now + _MINUTE_SECONDS
            counts, ends = self._counts, self._ends
            count = counts[kind] = counts.get(kind, 0) + 1
        if count == ENTRIES_PER_MINUTE + 1:
            # It ends with the process, which waits for it no more than for the minute.
            timer = threading.Timer(ends - now, self._tell, [kind, record.name, counts])
            timer.daemon = True
            timer.start()
        return count <= ENTRIES_PER_MINUTE

    @staticmethod
    def _tell(kind: Hashable, name: str, counts: dict[Hashable, int]) -> None:
        left_out = counts[kind] - ENTRIES_PER_MINUTE
        about = "entries for requests with a mistake (4xx)" if kind == _MISTAKES else f"entries of {name}"
        logger.warning("%d more %s were left out within a minute.", left_out, about)


class Stderr(logging.StreamHandler[TextIO]):
    """Writes entries to stderr, past what makes JSON of the rest."""

    def __init__(self) -> None:
        super().__init__(plain_stderr())


class BoundedFile(WatchedFileHandler):
    """A file that several processes write whole lines to, and that moves to `NAME.1` when it is full.

    What cannot be written goes to stderr.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Write the entry, into a new file if this one is full or was moved by another process."""
        try:
            self.reopenIfNeeded()
            if self.stream is not None and os.fstat(self.stream.fileno()).st_size >= FILE_MAX_BYTES:
                self._move()
            super().emit(record)
        except OSError:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """The disk is full, or the file somebody else's."""
        with suppress(OSError):
            plain_stderr().write(f"{self.format(record)}\n")

    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return super()._open()

    def _move(self) -> None:
        # A lock on the file itself would be shared by workers, which have it open from before they were forked.
        with Path(f"{self.baseFilename}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if Path(self.baseFilename).stat().st_size >= FILE_MAX_BYTES:
                Path(self.baseFilename).replace(f"{self.baseFilename}.1")
        self.reopenIfNeeded()


def _is_mistake(record: logging.LogRecord) -> bool:
    return 400 <= getattr(record, "status_code", 0) < 500


def _shortened(record: logging.LogRecord) -> logging.LogRecord:
    """A copy that may be written: short, without secrets, and of a client's mistake without the traceback."""
    made = copy.copy(record)
    # As text it has the query string in it, and JSON would write it.
    request = made.__dict__.pop("request", None)
    message = record.getMessage()
    if _is_mistake(record):
        made.levelno, made.levelname = logging.WARNING, "WARNING"
        made.exc_info = made.exc_text = made.stack_info = None
        message = _cut(_without_secrets(message), _MISTAKE_MAX)
        address = getattr(request, "META", {}).get("REMOTE_ADDR", "")[:60]
        message = f"{record.__dict__['status_code']} {message}{f' from {address}' if address else ''}"
    elif record.exc_info:
        text = logging.Formatter().formatException(record.exc_info) if not record.exc_text else record.exc_text
        made.exc_info, made.exc_text = None, _cut(_without_secrets(text), _TRACEBACK_MAX)
    made.msg, made.args = _cut(_without_secrets(message), _MESSAGE_MAX), None
    for name, of in (("request_id", request_ids.request_id), ("job", request_ids.job)):
        if value := of.get():
            made.__dict__.setdefault(name, value)
    return made


def _about(record: logging.LogRecord) -> str:
    """What the entry was written for, to stand at its end."""
    told = [("request", record.__dict__.get("request_id")), ("job", record.__dict__.get("job"))]
    return "".join(f" ({name} {value})" for name, value in told if value)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 4]} … {text[-most // 4 * 3 :]}"


def _without_secrets(text: str) -> str:
    return _SECRET.sub("[redacted]", text)


def _visible(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
