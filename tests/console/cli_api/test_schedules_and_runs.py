"""Schedules and runs for a terminal: every method, by every role, and what is said of what can't be."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from storage.access_tokens import tokens
from storage.micro_logs import logs
from storage.micro_logs.logs import Line
from storage.models import Deployment, Micro, MicroRun
from storage.postgres import clock
from tests.micros import make_micro
from tests.people import Cast
from tests.storage.micros.conftest import host, places

__all__ = ["host", "places"]
pytestmark = pytest.mark.usefixtures("undone")


@pytest.fixture
def micro(host: object, people: Cast) -> Micro:
    made = make_micro("hello", collection_id=people.collection.id)
    serving = Deployment.objects.create(micro=made, number=1, state=Deployment.State.DONE, runtime="python")
    Micro.objects.filter(id=made.id).update(deployment=serving)
    return made


@pytest.fixture
def url(micro: Micro) -> str:
    return f"/cli/collections/{micro.collection_id}/micros/{micro.id}"


def as_person(person: Any) -> Client:
    text = tokens.create_token(person=person, name="Made by a test").text
    return Client(headers={"Authorization": f"Bearer {text}"})


def send(client: Client, method: str, url: str, value: Any = None) -> Any:
    return getattr(client, method)(url, value, content_type="application/json")


def test_a_schedule_is_set_read_and_removed(people: Cast, micro: Micro, url: str) -> None:
    client = as_person(people.member)
    assert client.get(f"{url}/schedule").json() == {"schedule": None}
    made = send(client, "put", f"{url}/schedule", {"expression": "2 hour", "limit_seconds": 600}).json()["schedule"]
    assert (made["expression"], made["limit_seconds"], made["set_by"]) == ("2 hours", 600, people.member.username)
    assert (len(made["next_times"]), made["failures_in_row"], made["is_overlapping"]) == (5, 0, False)
    assert client.get(f"{url}/schedule").json() == {"schedule": made}
    assert client.get(url).json()["cron"] == "2 hours"
    for _ in range(2):
        assert client.delete(f"{url}/schedule").json() == {"schedule": None}
    assert "cron" not in client.get(url).json()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "`expression` is a text such as “5 minutes”"),
        ({"expression": 5}, "`expression` is a text such as “5 minutes”"),
        ({"expression": "5 weeks"}, "“weeks” is no unit of a rate: minutes, hours and days are"),
        ({"expression": "1 day", "limit_seconds": "x"}, "`limit_seconds` is a whole number of seconds"),
        ({"expression": "1 day", "limit_seconds": True}, "`limit_seconds` is a whole number of seconds"),
        ({"expression": "1 day", "limit_seconds": 3_601}, "A run may take 1 to 3,600 seconds"),
    ],
)
def test_a_schedule_that_can_not_be_is_refused(asked: dict[str, Any], words: str, people: Cast, url: str) -> None:
    answer = send(as_person(people.member), "put", f"{url}/schedule", asked)
    assert (answer.status_code, answer.json()) == (400, {"errors": [words]})


def test_a_run_is_asked_for_and_told_of(people: Cast, micro: Micro, url: str) -> None:
    client = as_person(people.member)
    answer = send(client, "post", f"{url}/runs", {"action": "hello", "input": {"n": 1.5}})
    assert answer.status_code == 202
    made = answer.json()["run"]
    assert (made["kind"], made["action"], made["state"]) == ("run", "hello", "queued")
    now = clock.now()
    MicroRun.objects.filter(id=made["id"]).update(state="done", answer="[1]", started_at=now, finished_at=now)
    logs.add_lines([Line(micro.id, now, "said", request_id=UUID(made["id"])), Line(micro.id, now, "other")])
    found = client.get(f"{url}/runs/{made['id']}").json()
    assert (found["run"]["state"], found["run"]["answer"], found["run"]["input"]) == ("done", "[1]", '{"n":1.5}')
    assert [line["text"] for line in found["lines"]] == ["said"]
    after = found["lines"][0]["id"]
    assert client.get(f"{url}/runs/{made['id']}", {"after": after}).json()["lines"] == []
    assert [each["id"] for each in client.get(f"{url}/runs").json()["runs"]] == [made["id"]]


def test_a_run_is_asked_for_in_words_and_cancelled(people: Cast, micro: Micro, url: str) -> None:
    client = as_person(people.member)
    words = ["--name", "Jimmy X", "-loud", "--tag=a", "--tag", "b"]
    made = send(client, "post", f"{url}/runs", {"words": words}).json()["run"]
    assert MicroRun.objects.get(id=made["id"]).input == '{"name":"Jimmy X","loud":true,"tag":["a","b"]}'
    path = f"{url}/runs/{made['id']}/cancel"
    assert send(as_person(people.reader), "post", path, {}).status_code == 403
    assert send(as_person(people.outsider), "post", path, {}).status_code == 404
    cancelled = send(client, "post", path, {}).json()["run"]
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", f"Cancelled by {people.member.username}.")
    assert send(client, "post", path, {}).json()["run"] == cancelled


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "other"}, "`kind` is run or cron, and `action` a text"),
        ({"action": 5}, "`kind` is run or cron, and `action` a text"),
        ({"words": ["--n"]}, "“--n” has no value: write --n value, or -n for what is only true"),
        ({"words": "--n"}, "`words` is not a list"),
        ({"words": [1]}, "`words` is not a text"),
        ({"limit_seconds": 1.5}, "`limit_seconds` is a whole number of seconds"),
        ({"input": "x" * 262_144}, "The input has at most 262,144 bytes"),
    ],
)
def test_a_run_that_can_not_be_is_refused(asked: dict[str, Any], words: str, people: Cast, url: str) -> None:
    answer = send(as_person(people.member), "post", f"{url}/runs", asked)
    assert (answer.status_code, answer.json()) == (400, {"errors": [words]})


def test_readers_look_and_strangers_learn_nothing(people: Cast, url: str) -> None:
    reader, stranger = as_person(people.reader), as_person(people.outsider)
    for path in ("/schedule", "/runs"):
        assert reader.get(url + path).status_code == 200
        assert stranger.get(url + path).status_code == 404
    for method, path in (("put", "/schedule"), ("delete", "/schedule"), ("post", "/runs")):
        assert send(reader, method, url + path, {}).status_code == 403
        assert send(stranger, method, url + path, {}).status_code == 404
    wrong = url.rpartition("/")[0] + "/nothing00000"
    for path in ("/schedule", "/runs", f"/runs/{UUID(int=0)}"):
        assert as_person(people.member).get(wrong + path).status_code == 404
