"""What strangers can write into the log: little, on one line each, and nothing secret."""

import json
import logging
import multiprocessing
import re
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from console import logs
from console.logs import BoundedFile, JsonLine, Limited, TextLine
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually

KEY = "abcdefghij_" + "Q" * 32
TOKEN = "hp_" + "Q" * 40


def record(message: str, *arguments: object, status: int = 0, **more: Any) -> logging.LogRecord:
    made = logging.LogRecord(
        "tried", logging.WARNING, __file__, more.pop("line", 1), message, arguments, more.pop("exc_info", None)
    )
    made.__dict__.update({"status_code": status} if status else {}, **more)
    return made


def raised() -> Any:
    try:
        raise ValueError("first\nsecond " + "x" * 20_000 + KEY)
    except ValueError:
        return sys.exc_info()


@pytest.mark.parametrize("formatter", [TextLine("%(levelname)s %(message)s"), JsonLine("%(levelname)s %(message)s")])
@pytest.mark.parametrize("secret", [KEY, TOKEN])
def test_no_part_of_a_secret_is_left_where_a_long_entry_is_cut(formatter: logging.Formatter, secret: str) -> None:
    for length in range(250, 330):
        line = formatter.format(record("x" * length + secret + "y" * 500, status=404))
        assert "Q" * 8 not in line


@pytest.mark.parametrize("formatter", [TextLine("%(levelname)s %(message)s"), JsonLine("%(levelname)s %(message)s")])
def test_an_entry_is_one_visible_line_of_bounded_length_without_secrets(formatter: logging.Formatter) -> None:
    odd = "a\r\nERROR forged\x00\x1b[31m\x85\u2028\u202e\ud800\x7f"
    for made in (
        record("Invalid: %s", odd),
        record("Invalid: %s", odd * 1000, status=400),
        record("%s /join/MQ:abc:def/ /welcome/abc:def/", KEY),
        record("broken", exc_info=raised()),
    ):
        line = formatter.format(made)
        assert line.isprintable()
        assert len(line) < 12_000
        for secret in ("Q" * 32, "MQ:abc:def", "abc:def"):
            assert secret not in line
    assert len(formatter.format(record("Invalid: %s", odd * 1000, status=400))) < 3_000


@pytest.mark.parametrize("formatter", [TextLine("%(message)s"), JsonLine("%(message)s")])
def test_the_entry_of_a_clients_mistake_has_no_traceback_and_no_query(formatter: logging.Formatter) -> None:
    from django.test import RequestFactory

    request = RequestFactory().get("/x", {"key": "secret"}, REMOTE_ADDR="192.0.2.7")
    line = formatter.format(record("Not Found: %s", "/x", status=404, exc_info=raised(), request=request))
    assert "Traceback" not in line
    assert "secret" not in line
    assert "404 Not Found: /x from 192.0.2.7" in line


def test_so_many_of_a_kind_a_minute_and_then_how_many_were_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MINUTE_SECONDS", 1.0)
    limited, told = Limited(), []
    monkeypatch.setattr(logs.logger, "warning", lambda message, *arguments: told.append(message % arguments))
    through = [limited.filter(record(f"Host {number}", status=400, line=number)) for number in range(100)]
    assert sum(through) == logs.ENTRIES_PER_MINUTE
    assert limited.filter(record("another kind", line=1))
    eventually(lambda: told)
    assert told == ["80 more entries for requests with a mistake (4xx) were left out within a minute."]
    assert limited.filter(record("Host", status=400))


def test_the_log_file_keeps_its_size_with_many_writers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_MAX_BYTES", 50_000)
    path = tmp_path / "homeport.log"
    writers = [multiprocessing.get_context("fork").Process(target=write, args=(path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(MOMENT_SECONDS)
        assert writer.exitcode == 0
    kept = [path, tmp_path / "homeport.log.1"]
    assert {each.name for each in tmp_path.iterdir()} == {"homeport.log", "homeport.log.1", "homeport.log.lock"}
    for each in kept:
        assert each.stat().st_size < 50_500
        assert each.stat().st_mode & 0o777 == 0o600
        assert all(re.fullmatch(r"writer \d entry \d+ x{100}", line) for line in each.read_text().splitlines())
    # What was moved last is still whole.
    assert kept[1].stat().st_size >= 50_000


def write(path: Path, number: int) -> None:
    handler = BoundedFile(str(path), encoding="utf-8", delay=True)
    handler.setFormatter(TextLine("%(message)s"))
    for entry in range(2_000):
        handler.emit(record("writer %d entry %d %s", number, entry, "x" * 100))
    handler.close()


def test_a_log_that_cannot_be_written_goes_to_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    handler = BoundedFile(str(tmp_path / "gone" / "log"), delay=True)
    handler.setFormatter(TextLine("%(message)s"))
    handler.emit(record("kept"))
    assert capsys.readouterr().err == "kept\n"


# Ways to be refused, each with something of the sender's own in it.
SCANS: tuple[dict[str, Any], ...] = (
    {"url": "/", "headers": {"Host": "foreign.example"}},
    {"url": "/wp-login.php"},
    {"url": "/?q=%00"},
    {"url": "/sign-in/", "method": "POST", "data": {"username": "a"}},
    {"url": "/sign-in/", "method": "POST", "content": b"a=" + b"x" * 3_000_000},
    {"url": "/sign-in/", "method": "POST", "content": b"&".join([b"a=1"] * 2_000)},
    {
        "url": "/sign-in/",
        "method": "POST",
        "content": b"--x",
        "headers": {"Content-Type": "multipart/form-data; boundary=x"},
    },
    {"url": "/sign-in/", "method": "DELETE"},
    {"url": "/v1/abcdefghij/notes/items/a", "headers": {"X-API-Key": KEY}},
    {"url": "/v1/abcdefghij/notes/items", "method": "PUT", "content": b"x"},
)


def scan(http: httpx.Client, number: int) -> None:
    asked = dict(SCANS[number % len(SCANS)])
    headers = {"Content-Type": "application/x-www-form-urlencoded"} | asked.pop("headers", {})
    answer = http.request(asked.pop("method", "GET"), asked.pop("url"), headers=headers, **asked)
    assert 400 <= answer.status_code < 500, answer


def test_a_scanner_writes_few_short_lines_and_no_traceback(server: Server) -> None:
    before, most = len(server.log), 4 * logs.ENTRIES_PER_MINUTE
    with httpx.Client(base_url=server.url, timeout=MOMENT_SECONDS) as http:
        for number in range(4 * most):
            scan(http, number)

        def written() -> list[str]:
            """What was written of it. Who scanned before may have used the minute up: then the next one brings more."""
            scan(http, 0)
            return [line for line in server.log[before:].splitlines() if " django." in line]

        lines = eventually(written)
    # It may have begun in one minute and ended in the next.
    assert len(lines) <= 2 * most
    for line in lines:
        assert "Traceback" not in line
        assert len(line) < 600
        assert re.search(r" WARNING django\.[\w.]+: 4\d\d .* from 127\.0\.0\.1 \(request [0-9a-f]{32}\)$", line), line
    assert "Q" * 32 not in server.log


def test_json_entries_are_json(tmp_path: Path) -> None:
    line = JsonLine("%(levelname)s %(message)s").format(record("a\n%s", "\x1b", status=404))
    assert json.loads(line)["message"] == "404 a\n\x1b"
