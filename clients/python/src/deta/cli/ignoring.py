"""What a project's `.detaignore` says: a regular expression on each line, found anywhere in a path; `!` before one includes.

The last line that fits a path counts. Paths are those within the project, with `/` between their steps. Empty lines and those
that begin with `#` say nothing. The expressions are tried in a process that is ended when one takes too long.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from deta.cli.errors import CliError

NAME = ".detaignore"
# For all paths of a folder together.
_SECONDS = 20.0
_PROCESS = Path(__file__).with_name("ignoring_process.py")

Paths = Sequence[tuple[str, bool]]


class Ignoring:
    """The rules of a folder's `.detaignore`, as a context manager. Without such a file it has no opinion on anything.

    Raises CliError for a file that can't be read, and for a line that is no regular expression.
    """

    def __init__(self, folder: Path, *, seconds: float = _SECONDS) -> None:
        self._lines = _read_lines(folder / NAME)
        self._seconds = seconds
        self._process: Optional[_Process] = None

    def __enter__(self) -> Ignoring:
        if self._lines:
            self._process = _Process(self._lines, self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.end()

    def judge(self, paths: Paths) -> list[Optional[bool]]:
        """Of each path, and whether it is a folder: is it taken in? None where no line says so.

        Raises CliError when an expression takes too long.
        """
        if self._process is None or not paths:
            return [None] * len(paths)
        verdicts = self._process.ask(paths)
        if verdicts is None:
            raise CliError(f"{NAME}: {self._find_slow(paths)}takes too long on the names here: write it more plainly")
        found: list[Optional[bool]] = verdicts
        return found

    def _find_slow(self, paths: Paths) -> str:
        for number, text in self._lines:
            alone = _Process([(number, text)], self._seconds)
            try:
                if alone.ask(paths) is None:
                    return f"the expression on line {number} "
            finally:
                alone.end()
        return "an expression "


class _Process:
    """The process that tries expressions, for so many seconds in all. `ask` returns None when it had to be ended."""

    def __init__(self, lines: Sequence[tuple[int, str]], seconds: float) -> None:
        self._left_seconds = _SECONDS
        self._running = subprocess.Popen(
            [sys.executable, "-I", "-S", "-W", "ignore", str(_PROCESS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="ascii",
        )
        fault = self.ask(lines)
        if fault != {}:
            self.end()
            if not fault:
                raise CliError(f"{NAME} can't be understood in {_SECONDS:g} seconds: write it more plainly")
            raise CliError(f"{NAME}, line {fault['line']}: this is no regular expression: {fault['why']}")
        self._left_seconds = seconds

    def ask(self, value: object) -> Any:
        began = time.monotonic()
        timer = threading.Timer(self._left_seconds, self._running.kill)
        timer.daemon = True
        timer.start()
        try:
            assert self._running.stdin is not None and self._running.stdout is not None  # noqa: S101, PT018
            self._running.stdin.write(json.dumps(value) + "\n")
            self._running.stdin.flush()
            line = self._running.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
            self._left_seconds = max(0.0, self._left_seconds - (time.monotonic() - began))
        return json.loads(line) if line else None

    def end(self) -> None:
        self._running.kill()
        self._running.wait()
        for stream in (self._running.stdin, self._running.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _read_lines(path: Path) -> list[tuple[int, str]]:
    """The lines that say something, each with its number."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"{NAME} can't be read: {error}") from None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1)]
    return [(number, line) for number, line in lines if line.strip("!") and not line.startswith("#")]
