"""Requests that come just when an app goes to sleep, or is replaced: none is lost, through the front as at the socket."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import urllib3

from console.front import relay
from storage.micro_host import Wanted
from storage.micros import hosts
from storage.models import Micro
from tests.embedded.micros.conftest import making_stands
from tests.embedded.micros.stand import Stand
from tests.micros_e2e.conftest import OBEDIENT
from tests.people import Cast
from tests.rounds import ROUNDS
from tests.running_micros import MicroClient, put_code, run_micro
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, eventually

HELLO = """
def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
"""


_AT_ONCE = 4


@dataclass(frozen=True)
class Front:
    """What the web server does with a request, in front of a supervisor whose Micros fall asleep within moments."""

    stand: Stand

    def ask(self, wanted: Wanted) -> tuple[str, bytes]:
        environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "RAW_URI": "/", "HTTP_HOST": wanted.hostname}
        sent = [("host", wanted.hostname), ("connection", "close")]
        micro = Micro(id=wanted.micro_id)
        status, _, body = relay.relay(environ, micro, self.stand.places.socket(wanted.micro_id), sent, b"")
        return status, b"".join(body)


@pytest.fixture(scope="module")
def front() -> Iterator[Front]:
    with making_stands() as make, pytest.MonkeyPatch.context() as patch:
        stand = make()
        patch.setattr(hosts, "the_host", lambda: stand.host)
        patch.setattr(relay, "the_host", lambda: stand.host)
        yield Front(stand)


@pytest.mark.slow
def test_no_request_is_lost_between_sleeping_and_waking(front: Front) -> None:
    _race(front, times=12)


@pytest.mark.slow
def test_no_request_is_lost_in_hundreds_of_sleeps(front: Front) -> None:
    _race(front, times=20 * ROUNDS)


def _race(front: Front, *, times: int) -> None:
    """Four Micros, each asked just when it goes to sleep, every time a little earlier or later."""
    micros = [front.stand.add(HELLO, idle_seconds=0.1) for _ in range(_AT_ONCE)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        asked = [
            each for found in pool.map(partial(_ask_at_the_edge, front, times // _AT_ONCE), micros) for each in found
        ]
    assert Counter(answer for answer, _ in asked) == {("200 OK", b"hello"): times}
    starts = len({ready_at for _, ready_at in asked})
    # Else nothing has raced.
    assert starts >= times // 8


def _ask_at_the_edge(front: Front, times: int, wanted: Wanted) -> list[tuple[tuple[str, bytes], float | None]]:
    """The answers, each with the time at which the instance that gave it was ready."""
    asked = []
    for number in range(times):
        answer = front.ask(wanted)
        asked.append((answer, front.stand.status(wanted).ready_at))
        time.sleep(0.1 + (number % 21 - 10) / 200)
    return asked


def test_no_request_is_lost_in_two_deploys(server: Server, guides: Cast) -> None:
    _deploy_under_load(server, guides, times=2)


@pytest.mark.slow
def test_no_request_is_lost_in_twenty_deploys(server: Server, guides: Cast) -> None:
    _deploy_under_load(server, guides, times=20)


def _deploy_under_load(server: Server, guides: Cast, *, times: int) -> None:
    app = run_micro(server.url, guides.collection.id, {"main.py": OBEDIENT}, name=f"loaded{times}")
    assert app.ask().status == 200
    with _asking(app) as heard:
        for number in range(2, times + 2):
            put_code(app.micro, {"main.py": OBEDIENT.replace("version 1", f"version {number}")})
            eventually(partial(_answers_as, app, f"version {number}"))
            eventually(partial(_is_heard, heard, f"version {number}"))
    assert Counter(status for status, _ in heard) == {200: len(heard)}
    assert {version for _, version in heard} == {f"version {number}" for number in range(1, times + 2)}
    assert len(heard) > 20 * times


def _is_heard(heard: list[tuple[object, str]], version: str) -> bool:
    return any(said == version for _, said in heard)


@contextmanager
def _asking(app: MicroClient) -> Iterator[list[tuple[object, str]]]:
    """Ask on and on from four threads meanwhile; all answers."""
    heard: list[tuple[object, str]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            heard.append(_answer(app))

    threads = [threading.Thread(target=ask) for _ in range(_AT_ONCE)]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        over.set()
        for thread in threads:
            thread.join(MOMENT_SECONDS)


def _answer(app: MicroClient) -> tuple[object, str]:
    try:
        answer = app.ask()
    except urllib3.exceptions.HTTPError as error:
        return repr(error), ""
    return answer.status, json.loads(answer.data)[0] if answer.status == 200 else answer.data.decode()


def _answers_as(app: MicroClient, version: str) -> bool:
    return _answer(app) == (200, version)


def test_hundreds_of_callers_wake_one_that_sleeps_together(front: Front) -> None:
    wanted = front.stand.add("import time; time.sleep(1)" + HELLO)

    def ask(_: int) -> tuple[bytes, bool]:
        with front.stand.connect(wanted) as one:
            one.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            heard = b""
            while part := one.recv(65_536):
                heard += part
        return heard[:15], b"hello" in heard

    with ThreadPoolExecutor(400) as pool:
        assert Counter(pool.map(ask, range(400))) == {(b"HTTP/1.1 200 OK", True): 400}
