"""`/healthz` and `/readyz`: open to anybody, exact in what they say."""

import httpx
import pytest
from django.db import connection
from django.test import Client

from console import health
from tests.serving import Server


def test_healthz_says_that_the_process_lives(server: Server) -> None:
    answer = httpx.get(f"{server.url}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_names_each_engine(server: Server) -> None:
    answer = httpx.get(f"{server.url}/readyz")
    assert (answer.status_code, answer.json()) == (200, {"postgres": "ok", "s3": "ok"})


def test_readyz_says_when_to_ask_again(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    never = (float("-inf"), dict[str, str]())
    monkeypatch.setattr(health, "_last", never)
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nonexistent")
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"postgres": "does not answer", "s3": "ok"}
    assert int(answer["Retry-After"]) > 0


@pytest.mark.parametrize("path", ["healthz", "readyz"])
def test_health_is_read_only(server: Server, path: str) -> None:
    assert httpx.options(f"{server.url}/{path}").status_code == 405
    assert httpx.head(f"{server.url}/{path}").status_code == 200
