"""Every process of Postgres is stopped, as by a disk that hangs: API and pages say so within their time, and go on after it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from storage.embedded import leftovers, postgres, state
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS, eventually

pytestmark = pytest.mark.slow


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    kept = state.load(server.data)
    assert kept
    processes = leftovers.postgres_processes(postgres.folder(kept.home(server.data)))
    assert len(processes) > 3
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            try:
                process.resume()
            except psutil.NoSuchProcess:
                continue


def test_frozen_database_holds_nobody_up(hardy_server: Server) -> None:
    collection_id, key = hardy_server.make_key("frozen")
    headers = {"X-API-Key": key}
    with httpx.Client(base_url=hardy_server.url, headers=headers, timeout=MOMENT_SECONDS, trust_env=False) as client:
        base = f"/v1/{collection_id}/base"
        calls: list[tuple[str, str, Any]] = [
            ("GET", f"{base}/items/a", None),
            ("PUT", f"{base}/items", {"items": [{"key": "a"}]}),
            ("POST", f"{base}/query", {}),
            ("GET", f"/v1/{collection_id}/drive/files", None),
            ("GET", "/sign-in/", None),
            ("GET", "/", None),
            ("GET", "/readyz", None),
        ]
        client.cookies.set("sessionid", "s" * 32)
        for _ in range(4):  # connections in every worker
            assert client.put(f"{base}/items", json={"items": [{"key": "a"}]}).status_code == 207
        with frozen(hardy_server):
            # Twice: the first time on connections from before, the second on none.
            for method, path, body in calls * 2:
                began = time.monotonic()
                answer = client.request(method, path, json=body)
                assert time.monotonic() - began < PROMISED_SECONDS, path
                if path != "/sign-in/" or answer.status_code != 200:
                    assert answer.status_code == 503, (path, answer.text)
                    assert int(answer.headers["Retry-After"]) > 0
        assert client.get(f"{base}/items/a").status_code == 200
        eventually(hardy_server.is_ready)
