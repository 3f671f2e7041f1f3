"""Functions of a Micro called on its socket: woken for it, not ended before it is over, and honest when there is no answer."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from storage.embedded.micros.surroundings import Bounds
from storage.errors import HostUnreachable
from storage.micro_host import Answered, Call, Fault, FaultKind, State, Wanted
from tests.embedded.micros.stand import Settings, Stand, is_alive
from tests.waiting import MOMENT_SECONDS, eventually

# It has no web application, says what it was called with, and begins what never ends.
FUNCTIONS = """
import os, time
from deta import app

@app.lib.run()
@app.lib.cron()
def stacked(event):
    print("called for", event.type)
    return f"{event.type} {event.json} {event.body}"

@app.lib.run("sleep")
def sleep(event):
    print("sleeps")
    time.sleep(event.json["seconds"])
    return "slept"

@app.lib.run("exit")
def end(event):
    os._exit(1)

@app.lib.run("fail")
def fail(event):
    raise ValueError("no such luck")

@app.lib.run("large")
def large(event):
    return "x" * 100_000
"""


def call(
    stand: Stand,
    wanted: Wanted,
    action: str = "",
    *,
    kind: str = "run",
    limit: float = 60,
    meanwhile: Callable[[], None] = lambda: None,
    **sent: Any,
) -> Answered:
    asked = Call(
        micro_id=wanted.micro_id,
        hostname=wanted.hostname,
        request_id=uuid.uuid4(),
        path=f"/__homeport/{kind}",
        body=msgspec.json.encode({"action": action, "json": sent, "body": msgspec.json.encode(sent).decode()}),
        seconds=limit,
        answer_max_bytes=50_000,
    )
    return stand.host.invoke(asked, meanwhile=meanwhile)


def result(answered: Answered) -> Any:
    assert answered.fault is None
    return msgspec.json.decode(answered.body)


def fault_of(answered: Answered) -> Fault:
    assert answered.fault is not None
    return answered.fault


def test_a_call_wakes_what_sleeps_and_brings_what_the_function_returns(stand: Stand) -> None:
    wanted = stand.add(FUNCTIONS)
    assert stand.status(wanted).state == State.ASLEEP
    assert result(call(stand, wanted, n="1")) == {"result": "run {'n': '1'} {\"n\":\"1\"}"}
    assert result(call(stand, wanted, kind="cron")) == {"result": "cron {} {}"}
    missing = call(stand, wanted, "other")
    assert (missing.status, result(missing)) == (
        404,
        {"errors": ["This Micro has no run function for the action “other”."]},
    )
    failed = call(stand, wanted, "fail")
    assert failed.status == 500
    assert "no such luck" in result(failed)["errors"][0]


def test_what_is_printed_meanwhile_carries_the_id_of_the_call(stand: Stand) -> None:
    wanted = stand.add(FUNCTIONS)
    asked = Call(wanted.micro_id, wanted.hostname, uuid.uuid4(), "/__homeport/cron", b"{}", 60, 1_000)
    stand.host.invoke(asked, meanwhile=lambda: None)
    eventually(lambda: "called for cron" in stand.said(wanted))
    (line,) = [line for line in stand.lines(wanted) if line.text == "called for cron"]
    assert line.request_id == asked.request_id


def test_of_a_long_answer_the_rest_is_left_out(stand: Stand) -> None:
    answered = call(stand, stand.add(FUNCTIONS), "large")
    assert (len(answered.body), answered.is_cut) == (50_000, True)


def test_an_app_that_ends_in_a_call_is_told_of(stand: Stand) -> None:
    fault = fault_of(call(stand, stand.add(FUNCTIONS), "exit"))
    assert (fault.kind, fault.message) == (FaultKind.CRASHED, "It crashed (exit code 1).")


def test_a_call_that_takes_too_long_is_given_up(stand: Stand) -> None:
    fault = fault_of(call(stand, stand.add(FUNCTIONS), "sleep", limit=0.5, seconds=600))
    assert (fault.kind, fault.message) == (FaultKind.SLOW, "It took longer than its 0.5 seconds")


@pytest.mark.slow
def test_neither_sleep_nor_another_deployment_ends_a_long_call(make_stand: Callable[..., Stand]) -> None:
    """A request has a fifth of a second here, and what is replaced as much again; the call takes ten times that."""
    stand = make_stand(Settings(bounds=Bounds(request_seconds=0.2, finish_seconds=0.2)))
    wanted = stand.add(FUNCTIONS, idle_seconds=0.3)
    with ThreadPoolExecutor() as pool:
        going = pool.submit(call, stand, wanted, "sleep", seconds=4)
        eventually(lambda: "sleeps" in stand.said(wanted))
        deployed = stand.deploy(wanted, FUNCTIONS.replace("called for", "now called for"))
        eventually(lambda: stand.status(wanted).deployment_id == deployed.deployment_id)
        assert result(call(stand, wanted))["result"].startswith("run")
        assert result(going.result(MOMENT_SECONDS)) == {"result": "slept"}
    eventually(lambda: "now called for run" in stand.said(wanted))


@pytest.mark.slow
def test_what_was_given_time_for_a_call_is_ended_once_the_call_is_given_up(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand(Settings(bounds=Bounds(request_seconds=0.2, finish_seconds=0.2)))
    wanted = stand.add(FUNCTIONS)

    class Over(Exception):
        """Nobody wants the answer any more."""

    def give_up_once_replaced() -> None:
        if stand.status(wanted).deployment_id != wanted.deployment_id:
            raise Over

    with ThreadPoolExecutor() as pool:
        going = pool.submit(call, stand, wanted, "sleep", seconds=600, meanwhile=give_up_once_replaced)
        eventually(lambda: "sleeps" in stand.said(wanted))
        before = set(stand.processes())
        stand.deploy(wanted, FUNCTIONS)
        with pytest.raises(Over):
            going.result(MOMENT_SECONDS)
    eventually(lambda: not any(is_alive(process) for process in before))


@pytest.mark.slow
def test_a_call_that_is_given_up_is_ended_and_the_next_is_answered(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand(Settings(bounds=Bounds(request_seconds=0.2, finish_seconds=0.2)))
    wanted = stand.add(FUNCTIONS)

    def give_up_once_it_sleeps() -> None:
        if "sleeps" in stand.said(wanted):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        call(stand, wanted, "sleep", seconds=600, meanwhile=give_up_once_it_sleeps)
    before = set(stand.processes())
    eventually(lambda: not any(is_alive(process) for process in before))
    assert result(call(stand, wanted))["result"].startswith("run")
    assert "A run was given up: a fresh instance takes this one's place." in stand.said(wanted)


@pytest.mark.slow
def test_without_a_supervisor_a_call_says_so(make_stand: Callable[..., Stand]) -> None:
    stand = make_stand()
    wanted = stand.add(FUNCTIONS)
    with ThreadPoolExecutor() as pool:
        going = pool.submit(call, stand, wanted, "sleep", seconds=600)
        eventually(lambda: "sleeps" in stand.said(wanted))
        stand.kill()
        fault = fault_of(going.result(MOMENT_SECONDS))
    assert fault.message == "What runs Micros on this machine does not answer"
    with pytest.raises(HostUnreachable):
        call(stand, wanted)
