"""Collects what the server logs while it answers a recorded request, of that request only.

A request is answered in one context from its first to its last byte, and so are its log entries made: a thread that works on
several in turns has one for each. Logging is set up before the models are, so nothing here may need those.
"""

import logging
from contextvars import ContextVar

from storage import limits
from storage.errors import StorageError

LogEntry = tuple[str, str, str]

_entries: ContextVar[list[LogEntry] | None] = ContextVar("entries", default=None)


class Capture(logging.Handler):
    """Passes log entries to the listener of their request, if it has one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Add the entry's level, logger and message to the request's list, if it has one."""
        entries = _entries.get()
        if entries is not None and len(entries) < limits.EVENT_LOG_LINES_MAX:
            try:
                entries.append((record.levelname, record.name, _message(record)))
            except Exception:
                self.handleError(record)


def listen(entries: list[LogEntry] | None) -> None:
    """From now on add what is logged for this request to the list; None to stop."""
    _entries.set(entries)


def note(level: str, name: str, message: str) -> None:
    """Add an entry that is for the recorded request alone, and for no log of the server."""
    entries = _entries.get()
    if entries is not None and len(entries) < limits.EVENT_LOG_LINES_MAX:
        entries.append((level, name, _shown(message)))


def _message(record: logging.LogRecord) -> str:
    """On one line. Of an unexpected error only its type: its text may contain addresses and tables."""
    arguments = record.args
    if isinstance(arguments, tuple):
        arguments = tuple(map(_harmless, arguments))
    message = str(record.msg) % arguments if arguments else str(record.msg)
    if record.exc_info and record.exc_info[0] is not None:
        message += f" ({record.exc_info[0].__name__})"
    return _shown(message)


def _shown(message: str) -> str:
    message = message.replace("\r", "\\r").replace("\n", "\\n").replace("\x00", "\\0")
    if not message.isascii():
        message = message.encode(errors="replace").decode()
    return message[: limits.EVENT_LOG_LINE_MAX_CHARACTERS]


def _harmless(argument: object) -> object:
    if isinstance(argument, BaseException) and not isinstance(argument, StorageError):
        return type(argument).__name__
    return argument
