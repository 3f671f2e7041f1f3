"""What an app prints: whole lines of a bounded length, as many as may be, each with its request; the app never waits."""

import http.client
import uuid

import psutil
import pytest

from storage import limits
from storage.embedded.micros.output import Allowance, Splitter
from storage.micro_host import Source
from tests.embedded.micros.stand import Stand
from tests.waiting import eventually

PRINTING = """
import os, sys

def app(environ, start):
    print("asked for", environ["PATH_INFO"])
    print("wrong", file=sys.stderr)
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""
ENDLESS = """
import os

def app(environ, start):
    megabytes = int(environ["PATH_INFO"][1:])
    chunk = (b"x" * 99 + b"\\n") * 10_000
    for _ in range(megabytes):
        os.write(1, chunk)
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
"""
MOST = limits.MICRO_LINE_MAX_CHARACTERS


@pytest.mark.parametrize(
    "chunks, lines, rest",
    [
        ([b"one\ntwo\n"], [b"one", b"two"], b""),
        ([b"o", b"ne\nt", b"wo"], [b"one"], b"two"),
        ([b"\n\n"], [b"", b""], b""),
        ([b"x" * 100_000, b"x" * 100_000, b"y\nnext\n"], [b"x" * (MOST * 4 + 64), b"next"], b""),
        ([b"\xff\xfe\n"], [b"\xff\xfe"], b""),
        ([], [], b""),
    ],
)
def test_lines_are_put_together_and_cut(chunks: list[bytes], lines: list[bytes], rest: bytes) -> None:
    splitter = Splitter()
    assert [line for chunk in chunks for line in splitter.feed(chunk)] == lines
    assert splitter.rest() == rest


def test_lines_that_nobody_wants_are_counted() -> None:
    splitter = Splitter()
    list(splitter.feed(b"begun"))
    assert splitter.skip(b" and ended\nanother\nthe next") == 2
    assert list(splitter.feed(b" one\n")) == [b"the next one"]


def test_an_allowance_is_spent_and_grows_again() -> None:
    allowance = Allowance(0.0)
    taken = [allowance.take(0.0) for _ in range(limits.MICRO_LINES_AT_ONCE + 5)]
    assert taken.count(True) == limits.MICRO_LINES_AT_ONCE
    assert allowance.left_out == 5
    assert not allowance.take(0.001)
    assert sum(allowance.take(1.0) for _ in range(1_000)) == limits.MICRO_LINES_PER_SECOND
    assert sum(allowance.take(1e6) for _ in range(10_000)) == limits.MICRO_LINES_AT_ONCE


def test_lines_know_their_request_and_where_they_came_from(stand: Stand) -> None:
    wanted = stand.add("print('starting')" + PRINTING)
    request_id = uuid.uuid4()
    stand.get(wanted, "/a", request_id=str(request_id))
    lines = eventually(lambda: found if len(found := stand.lines(wanted)) == 3 else [])
    told = {(line.text, line.source, line.request_id) for line in lines}
    assert told == {
        ("starting", Source.OUTPUT, None),
        ("asked for /a", Source.OUTPUT, request_id),
        ("wrong", Source.ERROR, request_id),
    }
    assert all(line.deployment_id == wanted.deployment_id for line in lines)


@pytest.mark.parametrize(
    "printed, text, request_id",
    [
        (rb"\x1enot an id\x1ftext", "\x1enot an id\x1ftext", None),
        (rb"\x1e00000000-0000-0000-0000-00000000000a", "\x1e00000000-0000-0000-0000-00000000000a", None),
        (rb"\x1e00000000-0000-0000-0000-00000000000a\x1ftext", "text", uuid.UUID(int=10)),
        (rb"nul\x00 and \xff", "nul\ufffd and \ufffd", None),
        (rb"carriage\r", "carriage", None),
    ],
)
def test_any_bytes_become_a_line(stand: Stand, printed: bytes, text: str, request_id: uuid.UUID | None) -> None:
    wanted = stand.add(f"import os; os.write(1, b'{printed.decode()}\\n')\n{PRINTING}")
    stand.get(wanted)
    line = eventually(lambda: stand.lines(wanted))[0]
    assert (line.text, line.request_id) == (text, request_id)


def test_endless_output_is_bounded(stand: Stand) -> None:
    _print_much(stand, megabytes=64)


@pytest.mark.slow
def test_a_gigabyte_of_output_is_bounded(stand: Stand) -> None:
    _print_much(stand, megabytes=1_000)


def _print_much(stand: Stand, *, megabytes: int) -> None:
    """The app gets its answer out, the log has what it may, and the supervisor's memory is as it was."""
    wanted, other = stand.add(ENDLESS), stand.add()
    stand.get(wanted, "/1")
    stand.get(other)
    assert stand.process is not None
    supervisor = psutil.Process(stand.process.pid)
    before = supervisor.memory_info().rss
    assert stand.get(wanted, f"/{megabytes}") == (200, "done")
    assert stand.get(other) == (200, "hello")
    printed = (megabytes + 1) * 10_000
    eventually(lambda: sum(_count(stand.said(wanted))) >= printed - 2)
    kept, told = _count(stand.said(wanted))
    assert kept + told == pytest.approx(printed, abs=2)
    assert kept < limits.MICRO_LINES_AT_ONCE + limits.MICRO_LINES_PER_SECOND * 600
    assert supervisor.memory_info().rss < before + 32_000_000


def _count(said: list[str]) -> tuple[int, int]:
    """How many of its lines are kept, and how many it says were left out."""
    left_out = [text.split()[0].replace(",", "") for text in said if "left out here" in text]
    return said.count("x" * 99), sum(map(int, left_out))


TELLING = """
import os, sys

print("starting with", os.environ["TOKEN"])
print(os.environ["PEM"])

def app(environ, start):
    print("data key", os.environ["DETA_PROJECT_KEY"])
    print("percent", "".join(f"%{ord(each):02x}" for each in os.environ["TOKEN"]))
    print("password=of-somebody api aB3dEfGh." + "Q" * 32)
    print("x" * 4090 + os.environ["TOKEN"] * 200)
    raise ValueError("not " + os.environ["TOKEN"])
"""
TOKEN = "a secret of 28 characters..."


def test_a_micros_secrets_are_not_in_its_log(stand: Stand) -> None:
    wanted = stand.add(TELLING, variables={"TOKEN": TOKEN, "PEM": "-----BEGIN-----\nMIIEvQIBAD\n-----END-----"})
    stand.get(wanted)
    said = eventually(lambda: found if "ValueError" in (found := stand.said(wanted) or [""])[-1] else [])
    assert said[:4] == ["starting with [redacted]", *["[redacted]"] * 3]
    assert said[4:7] == ["data key [redacted]", "percent [redacted]", "password=[redacted] api aB3dEfGh.[redacted]"]
    assert len(said[7]) <= MOST
    assert said[7].replace("[redacted]", "").strip("x") in "[redacted]"
    assert said[-1] == "ValueError: not [redacted]"
    assert TOKEN[:8] not in "\n".join(said)


def test_a_micros_secrets_are_not_in_why_it_does_not_start(stand: Stand) -> None:
    wanted = stand.add("import os\nraise ValueError(os.environ['TOKEN'])", variables={"TOKEN": TOKEN})
    with pytest.raises((OSError, http.client.HTTPException)):
        stand.get(wanted)
    fault = eventually(lambda: stand.status(wanted).fault)
    assert fault is not None
    assert "ValueError: [redacted]" in fault.output
    assert TOKEN not in fault.output + fault.message
