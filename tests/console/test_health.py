"""`/healthz` and `/readyz`: open to anybody, exact in what they say."""

import httpx
import pytest

from tests.serving import Server


def test_healthz_says_that_the_process_lives(server: Server) -> None:
    answer = httpx.get(f"{server.url}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_readyz_names_each_engine(server: Server) -> None:
    answer = httpx.get(f"{server.url}/readyz")
    assert (answer.status_code, answer.json()) == (200, {"postgres": "ok", "s3": "ok"})


@pytest.mark.parametrize("path", ["healthz", "readyz"])
def test_health_is_read_only(server: Server, path: str) -> None:
    assert httpx.options(f"{server.url}/{path}").status_code == 405
    assert httpx.head(f"{server.url}/{path}").status_code == 200
