"""`/metrics`: who may read it, and what it says. That it is whole with several processes is tried in `tests/embedded/`."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from console import health, wrong_keys
from storage.access_tokens import tokens
from storage.counting import counted
from storage.monitoring.figures import DESCRIBED
from tests.console.conftest import Browser
from tests.people import Cast
from tests.prometheus import parse, value

TOKEN = "a-token-for-prometheus-0123456789"


@pytest.fixture(autouse=True)
def _nobody_was_wrong() -> None:
    wrong_keys._counts.reset()


def token_of(person: User) -> str:
    return tokens.create_token(person=person, name="Prometheus").text


def test_figures_need_a_token(people: Cast, browser: Browser, settings: Settings) -> None:
    expired = tokens.create_token(person=people.server_owner, name="old")
    expired.token.expires_at = timezone.now() - timedelta(seconds=1)
    expired.token.save()
    signed_in = browser(people.server_owner)

    def status(token: str | None, scheme: str = "Bearer") -> int:
        headers = {} if token is None else {"Authorization": f"{scheme} {token}"}
        answer = signed_in.get("/metrics", headers=headers)
        assert (answer.status_code == 401) == (answer.get("WWW-Authenticate") == "Bearer")
        assert answer["Cache-Control"] == "private, no-store"
        return answer.status_code

    assert status(token_of(people.server_owner)) == 200
    for wrong in (None, "", TOKEN, token_of(people.owner), expired.text, "ä", "hp_" + "a" * 32):
        assert status(wrong) == 401, wrong
    settings.METRICS_TOKEN = TOKEN
    assert status(TOKEN) == 200
    assert status(TOKEN, scheme="Token") == 401
    assert status(TOKEN[:-1]) == 401
    assert signed_in.post("/metrics").status_code == 405


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(
    people: Cast, browser: Browser, settings: Settings
) -> None:
    settings.METRICS_TOKEN = TOKEN
    client = browser(None)

    def ask(token: str) -> int:
        return client.get("/metrics", headers={"Authorization": f"Bearer {token}"}, REMOTE_ADDR="192.0.2.7").status_code

    assert {ask("wrong") for _ in range(100)} == {401}
    answer = client.get("/metrics", headers={"Authorization": "Bearer wrong"}, REMOTE_ADDR="192.0.2.7")
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert ask(TOKEN) == 200


def test_everything_is_told_in_the_words_that_are_listed(people: Cast, browser: Browser, settings: Settings) -> None:
    settings.METRICS_TOKEN, settings.SECRET_KEY = TOKEN, "short"
    counted.Counter("homeport_recorder_lost").add(by=3)
    counted.Histogram("homeport_http_request_duration_seconds").observe("api", "get_item", "503", seconds=0.004)
    answer = browser(None).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer["Content-Type"].startswith("text/plain")
    text = answer.content.decode()
    described = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert described == {name + ("_total" if kind == "counter" else "") for name, (kind, *_) in DESCRIBED.items()}
    told = parse(text)
    assert value(told, "homeport_figures_complete") == 1
    assert value(told, "homeport_recorder_lost_total") >= 3
    assert value(told, "homeport_problems", key="secret_key_weak", level="bad") == 1
    assert value(told, "homeport_engine_up", engine="s3") == 1
    assert value(told, "homeport_collections") >= 1
    took = {"surface": "api", "operation": "get_item"}
    assert value(told, "homeport_http_request_duration_seconds_bucket", status="5xx", le="0.005", **took) >= 1
    assert value(told, "homeport_http_requests_total", status="503", **took) >= 1
    # Never a name of somebody's, such as a path or a collection's id.
    assert people.collection.id not in text


def test_a_hanging_engine_is_told_as_one_that_is_down(
    people: Cast, browser: Browser, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_TOKEN = TOKEN
    monkeypatch.setattr(health, "_last", (float("inf"), {"postgres": "ok", "s3": "does not answer"}))
    told = parse(browser(None).get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).content.decode())
    assert value(told, "homeport_engine_up", engine="s3") == 0
    assert value(told, "homeport_problems", key="s3_down", level="bad") == 1
