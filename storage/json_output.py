"""What a process of the server writes beside its log, as JSON too where the log is JSON: one entry a line, and nothing else.

Libraries print, Python tells of warnings and of what nobody catches, and `serve` speaks to the person at the terminal. Whoever
collects the log reads all of it as one stream. What the engines write goes to files of their own.
"""

import io
import json
import logging
import os
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Any, TextIO

logger = logging.getLogger("homeport.uncaught")


def begin() -> None:
    """From now on write nothing but JSON, if `HOMEPORT_LOG_FORMAT` asks for it. Call it before anything is written."""
    if os.environ.get("HOMEPORT_LOG_FORMAT") != "json" or isinstance(sys.stderr, JsonOutput):
        return
    sys.stdout = JsonOutput(sys.stdout, "INFO")
    sys.stderr = JsonOutput(sys.stderr, "WARNING")
    sys.excepthook = _tell_of
    sys.unraisablehook = _tell_of_ignored
    threading.excepthook = _tell_of_thread
    logging.captureWarnings(True)


def plain_stderr() -> TextIO:
    """Where entries go that are JSON already."""
    return sys.stderr.plain if isinstance(sys.stderr, JsonOutput) else sys.stderr


class JsonOutput(io.TextIOBase):
    """Makes an entry of each line that is written, and writes it to `plain`."""

    encoding = "utf-8"

    def __init__(self, plain: TextIO, level: str) -> None:
        self.plain = plain
        self._level = level
        self._lock = threading.Lock()
        self._begun = ""

    def write(self, text: str) -> int:
        """Write the lines that this completes. Empty ones are none."""
        with self._lock:
            *lines, self._begun = f"{self._begun}{text}".split("\n")
            entries = [_entry(line.strip(), self._level) for line in lines if line.strip()]
            if entries:
                self.plain.write("".join(entries))
        return len(text)

    def flush(self) -> None:
        """As any stream's. A line that has only begun waits for its end."""
        self.plain.flush()

    def fileno(self) -> int:
        """The descriptor, which programs inherit."""
        return self.plain.fileno()

    def writable(self) -> bool:
        """It is for writing."""
        return True


def _entry(message: str, level: str) -> str:
    now = time.time()
    at = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))},{int(now % 1 * 1000):03d}"
    return f"{json.dumps({'time': at, 'level': level, 'logger': 'homeport.output', 'message': message})}\n"


def _tell_of(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    if logging.getLogger().handlers:
        logger.critical("Nobody caught this", exc_info=(kind, error, trace))
    else:
        # Before the log is there: when the settings are wrong, say.
        plain_stderr().write(_entry("".join(traceback.format_exception(kind, error, trace)).strip(), "CRITICAL"))


def _tell_of_thread(about: threading.ExceptHookArgs) -> None:
    if about.exc_value is not None and not issubclass(about.exc_type, SystemExit):
        _tell_of(about.exc_type, about.exc_value, about.exc_traceback)


def _tell_of_ignored(about: Any) -> None:
    """Such as an error in a finalizer."""
    what = f"{about.err_msg or 'Exception ignored in'}: {about.object!r}"
    if about.exc_value is not None and logging.getLogger().handlers:
        logger.error("%s", what, exc_info=(about.exc_type, about.exc_value, about.exc_traceback))
    else:
        plain_stderr().write(_entry(f"{what} {about.exc_value!r}", "ERROR"))
