"""Schedules: set, replaced, removed, and gone with their Micro."""

from typing import Any

import pytest

from storage.audit.log import Verb
from storage.errors import InvalidInput, MicroNotFound
from storage.micros import micros, schedules
from storage.models import AuditEntry, Micro, MicroSchedule
from storage.postgres import clock
from tests.micros import ToldHost, make_micro

pytestmark = pytest.mark.usefixtures("host")


def set_to(micro: Micro, expression: str, **more: int) -> MicroSchedule:
    return schedules.set_schedule(
        collection_id=micro.collection_id, micro_id=micro.id, expression=expression, limit_seconds=more.get("limit")
    )


def test_a_schedule_is_set_replaced_and_removed() -> None:
    micro = make_micro()
    assert schedules.find_schedule(micro.id) is None
    set_to(micro, "5 minutes")
    MicroSchedule.objects.filter(micro=micro).update(failures_in_row=7, overlapped_at=clock.now())
    set_to(micro, "0 10 * * ? *", limit=3_600)
    found = schedules.find_schedule(micro.id)
    assert found is not None
    assert (found.expression, found.limit_seconds, found.failures_in_row) == ("0 10 * * ? *", 3_600, 0)
    assert (found.fails, found.is_overlapping) == (False, False)
    times = schedules.list_next_times(found)
    assert [at.hour for at in times] == [10] * 5
    assert times[0] == found.next_at
    at: dict[str, Any] = {"collection_id": micro.collection_id, "micro_id": micro.id}
    assert schedules.remove_schedule(**at)
    assert not schedules.remove_schedule(**at)
    entries = AuditEntry.objects.filter(collection_id=micro.collection_id).order_by("id")
    assert [each.verb for each in entries if "schedule" in each.verb] == [
        Verb.MICRO_SCHEDULE_SET,
        Verb.MICRO_SCHEDULE_SET,
        Verb.MICRO_SCHEDULE_REMOVED,
    ]


@pytest.mark.parametrize(
    ("expression", "limit", "words"),
    [
        ("0 0 31 2 ? *", None, "“0 0 31 2 ? *” never comes again"),
        ("5 minutes", 0, "A run may take 1 to 3,600 seconds"),
        ("5 minutes", 3_601, "A run may take 1 to 3,600 seconds"),
    ],
)
def test_what_can_not_be_is_refused(expression: str, limit: int | None, words: str) -> None:
    micro = make_micro()
    with pytest.raises(InvalidInput) as refused:
        schedules.set_schedule(
            collection_id=micro.collection_id, micro_id=micro.id, expression=expression, limit_seconds=limit
        )
    assert refused.value.messages == (words,)
    assert schedules.find_schedule(micro.id) is None


def test_another_collections_micro_has_none_to_set_or_remove() -> None:
    micro, other = make_micro(), make_micro()
    at: dict[str, Any] = {"collection_id": other.collection_id, "micro_id": micro.id}
    with pytest.raises(MicroNotFound):
        schedules.set_schedule(**at, expression="5 minutes")
    with pytest.raises(MicroNotFound):
        schedules.remove_schedule(**at)


def test_a_schedule_ends_with_its_micro(host: ToldHost) -> None:
    micro = make_micro()
    set_to(micro, "5 minutes")
    micros.delete_micro(collection_id=micro.collection_id, micro_id=micro.id, typed_name=micro.name)
    assert not MicroSchedule.objects.filter(micro_id=micro.id).exists()
