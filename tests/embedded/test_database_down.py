"""While Postgres is away the API says so at once, as JSON; the first request after it is back succeeds."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS, SWITCH_SECONDS, eventually

SET_UP = "import django\ndjango.setup()\nfrom storage.events import queries as events, recording"
REQUESTS = [
    ("GET", "/items/a", None),
    ("PUT", "/items", {"items": [{"key": "a"}]}),
    ("POST", "/items", {"item": {"key": "b"}}),
    ("PATCH", "/items/a", {"set": {"b": 1}}),
    ("DELETE", "/items/b", None),
    ("POST", "/query", {}),
]


@pytest.fixture
def client(hardy_server: Any) -> Iterator[httpx.Client]:
    collection_id, key = hardy_server.make_key("down")
    url = f"{hardy_server.url}/v1/{collection_id}/base"
    with httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=MOMENT_SECONDS) as client:
        yield client


@contextmanager
def database_down(server: Any) -> Iterator[None]:
    (postgres,) = server.children("postgres", at_any_depth=False)
    server.process.send_signal(signal.SIGSTOP)  # or it would start Postgres again
    try:
        sessions = postgres.children()
        postgres.kill()
        psutil.wait_procs(sessions, timeout=MOMENT_SECONDS)  # they outlive it by a moment, in which they answer
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


@pytest.mark.slow
def test_database_down_is_told_soon_and_over_when_it_is(hardy_server: Any, client: httpx.Client) -> None:
    collection_id = client.base_url.path.split("/")[2]
    hardy_server.run_code(f"{SET_UP}\nrecording.start_recording({collection_id!r})")
    time.sleep(SWITCH_SECONDS)  # every process has heard of it by then
    for _ in range(8):  # connections in every worker, which all break at once
        assert client.put("/items", json={"items": [{"key": "a", "n": 1}]}).status_code == 207
    with database_down(hardy_server):
        for method, path, body in REQUESTS:
            started = time.monotonic()
            answer = client.request(method, path, json=body)
            assert time.monotonic() - started < PROMISED_SECONDS
            assert answer.status_code == 503
            assert answer.headers["Retry-After"]
            assert answer.json() == {"errors": ["Storage is not reachable at the moment, please try again"]}
        assert httpx.get(f"{hardy_server.url}/healthz").status_code == 200
        ready = httpx.get(f"{hardy_server.url}/readyz")
        assert ready.json()["postgres"] != "ok"
        assert int(ready.headers["Retry-After"]) > 0
    hardy_server.wait_ready()
    assert [client.get("/items/a").json() for _ in range(8)] == [{"key": "a", "n": 1}] * 8

    # Recording held nothing up, and what it could not store meanwhile has waited.
    find = f"{SET_UP}\nprint(*(line.status for line in events.list_events(collection_id={collection_id!r}).lines))"
    wanted = [200] * 8 + [503] * len(REQUESTS) + [207] * 8
    statuses = eventually(lambda: found if len(found := hardy_server.run_code(find).split()) == len(wanted) else None)
    assert statuses
    assert list(map(int, statuses)) == wanted
