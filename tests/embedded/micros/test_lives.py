"""One Micro's life: woken by a caller, asleep when idle, replaced without losing a request, and honest when it fails."""

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import pytest

from storage.micro_host import FaultKind, Source, State, Wanted
from tests.at_once import all_at_once
from tests.embedded.micros.stand import Settings, Stand, is_alive
from tests.rounds import ROUNDS
from tests.waiting import MOMENT_SECONDS, NOTHING_SECONDS, eventually

HELLO = """
def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"{}"]
"""
HELLO_NODE = 'module.exports = (request, response) => response.end("{}");'
# What it answers depends on the path.
BUSY = """
import os, time

def app(environ, start):
    path = environ["PATH_INFO"]
    if path == "/slow":
        time.sleep(1)
    if path == "/hang":
        time.sleep(3600)
    if path == "/exit":
        os._exit(0)
    if path == "/crash":
        os.abort()
    if path == "/memory":
        kept = [bytearray(b"x" * 1_000_000) for _ in range(90)]
        pids = [os.fork() for _ in range(3)]
        if 0 in pids:
            kept.append([bytearray(b"y" * 1_000_000) for _ in range(20)])
            for each in kept:
                if isinstance(each, bytearray):
                    each[:] = b"z" * len(each)
        time.sleep(3600)
    start("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getppid()).encode()]
"""


@contextlib.contextmanager
def asking(stand: Stand, wanted: Wanted, path: str = "/") -> Iterator[list[str]]:
    """Ask on and on from several threads meanwhile; what was not answered with 200."""
    lost: list[str] = []
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            try:
                status, body = stand.get(wanted, path)
                if status != 200:
                    lost.append(f"{status} {body}")
            except (OSError, http.client.HTTPException) as error:
                lost.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield lost
    finally:
        is_over.set()
        for thread in threads:
            thread.join(MOMENT_SECONDS)


def let_go(stand: Stand, wanted: Wanted, path: str = "/") -> bool:
    """Whether a caller's connection ended without a byte."""
    try:
        stand.get(wanted, path)
    except (ConnectionError, http.client.RemoteDisconnected):
        return True
    return False


def test_a_caller_wakes_it(stand: Stand) -> None:
    wanted = stand.add(HELLO.format("hello"))
    assert stand.status(wanted).state is State.ASLEEP
    assert stand.get(wanted) == (200, "hello")
    status = stand.status(wanted)
    assert (status.state, status.deployment_id) == (State.RUNNING, wanted.deployment_id)
    assert status.ready_at is not None
    assert status.ready_at <= time.monotonic()
    assert eventually(lambda: stand.status(wanted).memory_bytes) > 1_000_000


def test_callers_wait_while_it_starts(stand: Stand) -> None:
    wanted = stand.add("import time; time.sleep(1)" + HELLO.format("hello"))
    assert all_at_once([partial(stand.get, wanted)] * 20) == [(200, "hello")] * 20


def test_it_sleeps_when_idle_and_wakes_again(stand: Stand) -> None:
    wanted = stand.add(HELLO.format("hello"), idle_seconds=0.5)
    for _ in range(3):
        assert stand.get(wanted) == (200, "hello")
        eventually(lambda: stand.status(wanted).state is State.ASLEEP)
    assert stand.said(wanted) == []


def test_no_request_is_lost_between_sleeping_and_waking(stand: Stand) -> None:
    _race(stand, times=15)


@pytest.mark.slow
def test_no_request_is_lost_in_hundreds_of_sleeps(stand: Stand) -> None:
    _race(stand, times=20 * ROUNDS)


def _race(stand: Stand, *, times: int) -> None:
    """Ask just when it goes to sleep, each time a little earlier or later."""
    wanted = stand.add(HELLO.format("hello"), idle_seconds=0.1)
    for number in range(times):
        assert stand.get(wanted) == (200, "hello")
        time.sleep(0.1 + (number % 21 - 10) / 200)


def test_one_that_is_kept_warm_runs_unasked_and_does_not_sleep(stand: Stand) -> None:
    wanted = stand.add(HELLO.format("hello"), idle_seconds=0.2, is_kept_warm=True)
    ready_at = eventually(lambda: stand.status(wanted).ready_at)
    time.sleep(NOTHING_SECONDS)
    assert stand.status(wanted).ready_at == ready_at
    stand.set(replace(wanted, is_kept_warm=False, version_number=2))
    eventually(lambda: stand.status(wanted).state is State.ASLEEP)


def test_no_request_is_lost_when_it_is_replaced(stand: Stand) -> None:
    _deploy_under_load(stand, times=2)


@pytest.mark.slow
def test_no_request_is_lost_in_twenty_deploys(stand: Stand) -> None:
    _deploy_under_load(stand, times=20)


def _deploy_under_load(stand: Stand, *, times: int) -> None:
    wanted = stand.add(HELLO.format("version 0"))
    with asking(stand, wanted) as lost:
        for number in range(1, times + 1):
            wanted = stand.deploy(wanted, HELLO.format(f"version {number}"))
            eventually(partial(_answers, stand, wanted, f"version {number}"))
    assert lost == []


def _answers(stand: Stand, wanted: Wanted, body: str) -> bool:
    return stand.get(wanted) == (200, body)


def test_the_old_version_finishes_what_it_has(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    stand.get(wanted)
    with asking(stand, wanted, "/slow") as lost:
        wanted = stand.deploy(wanted, HELLO.format("new"))
        eventually(lambda: stand.get(wanted) == (200, "new"))
    assert lost == []


@pytest.mark.parametrize("runtime", ["python", "node"])
def test_what_is_said_to_serve_has_the_next_request(stand: Stand, runtime: str) -> None:
    name, text = {"python": ("main.py", HELLO), "node": ("index.js", HELLO_NODE)}[runtime]
    wanted = stand.add(files={name: text.format(0)}, runtime=runtime)
    for number in range(1, 4):
        assert stand.get(wanted) == (200, str(number - 1))
        code = stand.put_code({name: text.format(number)})
        wanted = stand.set(replace(wanted, deployment_id=code, version_number=wanted.version_number + 1))
        eventually(lambda wanted=wanted: stand.status(wanted).deployment_id == wanted.deployment_id)  # type: ignore[misc]
    assert stand.get(wanted) == (200, "3")


@pytest.mark.slow
def test_an_old_version_that_does_not_finish_is_ended(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    stand.get(wanted)
    hanging = threading.Thread(target=lambda: let_go(stand, wanted, "/hang"))
    hanging.start()
    wanted = stand.deploy(wanted, HELLO.format("new"))
    eventually(lambda: stand.get(wanted) == (200, "new"))
    hanging.join(MOMENT_SECONDS)
    assert not hanging.is_alive()


def test_a_version_that_does_not_start_never_replaces_one_that_runs(stand: Stand) -> None:
    wanted = stand.add(HELLO.format("old"))
    stand.get(wanted)
    wanted = stand.deploy(wanted, "1 / 0")
    eventually(lambda: any("ZeroDivisionError" in text for text in stand.said(wanted)))
    assert stand.get(wanted) == (200, "old")
    assert stand.status(wanted).state is State.RUNNING


def test_a_crash_ends_its_own_requests_and_the_next_one_wakes_it(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    assert let_go(stand, wanted, "/crash")
    assert stand.get(wanted)[0] == 200
    said = eventually(lambda: [line.text for line in stand.lines(wanted) if line.source is Source.SERVER])
    assert said == ["It crashed (ended by SIGABRT). The next request starts it again."]


def test_an_app_that_cannot_start_lets_its_callers_go_and_says_why(stand: Stand) -> None:
    wanted = stand.add("print('on my way')\nraise SystemError('not today')")
    assert all(all_at_once([partial(let_go, stand, wanted)] * 5))
    status = stand.status(wanted)
    assert status.state is State.FAILED
    assert status.fault is not None
    assert status.fault.kind is FaultKind.CRASHED
    assert "SystemError: not today" in status.fault.message
    assert 'main.py", line 2' in status.fault.output
    texts = eventually(lambda: found if len(found := stand.said(wanted)) > 2 else [])
    assert texts[0] == "on my way"
    assert texts[-1].endswith("A request in 1 seconds or later starts it again.")


def test_a_crash_loop_is_tried_ever_more_rarely_and_says_so(stand: Stand) -> None:
    wanted = stand.add("raise SystemExit(3)")
    eventually(lambda: let_go(stand, wanted) and any("3 times in a row" in text for text in stand.said(wanted)))
    assert any(text.endswith("A request in 4 seconds or later starts it again.") for text in stand.said(wanted))
    # What is mended is tried at once.
    wanted = stand.deploy(wanted, HELLO.format("mended"))
    assert eventually(lambda: None if let_go(stand, wanted) else stand.get(wanted)) == (200, "mended")


def test_one_that_ends_by_itself_again_and_again_counts_as_crashing(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    eventually(
        lambda: let_go(stand, wanted, "/exit") and any("2 times in a row" in each for each in stand.said(wanted))
    )
    assert stand.said(wanted)[0] == "It ended by itself. The next request starts it again."


@pytest.mark.slow
def test_a_start_that_takes_too_long_is_ended(make_stand: Callable[..., Stand], brisk_start: Settings) -> None:
    stand = make_stand(brisk_start)
    wanted = stand.add("import time; time.sleep(3600)")
    assert let_go(stand, wanted)
    fault = stand.status(wanted).fault
    assert fault is not None
    assert (fault.kind, fault.message) == (FaultKind.SLOW_START, "It was not ready after 2 seconds.")


def test_one_without_an_app_says_so(stand: Stand) -> None:
    wanted = stand.add("x = 1")
    assert let_go(stand, wanted)
    fault = stand.status(wanted).fault
    assert fault is not None
    assert fault.kind is FaultKind.NO_SERVER


def test_one_that_uses_too_much_memory_is_ended(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    assert let_go(stand, wanted, "/memory")
    fault = eventually(lambda: stand.status(wanted).fault)
    assert fault is not None
    assert fault.kind is FaultKind.MEMORY
    assert fault.message == "It used more than its 128 MB of memory."


def test_a_stopped_one_wakes_again(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    stand.get(wanted)
    stand.host.stop(wanted.micro_id)
    eventually(lambda: stand.status(wanted).state is State.ASLEEP)
    assert stand.get(wanted)[0] == 200


@pytest.mark.slow
def test_a_fresh_instance_takes_the_place_of_one_that_is_stuck(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    stand.get(wanted)
    first = stand.status(wanted).ready_at
    assert first is not None

    def is_replaced() -> bool:
        stand.host.replace(wanted.micro_id)
        return stand.status(wanted).ready_at not in (None, first)

    eventually(is_replaced)
    assert time.monotonic() - first >= 10
    assert stand.get(wanted)[0] == 200


def test_a_deleted_one_ends_with_its_socket(stand: Stand) -> None:
    wanted = stand.add(BUSY)
    stand.get(wanted)
    running = set(stand.processes())
    stand.remove(wanted)
    eventually(lambda: not stand.places.socket(wanted.micro_id).exists())
    eventually(lambda: len(running - set(stand.processes())) >= 1)
    assert stand.status(wanted).state is State.ASLEEP


@pytest.mark.slow
def test_stopping_lets_requests_end(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand()
    wanted = stand.add(BUSY)
    stand.get(wanted)
    answers: list[tuple[int, str]] = []
    asking_slowly = threading.Thread(target=lambda: answers.append(stand.get(wanted, "/slow")))
    asking_slowly.start()
    time.sleep(0.3)
    below = stand.processes()
    stand.stop()
    asking_slowly.join(MOMENT_SECONDS)
    assert [status for status, _ in answers] == [200]
    assert not any(is_alive(process) for process in below)
