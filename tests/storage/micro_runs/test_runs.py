"""Runs: asked for, made, noted with what came of them, and given up when nobody is there to make them any more.

The run's own server makes runs as well. So each that a test makes itself is taken in the transaction that asks for it.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import transaction

from storage import limits
from storage.audit.log import Verb
from storage.errors import HostUnreachable, InvalidInput, RunNotFound
from storage.micro_host import Answered, Call, Fault, FaultKind
from storage.micro_runs import calling, runs
from storage.micro_runs import sql as runs_sql
from storage.micros import micros, variables
from storage.micros.secret_texts import list_secret_texts
from storage.models import AuditEntry, Deployment, Micro, MicroRun, MicroSchedule
from storage.postgres import clock
from storage.postgres.database import run as run_statement
from tests.micros import ToldHost, make_micro
from tests.people import make_person

Kind, State = MicroRun.Kind, MicroRun.State
DONE = Answered(200, b'{"result":"hi"}')


@pytest.fixture
def micro(host: ToldHost) -> Micro:
    """One whose code serves, as far as its row says."""
    made = make_micro()
    deployment = Deployment.objects.create(micro=made, number=1, state=Deployment.State.DONE, runtime="python")
    Micro.objects.filter(id=made.id).update(deployment=deployment)
    return micros.find_micro(collection_id=made.collection_id, micro_id=made.id)


def take(micro: Micro, **asked: Any) -> MicroRun:
    """A run that this test has to make."""
    with transaction.atomic():
        made = runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id, **asked)
        now = clock.now()
        MicroRun.objects.filter(id=made.id).update(state=State.RUNNING, started_at=now, heartbeat_at=now, attempts=1)
    return MicroRun.objects.select_related("micro").get(id=made.id)


def make(micro: Micro, **asked: Any) -> MicroRun:
    """What came of a run."""
    taken = take(micro, **asked)
    calling.make_run(taken)
    return MicroRun.objects.get(id=taken.id)


def test_a_run_calls_the_function_with_its_input_and_keeps_what_it_returns(host: ToldHost, micro: Micro) -> None:
    host.answers = lambda call: Answered(200, b'{"result":{"n":1.10,"who":"x"}}')
    run = make(micro, action="hello", input_json=b'{"name":"x"}')
    assert (run.state, run.answer, run.reason, run.is_cut) == (State.DONE, '{"n":1.10,"who":"x"}', "", False)
    assert run.took_ms is not None
    (call,) = host.calls
    assert (call.micro_id, call.request_id, call.path) == (micro.id, run.id, "/__homeport/run")
    assert call.hostname.startswith(f"{micro.subdomain}.")
    assert call.seconds == settings.MICRO_REQUEST_SECONDS
    assert msgspec.json.decode(call.body) == {"action": "hello", "json": {"name": "x"}, "body": '{"name":"x"}'}


def test_a_long_run_may_take_as_long_as_was_said(host: ToldHost, micro: Micro) -> None:
    make(micro, limit_seconds=3_600)
    assert host.calls[0].seconds == 3_600


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (Answered(404, b'{"errors":["This Micro has no run function."]}'), "This Micro has no run function."),
        (Answered(500, b'{"errors":["ValueError: no"]}'), "ValueError: no"),
        (Answered(500, b'{"errors":["KeyError: password=x1y2z3"]}'), "KeyError: password=[redacted]"),
        (Answered(502, b"<html>"), "The app answered 502."),
        (Answered(fault=Fault(FaultKind.MEMORY, "It used more than its 512 MB of memory.")), "It used more than its"),
        (
            Answered(fault=Fault(FaultKind.SLOW, "It took longer than its 10 seconds")),
            "It took longer than its 10 seconds",
        ),
    ],
)
def test_a_run_that_fails_says_why(host: ToldHost, micro: Micro, answered: Answered, reason: str) -> None:
    host.answers = lambda call: answered
    run = make(micro)
    assert run.state == State.FAILED
    assert run.reason.startswith(reason)


def test_what_is_no_json_is_kept_as_it_is_and_what_is_long_is_cut(host: ToldHost, micro: Micro) -> None:
    host.answers = lambda call: Answered(200, b'{"result":NaN}')
    assert make(micro).answer == '{"result":NaN}'
    host.answers = lambda call: Answered(200, b'{"result":"' + b"x" * limits.MICRO_RUN_ANSWER_MAX_BYTES + b'"}')
    run = make(micro)
    assert (run.state, len(run.answer), run.is_cut) == (State.DONE, limits.MICRO_RUN_ANSWER_MAX_BYTES, True)


def test_an_answer_is_kept_without_the_micros_own_secrets(host: ToldHost, micro: Micro) -> None:
    at = {"collection_id": micro.collection_id, "micro_id": micro.id}
    variables.set_variables(**at, values={"STRIPE": "sk-live-1234567", "SHORT": "abc"})
    micro = micros.find_micro(**at)
    key = list_secret_texts(micro)[0]
    said = {
        "token": "of somebody",
        "stripe": "sk-live-1234567",
        "all": f"key={key} abc",
        "again": "sk-live-\\u0031234567",
    }
    host.answers = lambda call: Answered(200, b'{"result":%s}' % msgspec.json.encode(said))
    assert msgspec.json.decode(make(micro).answer) == {
        "token": "of somebody",
        "stripe": "[redacted]",
        "all": "key=[redacted] abc",
        "again": "[redacted]",
    }
    long = b"x" * (limits.MICRO_RUN_ANSWER_MAX_BYTES - 8) + b"sk-live-1234567" * 1_000
    host.answers = lambda call: Answered(200, b'{"result":"%s"}' % long)
    run = make(micro)
    assert run.is_cut
    assert "sk-live" not in run.answer
    host.answers = answers(actions=Answered(200, b"sk-live-1234567"))
    assert make(micro, kind=Kind.CRON).answer == "[redacted]"


def test_a_run_that_is_cancelled_is_over_whatever_comes_of_it(host: ToldHost, micro: Micro) -> None:
    person = make_person()
    MicroSchedule.objects.create(micro=micro, expression="5 minutes", next_at=None)
    at: dict[str, Any] = {"collection_id": micro.collection_id, "micro_id": micro.id, "by": person}

    def cancel(call: Call) -> Answered:
        runs.cancel_run(**at, run_id=call.request_id)
        return Answered(500)

    host.answers = cancel
    run = make(micro, kind=Kind.CRON)
    assert (run.state, run.reason, run.answer) == (State.CANCELLED, f"Cancelled by {person.username}.", "")
    assert run.took_ms is not None
    assert MicroSchedule.objects.get(micro=micro).failures_in_row == 0
    host.answers = lambda call: DONE
    done = make(micro)
    assert runs.cancel_run(**at, run_id=done.id).state == State.DONE
    with pytest.raises(RunNotFound):
        runs.cancel_run(collection_id=make_micro().collection_id, micro_id=micro.id, run_id=done.id, by=person)
    with transaction.atomic():
        waits = runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id)
        assert runs.cancel_run(**at, run_id=waits.id).state == State.CANCELLED
    entries = AuditEntry.objects.filter(collection_id=micro.collection_id, verb=Verb.MICRO_RUN_CANCELLED)
    assert {entry.details["run"] for entry in entries} == {str(run.id), str(waits.id)}


def test_while_what_runs_micros_does_not_answer_a_run_fails_with_words(host: ToldHost, micro: Micro) -> None:
    def unreachable(call: Call) -> Answered:
        raise HostUnreachable

    host.answers = unreachable
    assert make(micro).reason == "What runs Micros is not reachable at the moment, please try again."


def answers(**by_path: Answered) -> Callable[[Call], Answered]:
    none = Answered(404, b'{"errors":["This Micro has no cron function."]}')
    return lambda call: by_path.get(call.path.rpartition("/")[2], none)


def test_an_app_without_a_cron_function_is_asked_at_the_path_for_actions(host: ToldHost, micro: Micro) -> None:
    host.answers = answers(actions=Answered(200, b"swept"))
    run = make(micro, kind=Kind.CRON)
    assert (run.state, run.answer) == (State.DONE, "swept")
    assert [call.path for call in host.calls] == ["/__homeport/cron", "/__space/v0/actions"]
    assert msgspec.json.decode(host.calls[1].body) == {"event": {"id": "schedule", "trigger": "schedule"}}
    host.answers = answers(actions=Answered(500, b"no"))
    assert make(micro, kind=Kind.CRON).reason == "The app answered 500."
    host.answers = answers()
    assert make(micro, kind=Kind.CRON).reason == "This Micro has no cron function."


def test_failures_of_a_schedule_are_counted_until_one_goes_well(host: ToldHost, micro: Micro) -> None:
    MicroSchedule.objects.create(micro=micro, expression="5 minutes", next_at=None)
    host.answers = answers()
    for _ in range(3):
        make(micro, kind=Kind.CRON)
    make(micro)  # one by hand says nothing of the schedule
    assert MicroSchedule.objects.get(micro=micro).fails
    host.answers = answers(cron=DONE)
    make(micro, kind=Kind.CRON)
    assert MicroSchedule.objects.get(micro=micro).failures_in_row == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"input_json": b"{"}, "The input is not JSON"),
        ({"input_json": b"[" * 100_000}, "The input is not JSON"),
        ({"input_json": b'"\xff"'}, "The input is not JSON"),
        ({"input_json": b'"' + b"x" * limits.MICRO_RUN_INPUT_MAX_BYTES + b'"'}, "The input has at most 262,144 bytes"),
        ({"action": "x" * 129}, "An action has at most 128 characters"),
        ({"action": "a\nb"}, "An action has at most 128 characters"),
        ({"limit_seconds": 3_601}, "A run may take 1 to 3,600 seconds"),
        ({"limit_seconds": 0}, "A run may take 1 to 3,600 seconds"),
    ],
)
def test_what_can_not_be_asked_for_is_refused(micro: Micro, asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id, **asked)
    assert runs.list_runs(micro_id=micro.id) == []


@pytest.mark.usefixtures("host")
def test_without_code_there_is_nothing_to_run() -> None:
    micro = make_micro()
    with pytest.raises(InvalidInput, match="Nothing is deployed to this Micro yet"):
        runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id)


def test_so_many_wait_and_no_more(micro: Micro) -> None:
    with transaction.atomic():
        for _ in range(limits.MICRO_RUNS_WAITING_MAX):
            runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id)
        with pytest.raises(InvalidInput, match="Too many runs of this Micro are waiting"):
            runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id)
        transaction.set_rollback(True)


def test_of_one_micro_only_so_many_begin_at_once(micro: Micro) -> None:
    """In a transaction that holds all claims, so the run's server claims none."""
    other = make_micro()
    with transaction.atomic():
        run_statement(runs_sql.hold_claims())
        MicroRun.objects.filter(state=State.QUEUED).update(state=State.SKIPPED)
        for _ in range(limits.MICRO_RUNS_OF_ONE_AT_ONCE + 1):
            runs.ask_for_run(collection_id=micro.collection_id, micro_id=micro.id)
        MicroRun.objects.create(micro=other, kind=Kind.RUN)
        MicroRun.objects.create(micro=other, kind=Kind.RUN, limit_seconds=60)
        claimed = [calling.claim_run(is_long=False) for _ in range(limits.MICRO_RUNS_OF_ONE_AT_ONCE + 2)]
        assert [each and each.micro_id for each in claimed] == [micro.id] * 4 + [other.id, None]
        long_one = calling.claim_run(is_long=True)
        assert long_one is not None
        assert (long_one.micro_id, long_one.state, long_one.attempts) == (other.id, State.RUNNING, 1)
        transaction.set_rollback(True)


def test_a_run_whose_worker_is_gone_has_failed_and_is_not_begun_again(host: ToldHost, micro: Micro) -> None:
    MicroSchedule.objects.create(micro=micro, expression="5 minutes", next_at=None)
    taken, going = take(micro, kind=Kind.CRON), take(micro)
    long_ago = clock.now() - timedelta(seconds=limits.ARCHIVE_LEASE_SECONDS + 1)
    MicroRun.objects.filter(id=taken.id).update(heartbeat_at=long_ago)
    calling.end_abandoned_runs()
    ended = MicroRun.objects.get(id=taken.id)
    assert (ended.state, ended.reason) == (State.FAILED, "The server stopped during this run.")
    assert MicroSchedule.objects.get(micro=micro).failures_in_row == 1
    assert MicroRun.objects.get(id=going.id).state == State.RUNNING
    calling.make_run(taken)  # the worker comes back with an answer: too late
    assert MicroRun.objects.get(id=taken.id).state == State.FAILED


def test_a_micro_that_is_deleted_meanwhile_leaves_nothing(host: ToldHost, micro: Micro) -> None:
    def delete(call: Call) -> Answered:
        micros.delete_micro(collection_id=micro.collection_id, micro_id=micro.id, typed_name=micro.name)
        return DONE

    host.answers = delete
    with suppress(MicroRun.DoesNotExist):
        make(micro)
    assert not MicroRun.objects.filter(micro_id=micro.id).exists()


def test_runs_are_found_by_their_collection_alone_and_listed_newest_first(micro: Micro) -> None:
    person, other = make_person(), make_micro()
    first, second, third = (take(micro, asked_by=person) for _ in range(3))
    at = {"collection_id": micro.collection_id, "micro_id": micro.id}
    assert runs.find_run(**at, run_id=first.id).asked_by == person
    for wrong in (
        {**at, "collection_id": other.collection_id},
        {**at, "micro_id": other.id},
        {**at, "micro_id": "\x00"},
    ):
        with pytest.raises(RunNotFound):
            runs.find_run(**wrong, run_id=first.id)
    listed = runs.list_runs(micro_id=micro.id, limit=2)
    assert [each.id for each in listed] == [third.id, second.id]
    assert [each.id for each in runs.list_runs(micro_id=micro.id, before=listed[-1])] == [first.id]
    assert runs.list_runs(micro_id=micro.id, kind=Kind.CRON) == []
    entries = AuditEntry.objects.filter(collection_id=micro.collection_id, verb=Verb.MICRO_RUN)
    assert entries.count() == 3


def test_the_history_is_kept_short(micro: Micro, monkeypatch: pytest.MonkeyPatch) -> None:
    now = clock.now()
    made = [
        MicroRun(
            micro=micro,
            kind=Kind.RUN,
            state=State.DONE if number else State.RUNNING,
            heartbeat_at=now + timedelta(hours=1),
            asked_at=now - timedelta(minutes=number),
            input="{}",
            answer="1",
        )
        for number in range(8)
    ]
    made.append(MicroRun(micro=micro, kind=Kind.RUN, state=State.DONE, asked_at=now - timedelta(days=31)))
    MicroRun.objects.bulk_create(made)
    runs.sweep_runs()
    assert MicroRun.objects.filter(micro=micro).count() == 8
    monkeypatch.setattr(limits, "MICRO_RUNS_KEPT", 5)
    monkeypatch.setattr(limits, "MICRO_RUN_BODIES_KEPT", 2)
    with transaction.atomic():  # other tests' runs are none of its business
        runs.sweep_runs()
        kept = MicroRun.objects.filter(micro=micro).order_by("-asked_at")
        assert [each.id for each in kept] == [each.id for each in made[:5]]
        assert [each.answer for each in kept] == ["1", "1", "", "", ""]
        assert [each.is_forgotten for each in kept] == [False, False, True, True, True]
        transaction.set_rollback(True)
