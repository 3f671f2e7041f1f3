"""The pages of a Micro's runs: a form to ask for one, and of each its answer and log."""

from uuid import UUID

import pytest

from console.micros.run_arguments import read_input
from storage.errors import InvalidInput
from storage.micro_logs import logs
from storage.micro_logs.logs import Line, Source
from storage.models import Micro, MicroRun
from storage.postgres import clock
from tests.console.conftest import Browser
from tests.console.micros.conftest import make_deployment
from tests.html import squeezed
from tests.people import Cast


@pytest.mark.parametrize(
    ("typed", "json"),
    [
        ("", b"{}"),
        (' {"n": 1.10} ', b'{"n": 1.10}'),
        ("[1]", b"[1]"),
        ("--name Jimmy", b'{"name": "Jimmy"}'),
        (
            "--name 'Jimmy X' -loud --tag a --tag=b --tag c",
            b'{"name": "Jimmy X", "loud": true, "tag": ["a", "b", "c"]}',
        ),
        ("--n -5 --empty=", b'{"n": "-5", "empty": ""}'),
    ],
)
def test_words_make_the_input_that_the_terminal_would(typed: str, json: bytes) -> None:
    assert read_input(typed) == json


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Jimmy", "“Jimmy” is no name: write --name value, or -name for what is only true"),
        ("--name", "“--name” has no value: write --name value, or -name for what is only true"),
        ("---x", "“---x” is no name: write --name value, or -name for what is only true"),
        ("--", "“--” is no name: write --name value, or -name for what is only true"),
        ("--name 'x", "The words can't be told apart: no closing quotation"),
    ],
)
def test_words_that_make_no_input_are_told(typed: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_input(typed)
    assert refused.value.messages == (words,)


def test_a_run_is_asked_for_and_shown(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    make_deployment(micro, serves=True)
    client = browser(people.member)
    form = {"action": "hello", "input": "--name Jimmy", "minutes": "5"}
    answer = client.post(f"{url}runs/", form, follow=True)
    run = MicroRun.objects.get(micro=micro)
    assert (run.kind, run.action, run.input, run.limit_seconds) == ("run", "hello", '{"name": "Jimmy"}', 300)
    text = squeezed(answer.content.decode())
    assert "waiting" in text
    assert "&quot;name&quot;: &quot;Jimmy&quot;" in text

    now = clock.now()
    MicroRun.objects.filter(id=run.id).update(
        state="done", answer='{"n":1.10}', started_at=now, finished_at=now, asked_at=now
    )
    logs.add_lines([Line(micro.id, now, "<said>", Source.OUTPUT, None, run.id), Line(micro.id, now, "other")])
    text = squeezed(browser(people.reader).get(f"{url}runs/{run.id}/").content.decode())
    assert "{\n  &quot;n&quot;: 1.10\n}" in text
    assert "&lt;said&gt;" in text
    assert "other" not in text
    again = client.get(f"{url}runs/?again={run.id}")
    assert again.context["form"].initial == {"action": "hello", "input": '{\n  "name": "Jimmy"\n}', "minutes": 5}


def test_a_page_of_a_run_under_way_that_has_nothing_new_is_left_as_it_is(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    run = MicroRun.objects.create(micro=micro, kind="run", state="running")
    client = browser(people.reader)
    seen = client.get(f"{url}runs/{run.id}/").context["seen"]
    htmx = {"HX-Request": "true", "HX-Target": "run"}
    assert client.get(f"{url}runs/{run.id}/?seen={seen}", headers=htmx).status_code == 204
    MicroRun.objects.filter(id=run.id).update(state="failed", reason="It broke.")
    answer = client.get(f"{url}runs/{run.id}/?seen={seen}", headers=htmx)
    assert answer.status_code == 200
    assert "It broke." in answer.content.decode()


def test_a_run_under_way_is_cancelled_by_who_may_ask_for_one(
    people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    run = MicroRun.objects.create(micro=micro, kind="run", state="running", heartbeat_at=clock.now())
    page = f"{url}runs/{run.id}/"
    assert "Cancel the run" not in browser(people.reader).get(page).content.decode()
    member = browser(people.member)
    assert f'action="{page}cancel/"' in member.get(page).content.decode()
    text = squeezed(member.post(f"{page}cancel/", follow=True).content.decode())
    assert f"Cancelled by {people.member.username}. What it had done until then is done." in text
    assert "Cancel the run" not in text
    assert "It failed" not in text
    assert ">cancelled<" in member.get(f"{url}runs/").content.decode()
    assert member.post(f"{url}runs/{UUID(int=0)}/cancel/").status_code == 404


@pytest.mark.parametrize(
    ("form", "field", "words"),
    [
        ({"input": "{"}, "input", "The input is not JSON"),
        ({"input": "x"}, "input", "is no name"),
        ({"minutes": "61"}, "minutes", "less than or equal to 60"),
        ({"action": "x" * 129}, "action", "at most 128 characters"),
    ],
)
def test_what_can_not_be_is_said_at_its_field(
    form: dict[str, str], field: str, words: str, people: Cast, browser: Browser, micro: Micro, url: str
) -> None:
    make_deployment(micro, serves=True)
    answer = browser(people.member).post(f"{url}runs/", form)
    assert answer.status_code == 422
    assert words in answer.context["form"].errors[field][0]


def test_without_code_the_form_says_so(people: Cast, browser: Browser, url: str) -> None:
    answer = browser(people.member).post(f"{url}runs/", {"action": ""})
    assert answer.status_code == 422
    assert "Nothing is deployed to this Micro yet." in answer.content.decode()


def test_a_reader_asks_for_none_and_sees_what_there_is(people: Cast, browser: Browser, micro: Micro, url: str) -> None:
    MicroRun.objects.create(micro=micro, kind="run", action="hello", state="skipped", reason="No room.")
    client = browser(people.reader)
    text = client.get(f"{url}runs/").content.decode()
    assert "hello" in text
    assert "Run a function" not in text
    assert client.post(f"{url}runs/", {"action": "hello"}).status_code == 403
    assert client.get(f"{url}runs/{UUID(int=0)}/").status_code == 404
