"""What a terminal may do to Micros: every door for every role, and what comes back."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage import limits
from storage.access_tokens import tokens
from storage.audit import log as audit
from storage.audit.log import Conditions, Verb
from storage.micro_logs import logs
from storage.micros import api_keys, hosts, micros, schedules, variables
from storage.micros.host import Line, Source
from storage.models import Deployment, Micro, MicroKey, Role
from storage.postgres import clock
from tests.micros import ToldHost, deploy_now, hosted_by, make_micro, zip_of
from tests.people import Cast

HELLO = {"main.py": b"def app(environ, start):\n    pass\n", "requirements.txt": b"flask\n"}


@pytest.fixture
def host(undone: None) -> Iterator[ToldHost]:
    told = ToldHost()
    with hosted_by(told, hosts.the_places()):
        yield told


@pytest.fixture
def micro(host: ToldHost, people: Cast) -> Micro:
    # No other test has this address, whose Micros may be there for good.
    return make_micro("hello", collection_id=people.collection.id, subdomain="marjoram-1")


def client_of(person: User | None) -> Client:
    """A terminal in which the person has signed in, nobody for None."""
    if person is None:
        return Client()
    return Client(headers={"Authorization": f"Bearer {tokens.create_token(person=person, name='laptop').text}"})


class Door(NamedTuple):
    """What is asked of a Micro, who may at least, and what they are answered."""

    method: str
    path: str
    least: Role
    status: int
    body: Any = None


DOORS = [
    Door("get", "", Role.READER, 200),
    Door("patch", "", Role.MEMBER, 200, {"visor": "enabled"}),
    Door("put", "/variables", Role.MEMBER, 200, {"lines": "A=1"}),
    Door("get", "/bundle", Role.MEMBER, 404),  # nothing is deployed
    Door("put", "/bundle", Role.MEMBER, 202, zip_of(HELLO)),
    Door("get", "/deployments", Role.READER, 200),
    Door("get", "/deployments/11111111-1111-1111-1111-111111111111", Role.READER, 404),
    Door("get", "/logs", Role.READER, 200),
    Door("get", "/keys", Role.MEMBER, 200),
    Door("post", "/keys", Role.MEMBER, 201, {"name": "agent1"}),
    Door("delete", "/keys?name=gone", Role.MEMBER, 404),
]
NOT_THEIRS = {"errors": ["Not found"]}


def go_through(door: Door, client: Client, at: str) -> Any:
    content = door.body if isinstance(door.body, bytes) else None
    return getattr(client, door.method)(
        f"{at}{door.path}",
        data=content or door.body,
        content_type="application/zip" if content else "application/json",
    )


def at(micro: Micro) -> str:
    return f"/cli/collections/{micro.collection_id}/micros/{micro.id}"


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
def test_a_door_opens_for_a_role_and_for_nobody_below(door: Door, people: Cast, micro: Micro) -> None:
    reader, member = client_of(people.reader), client_of(people.member)
    refused = go_through(door, client_of(None), at(micro))
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    gone = go_through(door, client_of(people.outsider), at(micro))
    assert (gone.status_code, gone.json()) == (404, NOT_THEIRS)
    if door.least is Role.MEMBER:
        assert go_through(door, reader, at(micro)).status_code == 403
    assert go_through(door, reader if door.least is Role.READER else member, at(micro)).status_code == door.status


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door.method} {door.path}")
def test_nobody_reaches_another_collections_micro_through_their_own(door: Door, people: Cast, micro: Micro) -> None:
    other = make_micro("other", subdomain="marjoram-2")
    answer = go_through(door, client_of(people.owner), f"/cli/collections/{people.collection.id}/micros/{other.id}")
    assert (answer.status_code, answer.json()) == (404, NOT_THEIRS)
    assert not Deployment.objects.filter(micro=other).exists()
    assert not MicroKey.objects.filter(micro=other).exists()


def test_a_revoked_token_opens_nothing_from_the_next_request_on(people: Cast, micro: Micro) -> None:
    made = tokens.create_token(person=people.owner, name="lost")
    client = Client(headers={"Authorization": f"Bearer {made.text}"})
    assert client.get(at(micro)).status_code == 200
    made.token.delete()
    for door in DOORS:
        assert go_through(door, client, at(micro)).status_code == 401


def test_a_micro_is_created_for_members_and_listed_for_readers(host: ToldHost, people: Cast) -> None:
    micros_of = f"/cli/collections/{people.collection.id}/micros"
    asked = {"name": "marjoram_3", "runtime": "nodejs14.x", "visor": "enabled"}
    for person, status in ((None, 401), (people.outsider, 404), (people.reader, 403), (people.member, 201)):
        answer = client_of(person).post(micros_of, data=asked, content_type="application/json")
        assert answer.status_code == status
    told = answer.json()
    assert list(told.items()) == [
        ("name", "marjoram_3"),
        ("id", told["id"]),
        ("project", people.collection.name),
        ("runtime", "nodejs24.x"),
        ("endpoint", "http://marjoram-3.localhost"),
        ("region", "local"),
        ("visor", "enabled"),
        ("http_auth", "enabled"),
    ]
    brief = {name: told[name] for name in ("name", "id", "endpoint")} | {"runtime": "nodejs14.x"}
    assert client_of(people.reader).get(micros_of).json() == {"micros": [brief]}
    again = client_of(people.member).post(micros_of, data=asked, content_type="application/json")
    assert (again.status_code, again.json()) == (409, {"errors": ["The collection has a Micro “marjoram_3” already"]})
    found = audit.list_entries(Conditions(collection_id=people.collection.id))
    (made,) = (entry for entry in found if entry.verb == Verb.MICRO_CREATED)
    assert made.details["by_token"] == "laptop"


@pytest.mark.parametrize(
    ("asked", "errors"),
    [
        ({}, ["`name` is not a text"]),
        ({"name": 5}, ["`name` is not a text"]),
        ({"name": "a", "runtime": "cobol"}, ["“cobol” is no runtime"]),
        ({"name": "a", "visor": True}, ["`visor` is “enabled” or “disabled”"]),
        ({"name": "a\u200b"}, ["A Micro's name has"]),
    ],
)
def test_what_makes_no_sense_is_refused(host: ToldHost, people: Cast, asked: Any, errors: list[str]) -> None:
    answer = client_of(people.owner).post(
        f"/cli/collections/{people.collection.id}/micros", data=asked, content_type="application/json"
    )
    assert answer.status_code == 400
    assert [said[: len(error)] for said, error in zip(answer.json()["errors"], errors, strict=True)] == errors


def test_details_have_all_that_there_is_in_the_originals_order(people: Cast, micro: Micro, host: ToldHost) -> None:
    deploy_now(micro, HELLO)
    variables.set_variables(collection_id=micro.collection_id, micro_id=micro.id, values={"B": "2", "A": "1"})
    schedules.set_schedule(collection_id=micro.collection_id, micro_id=micro.id, expression="5 minutes")
    told = client_of(people.reader).get(at(micro)).json()
    assert list(told.items()) == [
        ("name", "hello"),
        ("id", micro.id),
        ("project", people.collection.name),
        ("runtime", "python3.11"),
        ("endpoint", "http://marjoram-1.localhost"),
        ("region", "local"),
        ("dependencies", ["flask"]),
        ("environment_variables", ["A", "B"]),
        ("visor", "disabled"),
        ("http_auth", "enabled"),
        ("cron", "5 minutes"),
    ]


def test_changes_are_made_and_told(people: Cast, micro: Micro) -> None:
    member = client_of(people.member)
    asked = {"name": "renamed", "http_auth": "disabled", "visor": "enabled", "runtime": "python3.9"}
    told = member.patch(at(micro), data=asked, content_type="application/json").json()
    assert {name: told[name] for name in asked} == asked | {"runtime": "python3.11"}
    changed = micros.find_micro(collection_id=micro.collection_id, micro_id=micro.id)
    assert (changed.name, changed.has_sign_in, changed.is_recorded, changed.runtime) == (
        "renamed",
        False,
        True,
        "python3.9",
    )
    assert member.patch(at(micro), data={"http_auth": "on"}, content_type="application/json").status_code == 400


def test_variables_are_read_as_the_page_reads_them_and_others_are_removed(people: Cast, micro: Micro) -> None:
    member = client_of(people.member)
    variables.set_variables(collection_id=micro.collection_id, micro_id=micro.id, values={"OLD": "1"})
    lines = "# ours\nexport A='x y'\nB=2 # two\n\nC=\n"
    answer = member.put(f"{at(micro)}/variables", data={"lines": lines}, content_type="application/json")
    assert answer.json() == {"environment_variables": ["A", "B", "C"]}
    now = micros.find_micro(collection_id=micro.collection_id, micro_id=micro.id)
    assert variables.read_variables(now) == {"A": "x y", "B": "2", "C": ""}
    for lines, error in (
        ("A=1\nno variable\n", "Line 2 is not NAME=value"),
        ("DETA_PROJECT_KEY=x\n", "DETA_PROJECT_KEY is set by the server and can't be another: leave it out"),
    ):
        answer = member.put(f"{at(micro)}/variables", data={"lines": lines}, content_type="application/json")
        assert (answer.status_code, answer.json()) == (400, {"errors": [error]})
    assert variables.read_variables(now) == {"A": "x y", "B": "2", "C": ""}


def test_a_bundle_is_deployed_once_and_told_what_it_asks_for(people: Cast, micro: Micro, host: ToldHost) -> None:
    member = client_of(people.member)
    deploy_now(micro, HELLO)
    serving = member.get(f"{at(micro)}/deployments").json()["serving"]
    same = member.put(f"{at(micro)}/bundle", data=zip_of(HELLO), content_type="application/zip")
    assert same.status_code == 200
    assert same.json() == {name: serving[name] for name in serving if name != "digest"} | {
        "is_new": False,
        "dependencies": {"added": [], "removed": []},
    }
    # What a sender has chosen is deployed as it is, hidden files among it.
    other = HELLO | {"requirements.txt": b"bottle\n", ".env.example": b"A="}
    sent = member.put(f"{at(micro)}/bundle", data=zip_of(other), content_type="application/zip")
    assert sent.status_code == 202
    assert sent.json()["dependencies"] == {"added": ["bottle"], "removed": ["flask"]}
    made = Deployment.objects.get(id=sent.json()["id"])
    assert (made.asked_by, made.files) == (people.member, 3)
    # While another version is on its way, what serves now is not the last word.
    assert member.get(f"{at(micro)}/deployments").json()["serving"]["digest"] == ""
    back = member.put(f"{at(micro)}/bundle", data=zip_of(HELLO), content_type="application/zip")
    assert back.json()["is_new"] is True


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "Nothing was sent"),
        (b"no zip", "This is neither a zip nor a tar"),
        (zip_of({"a": b""}), "There is nothing"),
    ],
)
def test_a_bundle_that_can_not_be_deployed_is_refused(people: Cast, micro: Micro, content: bytes, error: str) -> None:
    answer = client_of(people.member).put(f"{at(micro)}/bundle", data=content, content_type="application/zip")
    assert answer.status_code == 400
    assert answer.json()["errors"][0].startswith(error)


def test_another_runtime_deploys_the_same_files_again(people: Cast, micro: Micro, host: ToldHost) -> None:
    member = client_of(people.member)
    deploy_now(micro, HELLO)
    assert member.get(f"{at(micro)}/deployments").json()["serving"]["digest"] != ""
    member.patch(at(micro), data={"runtime": "python3.10"}, content_type="application/json")
    assert member.get(f"{at(micro)}/deployments").json()["serving"]["digest"] == ""
    sent = member.put(f"{at(micro)}/bundle", data=zip_of(HELLO), content_type="application/zip")
    assert sent.json()["is_new"] is True


def test_a_deployment_tells_its_lines_behind_the_last_one_and_why_it_failed(people: Cast, micro: Micro) -> None:
    made = Deployment.objects.create(micro=micro, number=1, runtime="python", state="failed", reason="No such package")
    say(micro, ["one", "two"], Source.BUILD, made)
    say(micro, ["of the app"], Source.OUTPUT, made)
    reader = client_of(people.reader)
    told = reader.get(f"{at(micro)}/deployments/{made.id}").json()
    assert [line["text"] for line in told["lines"]] == ["one", "two"]
    assert (told["state"], told["is_over"], told["reason"]) == ("failed", True, "No such package")
    told = reader.get(f"{at(micro)}/deployments/{made.id}?after={told['lines'][0]['id']}").json()
    assert [line["text"] for line in told["lines"]] == ["two"]


def test_the_log_has_what_the_app_and_the_server_say_behind_the_last_line(people: Cast, micro: Micro) -> None:
    say(micro, ["built"], Source.BUILD)
    say(micro, ["one", "two"], Source.OUTPUT)
    say(micro, ["stopped"], Source.SERVER)
    reader = client_of(people.reader)
    lines = reader.get(f"{at(micro)}/logs").json()["lines"]
    assert [(line["source"], line["text"]) for line in lines] == [
        ("output", "one"),
        ("output", "two"),
        ("server", "stopped"),
    ]
    assert reader.get(f"{at(micro)}/logs?after={lines[1]['id']}").json()["lines"] == lines[2:]
    assert reader.get(f"{at(micro)}/logs?after={lines[2]['id']}").json()["lines"] == []
    # What is no number is none.
    assert reader.get(f"{at(micro)}/logs?after=x").json()["lines"] == lines


def test_the_code_that_serves_is_fetched_by_who_could_have_sent_it(people: Cast, micro: Micro, host: ToldHost) -> None:
    deploy_now(micro, HELLO)
    answer = client_of(people.member).get(f"{at(micro)}/bundle")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert client_of(people.reader).get(f"{at(micro)}/bundle").status_code == 403


def test_an_api_key_is_told_once_and_revoked_by_its_name(people: Cast, micro: Micro) -> None:
    member = client_of(people.member)
    asked = {"name": "a/b ../?&", "description": "for agent 1"}
    answer = member.post(f"{at(micro)}/keys", data=asked, content_type="application/json")
    made = answer.json()
    assert list(made) == ["name", "description", "prefix", "api_key", "created"]
    assert answer["Cache-Control"] == "private, no-store"
    assert api_keys.check_key(made["api_key"], micro_id=micro.id)
    (listed,) = member.get(f"{at(micro)}/keys").json()["keys"]
    assert list(listed) == ["name", "description", "prefix", "created", "last_used"]
    assert made["api_key"] not in str(listed)
    again = member.post(f"{at(micro)}/keys", data=asked, content_type="application/json")
    assert again.status_code == 409
    for status in (204, 404):
        assert member.delete(f"{at(micro)}/keys", query_params={"name": "a/b ../?&"}).status_code == status
    assert not api_keys.check_key(made["api_key"], micro_id=micro.id)


def say(micro: Micro, texts: list[str], source: Source, deployment: Deployment | None = None) -> None:
    lines = [Line(micro.id, clock.now(), text, source, deployment.id if deployment else None) for text in texts]
    assert len(lines) <= limits.MICRO_LINES_PER_LIST
    assert logs.add_lines(lines)
