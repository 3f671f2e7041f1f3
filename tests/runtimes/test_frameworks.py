"""Every framework that people write Micros with, in the shim that serves it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.runtimes.apps import APPS, App
from tests.runtimes.conftest import run_app
from tests.runtimes.instances import Instance
from tests.waiting import MOMENT_SECONDS, eventually

BODY = bytes(range(256)) * 350  # below the 100 KB that Express takes by default


# One that is quick serves in the same way: FastAPI for the first two, Flask for Bottle, Express for Koa.
IN_THE_LONG_RUN = ("starlette", "asgi", "bottle", "koa")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.name in IN_THE_LONG_RUN else [])
        for each in APPS
    ],
)
def app(request: pytest.FixtureRequest) -> App:
    return request.param


@pytest.fixture(scope="module")
def instance(app: App, packages: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with run_app(tmp_path_factory.mktemp("app"), app.kind, app.files, packages(app.kind)) as started:
        message = started.first_message()
        assert message.get("ready"), message
        assert message["runs_on"].startswith({"python": "Python 3.", "node": "Node.js "}[app.kind])
        yield started


def test_it_answers_and_what_it_prints_is_marked_with_the_request(app: App, instance: Instance) -> None:
    answer = instance.get("/", headers={"X-Homeport-Request": "11111111-aaaa"})
    assert (answer.status_code, answer.json()) == (200, {"hello": app.name})
    assert instance.find("asked").request_id == "11111111-aaaa"


def test_a_body_arrives_whole_with_a_length_and_in_chunks(instance: Instance) -> None:
    kind = {"Content-Type": "application/octet-stream"}
    assert instance.request("POST", "/echo", content=BODY, headers=kind).content == BODY
    parts = (BODY[n : n + 10_000] for n in range(0, len(BODY), 10_000))
    assert instance.request("POST", "/echo", content=parts, headers=kind).content == BODY


def test_an_answer_streams_while_others_are_answered(instance: Instance) -> None:
    transport = httpx.HTTPTransport(uds=str(instance.socket_path))
    with (
        httpx.Client(transport=transport, base_url="http://m", timeout=MOMENT_SECONDS) as client,
        client.stream("GET", "/stream") as answer,
    ):
        parts = answer.iter_raw()
        assert next(parts) == b"first"
        assert instance.get("/go").is_success
        assert b"".join(parts) == b"second"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_arrives(instance: Instance, method: str) -> None:
    answer = instance.request(method, "/method")
    assert answer.status_code == 200
    assert answer.text == ("" if method == "HEAD" else method)


def test_a_failure_is_a_500_with_its_traceback_in_the_log(instance: Instance) -> None:
    answer = instance.get("/fail", headers={"X-Homeport-Request": "22222222-bbbb"})
    assert answer.status_code == 500
    assert "on purpose" not in answer.text
    line = instance.find("broken on purpose")
    assert line.request_id == "22222222-bbbb"
    assert line in instance.errors
    assert instance.get("/").is_success


def test_it_is_told_who_asks_and_not_which_request_it_is(instance: Instance) -> None:
    sent = {
        "Host": "shop.example.org",
        "X-Homeport-Request": "33333333-cccc",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-API-Key": "of the app itself",
    }
    told = instance.get("/who", headers=sent).json()
    assert (told["address"], told["url"]) == ("203.0.113.9", "https://shop.example.org/who")
    assert told["headers"]["x-api-key"] == "of the app itself"
    assert "x-homeport-request" not in told["headers"]


def test_functions_run_with_their_event(instance: Instance) -> None:
    answer = instance.run(action="greet", json={"name": "Ada"}, body='{"name":"Ada"}')
    event = {"json": {"name": "Ada"}, "body": '{"name":"Ada"}', "type": "run", "action": "greet"}
    assert (answer.status_code, answer.json()) == (200, {"result": event})
    assert instance.run().json() == {"result": "run"}
    assert instance.run("cron").json() == {"result": "cron"}
    missing = instance.run(action="gone")
    assert missing.status_code == 404
    assert missing.json() == {"errors": ["This Micro has no run function for the action “gone”."]}


def test_a_function_that_fails_says_why_and_leaves_its_traceback(instance: Instance) -> None:
    answer = instance.request(
        "POST", "/__homeport/run", json={"action": "broken"}, headers={"X-Homeport-Request": "44444444-dddd"}
    )
    assert answer.status_code == 500
    assert "broken function" in answer.json()["errors"][0]
    eventually(lambda: any("broken function" in line.text for line in instance.errors))
    assert instance.find("broken function").request_id == "44444444-dddd"
