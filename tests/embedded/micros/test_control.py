"""Asking the supervisor over its socket: known and unknown Micros, first starts, and what is no question."""

import contextlib
import uuid
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from storage.embedded.micros import sockets
from storage.embedded.micros.client import EmbeddedHost
from storage.embedded.micros.places import Places
from storage.embedded.micros.wire import Question
from storage.errors import HostUnreachable
from storage.micro_host import FaultKind, State, Status
from tests.embedded.micros.stand import HELLO, Stand
from tests.waiting import MOMENT_SECONDS, eventually

ANSWERING = """
def app(environ, start):
    start("418 I'm a teapot", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
"""
HANGING = "import time\ndef app(environ, start):\n    time.sleep(3600)\n"
DYING = "import os\ndef app(environ, start):\n    os._exit(7)\n"


def test_what_is_not_known_sleeps(stand: Stand) -> None:
    assert stand.host.statuses(["unknown"]) == {"unknown": Status(State.ASLEEP)}
    assert stand.host.statuses([]) == {}
    for ask in (stand.host.changed, stand.host.stop, stand.host.replace):
        ask("unknown")


def test_it_says_what_can_run(stand: Stand) -> None:
    assert stand.host.why_off() == ""
    names = stand.host.runtimes()
    assert any(name.startswith("Python 3.") for name in names)
    assert any(name.startswith("Node.js ") for name in names)


@pytest.mark.parametrize(
    "question", [b"\n", b"{}\n", b"[1, 2]\n", b"\xff\n", b'{"ask": "everything"}\n', b"x" * 2_000_000]
)
def test_what_is_no_question_is_not_answered(stand: Stand, question: bytes) -> None:
    with sockets.connect(stand.places.control, seconds=MOMENT_SECONDS) as connection:
        with contextlib.suppress(OSError):
            connection.sendall(question)
        with contextlib.suppress(ConnectionError):
            assert connection.recv(1_000) == b""
    assert stand.host.why_off() == ""


def test_without_a_supervisor_nobody_is_reached(tmp_path: Path) -> None:
    places = Places(tmp_path)
    places.make()
    host = EmbeddedHost(places, build_seconds=1, start_seconds=1, request_seconds=1)
    with pytest.raises(HostUnreachable):
        host.why_off()
    sockets.listen(places.control, backlog=1).close()
    with pytest.raises(HostUnreachable):
        host.why_off()


def test_a_first_start_tells_the_first_answer_and_changes_nothing(stand: Stand) -> None:
    wanted = stand.add(HELLO)
    stand.get(wanted)
    tried = stand.host.try_out(replace(wanted, deployment_id=stand.put_code({"main.py": ANSWERING})))
    assert (tried.status, tried.fault) == (418, None)
    assert stand.get(wanted) == (200, "hello")
    assert not list(stand.places.control.parent.glob("try-*"))


@pytest.mark.parametrize(
    "main, kind, words",
    [
        ("1 / 0", FaultKind.CRASHED, "ZeroDivisionError"),
        ("x = 1", FaultKind.NO_SERVER, "main.py has no `app`"),
        (HANGING, FaultKind.CRASHED, "It started, but did not answer GET / within 4 seconds."),
        (DYING, FaultKind.CRASHED, "It crashed (exit code 7)."),
    ],
)
def test_a_first_start_tells_why_it_failed(stand: Stand, main: str, kind: FaultKind, words: str) -> None:
    wanted = stand.add(HELLO)
    tried = stand.host.try_out(replace(wanted, deployment_id=stand.put_code({"main.py": main})))
    assert tried.status is None
    assert tried.fault is not None
    assert tried.fault.kind is kind
    assert words in tried.fault.message


def test_a_first_start_of_code_that_is_not_there_fails(stand: Stand) -> None:
    wanted = stand.add(HELLO)
    tried = stand.host.try_out(replace(wanted, deployment_id=uuid.uuid4()))
    assert tried.fault is not None
    assert tried.fault.kind is FaultKind.CRASHED


def test_a_first_start_ends_with_who_asked_for_it(stand: Stand) -> None:
    wanted = stand.add(HELLO)
    hanging = replace(wanted, deployment_id=stand.put_code({"main.py": "import time; time.sleep(3600)"}))
    before = {process.pid for process in stand.processes()}
    with sockets.connect(stand.places.control, seconds=MOMENT_SECONDS) as connection:
        connection.sendall(msgspec.json.encode(Question("try_out", wanted=hanging)) + b"\n")
        eventually(lambda: {process.pid for process in stand.processes()} > before)
    eventually(lambda: {process.pid for process in stand.processes()} <= before)
