"""The page of a Micro's schedule: set with its next times shown, removed, run by hand, and warned of."""

from datetime import timedelta

import pytest

from storage import limits
from storage.micros import schedules
from storage.models import Micro, MicroRun, MicroSchedule
from storage.postgres import clock
from tests.console.conftest import Browser
from tests.console.micros.conftest import make_deployment
from tests.html import squeezed
from tests.people import Cast


def text_of(answer: object) -> str:
    return squeezed(answer.content.decode())  # type: ignore[attr-defined]


def test_a_schedule_is_set_shown_and_removed(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    client = browser(people.member)
    assert "No run yet" in text_of(client.get(f"{url}schedule/"))
    answer = client.post(f"{url}schedule/", {"expression": "1 minutes", "minutes": "30"}, follow=True)
    assert "Scheduled for “1 minute”." in text_of(answer)
    found = schedules.find_schedule(micro.id)
    assert found is not None
    assert (found.expression, found.limit_seconds, found.set_by) == ("1 minute", 1_800, people.member)
    assert len(answer.context["next_times"]) == 5
    assert "1,800 seconds" in text_of(answer)
    answer = client.post(f"{url}schedule/remove/", follow=True)
    assert "Schedule removed." in text_of(answer)
    assert schedules.find_schedule(micro.id) is None


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"expression": "0 10 * * *"}, "expression", "A cron expression has six fields"),
        ({"expression": ""}, "expression", "This field is required."),
        ({"expression": "5 minutes", "minutes": "61"}, "minutes", "less than or equal to 60"),
    ],
)
def test_what_can_not_be_is_said_at_its_field(
    form: dict[str, str], field: str, words: str, people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    answer = browser(people.member).post(f"{url}schedule/", form)
    assert answer.status_code == 422
    assert words in answer.context["form"].errors[field][0]
    assert schedules.find_schedule(micro.id) is None


def test_what_is_typed_is_checked_with_its_next_five_times(people: Cast, browser: Browser, url: str) -> None:
    client = browser(people.reader)
    found = text_of(client.get(f"{url}schedule/check/", {"expression": "0 10 ? * mon *"}))
    assert "“0 10 ? * MON *” comes next at:" in found
    assert found.count("Mon 20") == 5
    assert "never comes again" in text_of(client.get(f"{url}schedule/check/", {"expression": "0 0 31 2 ? *"}))
    assert "be the hours: 0 to 23" in text_of(client.get(f"{url}schedule/check/", {"expression": "0 24 * * ? *"}))
    assert client.get(f"{url}schedule/check/").content.strip() == b""


def test_a_reader_sees_all_and_changes_nothing(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    MicroSchedule.objects.create(micro=micro, expression="5 minutes", next_at=clock.now())
    client = browser(people.reader)
    text = text_of(client.get(f"{url}schedule/"))
    assert "5 minutes" in text
    assert "Run now" not in text
    assert "Set another schedule" not in text
    for path in ("schedule/", "schedule/remove/", "schedule/run/"):
        assert client.post(url + path, {"expression": "1 day"}).status_code == 403


def test_run_now_calls_the_cron_functions_with_the_schedules_limit(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    client = browser(people.member)
    assert "Nothing is deployed to this Micro yet." in text_of(client.post(f"{url}schedule/run/", follow=True))
    make_deployment(micro, serves=True)
    MicroSchedule.objects.create(micro=micro, expression="5 minutes", next_at=None, limit_seconds=600)
    answer = client.post(f"{url}schedule/run/", follow=True)
    run = MicroRun.objects.get(micro=micro)
    assert (run.kind, run.limit_seconds, run.asked_by) == ("cron", 600, people.member)
    assert answer.context["run"] == run
    assert "Cron functions" in text_of(answer)


def test_failures_and_overlaps_are_warned_of_on_the_card_and_the_pages(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    make_deployment(micro, serves=True)
    schedule = MicroSchedule.objects.create(micro=micro, expression="5 minutes", next_at=clock.now(), failures_in_row=2)
    client = browser(people.reader)
    card = f"/collections/{micro.collection_id}/micros/"
    for page in (card, url, f"{url}schedule/"):
        text = text_of(client.get(page))
        assert "5 minutes" in text
        assert "fail" not in text.replace("failed anyway", "")
    MicroSchedule.objects.filter(micro=micro).update(failures_in_row=limits.MICRO_FAILURES_WARNED)
    assert "schedule fails" in text_of(client.get(card))
    for page in (url, f"{url}schedule/"):
        assert "last 3 runs failed." in text_of(client.get(page))
    MicroSchedule.objects.filter(micro=micro).update(failures_in_row=0, overlapped_at=clock.now())
    assert "runs overlap" in text_of(client.get(card))
    for page in (url, f"{url}schedule/"):
        assert "Runs of the schedule overlap." in text_of(client.get(page))
    assert schedule.pk == micro.id


def test_the_history_says_when_how_long_and_what_came_of_it(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    now = clock.now()
    times = {"started_at": now, "finished_at": now}
    for number in range(25):
        MicroRun.objects.create(
            micro=micro,
            kind="cron",
            state="failed" if number == 24 else "done",
            due_at=now - timedelta(days=25 - number),
            reason="It broke.\nAll of it." if number == 24 else "",
            is_overlapping=number == 24,
            asked_at=now + timedelta(seconds=number),
            **times,
        )
    client = browser(people.reader)
    text = text_of(client.get(f"{url}schedule/"))
    assert "It broke." in text
    assert "All of it." not in text
    assert "overlaps" in text
    assert text.count("0 ms") == 20
    older = client.get(f"{url}schedule/")
    page = text_of(client.get(f"{url}schedule/?before={older.context['older']}"))
    assert page.count("0 ms") == 5
    assert "Newest" in page
