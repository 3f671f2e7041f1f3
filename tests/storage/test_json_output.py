"""What a process writes beside its log where the log is JSON: nothing that is not, whatever it was written by."""

import json
import logging
import sys
import threading
import warnings

import pytest

from console.logs import JsonLine, Stderr
from storage import json_output


def begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of a server that was told to write JSON, with its log. Pytest changes the streams before each test."""
    for hook in ("excepthook", "unraisablehook", "stdout", "stderr"):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr(logging, "captureWarnings", capture_warnings)
    monkeypatch.setenv("HOMEPORT_LOG_FORMAT", "json")
    json_output.begin()
    handler = Stderr()
    handler.setFormatter(JsonLine("%(levelname)s %(name)s %(message)s"))
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])


def capture_warnings(_: bool) -> None:
    """As logging's own, which would remember pytest's way to show warnings for ever."""
    warnings.showwarning = logging._showwarning  # type: ignore[attr-defined]


class Odd:
    def __del__(self) -> None:
        raise ValueError("in a finalizer")


def test_whatever_is_written_is_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    begin(monkeypatch)
    sys.stdout.write("\nHomeport is ready.\n\n  http://127.0.0.1:8000\nbegun")
    sys.stderr.write("CommandError: it can't ")
    sys.stderr.write('be "done"\x1b\n')
    warnings.showwarning("old\nways", UserWarning, __file__, 1)
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    Odd()
    try:
        raise KeyError("at the end")
    except KeyError:
        sys.excepthook(*sys.exc_info())
    written = capsys.readouterr()
    said = [json.loads(line) for line in written.out.splitlines()]
    assert [each["message"] for each in said] == ["Homeport is ready.", "http://127.0.0.1:8000"]
    told = [json.loads(line) for line in written.err.splitlines()]
    assert told[0]["message"] == 'CommandError: it can\'t be "done"\x1b'
    assert "UserWarning: old\nways" in told[1]["message"]
    for entry, text in zip(told[2:], ("ZeroDivisionError", "in a finalizer", "KeyError: 'at the end'"), strict=True):
        assert text in entry["exc_info"]


def test_what_nobody_catches_before_there_is_a_log_is_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(monkeypatch)
    logging.getLogger().handlers.clear()
    try:
        raise ValueError("wrong settings")
    except ValueError:
        sys.excepthook(*sys.exc_info())
    (entry,) = map(json.loads, capsys.readouterr().err.splitlines())
    assert entry["level"] == "CRITICAL"
    assert entry["message"].endswith("ValueError: wrong settings")


def test_a_log_of_text_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMEPORT_LOG_FORMAT", "text")
    before = (sys.stdout, sys.stderr, sys.excepthook, threading.excepthook)
    json_output.begin()
    assert (sys.stdout, sys.stderr, sys.excepthook, threading.excepthook) == before
