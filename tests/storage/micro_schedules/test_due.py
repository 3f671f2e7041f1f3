"""What is due is claimed once, whoever claims it. The run's own server claims beside these tests, as another node would."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from storage import limits
from storage.collections import collections
from storage.micro_schedules import due
from storage.micros import micros, schedules
from storage.micros.micros import hold_micro
from storage.models import Collection, Micro, MicroRun, MicroSchedule
from storage.postgres import clock
from tests.at_once import all_at_once
from tests.micros import make_micro

pytestmark = pytest.mark.usefixtures("host")

State = MicroRun.State


def make_due(micro: Micro, expression: str = "5 minutes", *, late: timedelta = timedelta()) -> MicroSchedule:
    """A schedule that is due, and maybe has been for long."""
    at: dict[str, Any] = {"collection_id": micro.collection_id, "micro_id": micro.id}
    made = schedules.set_schedule(**at, expression=expression)
    MicroSchedule.objects.filter(micro=micro).update(
        next_at=clock.now() - late, set_at=made.set_at - late - timedelta(minutes=5)
    )
    return made


def claimed(micro: Micro) -> MicroRun:
    """The one run of it, which this test or the run's server claimed."""
    due.claim_due()
    return MicroRun.objects.get(micro=micro)


@pytest.fixture
def many() -> Iterator[list[str]]:
    """The ids of a thousand Micros whose schedules are due in the same minute."""
    collection = collections.create_collection("Made by a test")
    made = [
        Micro(
            id=f"due{number:09}", collection_id=collection.id, name=f"m{number}", subdomain=f"due-{number}", runtime=""
        )
        for number in range(1_000)
    ]
    minute = clock.now().replace(second=0, microsecond=0)
    with transaction.atomic():
        Micro.objects.bulk_create(made, batch_size=100)
        MicroSchedule.objects.bulk_create(
            (MicroSchedule(micro=micro, expression="0 10 * * ? *", next_at=minute, set_at=minute) for micro in made),
            batch_size=100,
        )
    ids = [micro.id for micro in made]
    yield ids
    MicroSchedule.objects.filter(micro_id__in=ids)._raw_delete("default")
    MicroRun.objects.filter(micro_id__in=ids)._raw_delete("default")
    Micro.objects.filter(id__in=ids)._raw_delete("default")


def test_a_thousand_that_are_due_in_one_minute_are_each_claimed_once(many: list[str]) -> None:
    all_at_once([due.claim_due] * 4)
    due.claim_due()
    runs = MicroRun.objects.filter(micro_id__in=many)
    assert sorted(runs.values_list("micro_id", flat=True)) == many
    assert runs.filter(state=State.RUNNING).count() <= limits.MICRO_RUNS_AT_ONCE
    assert not MicroSchedule.objects.filter(micro_id__in=many, next_at__lte=clock.now()).exists()


def test_what_was_missed_runs_once_and_goes_on_as_before() -> None:
    micro = make_micro()
    make_due(micro, late=timedelta(hours=3))
    run = claimed(micro)
    schedule = MicroSchedule.objects.get(micro=micro)
    assert schedule.next_at is not None
    assert timedelta() < schedule.next_at - clock.now() <= timedelta(minutes=5)
    assert run.due_at is not None
    assert clock.now() - run.due_at > timedelta(hours=2)
    due.claim_due()
    assert MicroRun.objects.filter(micro=micro).count() == 1


def test_a_last_time_has_none_after_it() -> None:
    micro = make_micro()
    MicroSchedule.objects.create(micro=micro, expression="0 0 1 1 ? 2020", next_at=clock.now())
    claimed(micro)
    schedule = MicroSchedule.objects.get(micro=micro)
    assert schedule.next_at is None
    assert schedules.list_next_times(schedule) == []


def begin(micro: Micro, *, state: State, count: int = 1) -> None:
    """Runs of its schedule that are not over. They take longer than a request, of which the run's server makes few."""
    now = clock.now()
    MicroRun.objects.bulk_create(
        MicroRun(
            micro=micro,
            kind=MicroRun.Kind.CRON,
            state=state,
            started_at=now,
            heartbeat_at=now + timedelta(hours=1),
            due_at=now - timedelta(minutes=number + 1),
        )
        for number in range(count)
    )


def test_one_that_is_due_while_one_before_goes_on_runs_all_the_same_and_is_marked() -> None:
    micro, other = make_micro(), make_micro()
    begin(micro, state=State.RUNNING)
    make_due(micro)
    make_due(other)
    due.claim_due()
    assert MicroRun.objects.filter(micro=micro).latest("due_at").is_overlapping
    assert schedules.find_schedules([micro.id])[micro.id].is_overlapping
    assert not MicroRun.objects.get(micro=other).is_overlapping
    assert not schedules.find_schedules([other.id])[other.id].is_overlapping


def test_one_of_which_too_many_wait_is_left_out() -> None:
    micro = make_micro()
    with transaction.atomic():
        begin(micro, state=State.RUNNING, count=limits.MICRO_RUNS_OF_ONE_AT_ONCE)
        waiting = [
            MicroRun(micro=micro, kind=MicroRun.Kind.RUN, state=State.QUEUED)
            for _ in range(limits.MICRO_RUNS_WAITING_MAX)
        ]
        MicroRun.objects.bulk_create(waiting)
    make_due(micro)
    due.claim_due()
    run = MicroRun.objects.filter(micro=micro).latest("asked_at", "due_at")
    assert (run.state, run.reason) == (State.SKIPPED, "20 runs of this Micro were waiting already.")
    assert run.finished_at is not None


def test_copies_that_a_test_of_an_export_makes_are_not_claimed() -> None:
    micro = make_micro()
    Collection.objects.filter(id=micro.collection_id).update(scratch_of=uuid.uuid4())
    make_due(micro)
    due.claim_due()
    assert not MicroRun.objects.filter(micro=micro).exists()


def test_a_micro_that_somebody_changes_is_left_for_the_next_time() -> None:
    micro = make_micro()
    MicroSchedule.objects.create(micro=micro, expression="5 minutes", next_at=clock.now() + timedelta(days=1))

    def make_due_and_claim() -> None:
        MicroSchedule.objects.filter(micro=micro).update(next_at=clock.now())
        due.claim_due()

    with transaction.atomic():
        hold_micro(collection_id=micro.collection_id, micro_id=micro.id)
        assert all_at_once([make_due_and_claim]) == [None]
        assert not MicroRun.objects.filter(micro=micro).exists()
    assert claimed(micro).due_at is not None


def test_runs_end_with_their_micro() -> None:
    micro = make_micro()
    make_due(micro)
    claimed(micro)
    micros.delete_micro(collection_id=micro.collection_id, micro_id=micro.id, typed_name=micro.name)
    assert not MicroRun.objects.filter(micro_id=micro.id).exists()
