"""A client writes while something is killed: every item it was told is stored is there, and writing goes on in seconds."""

import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.serving import Server, kill

BACK_SECONDS = 5.0
WRITERS = 4


class Ledger:
    """Clients that write one item after the other and note which ones were acknowledged, and when."""

    def __init__(self, server: Server) -> None:
        collection_id = server.run("collection", "create", "ledger").stdout.split()[-1]
        key = server.run("datakey", "create", collection_id, "writer").stdout.split()[-1]
        self._url = f"{server.url}/v1/{collection_id}/ledger"
        self._headers = {"X-API-Key": key}
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        self.acknowledged: list[tuple[float, str]] = []

    def __enter__(self) -> "Ledger":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def seconds_until_written(self) -> float:
        """How long it takes from now until a write that began later is acknowledged."""
        started = time.monotonic()
        while not any(began > started for began, _ in self.acknowledged[-WRITERS:]):
            assert time.monotonic() - started < 30, "nothing was written any more"
            time.sleep(0.01)
        return time.monotonic() - started

    def lost(self) -> set[str]:
        """The acknowledged items that are not there."""
        stored: set[str] = set()
        last: str | None = None
        while True:
            answer = httpx.post(f"{self._url}/query", headers=self._headers, json={"last": last}).json()
            stored |= {item["key"] for item in answer["items"]}
            last = answer["paging"].get("last")
            if last is None:
                return {key for _, key in self.acknowledged} - stored

    def _write(self, writer: int) -> None:
        number = 0
        with httpx.Client(base_url=self._url, headers=self._headers, timeout=10) as client:
            while not self._over.is_set():
                key, began = f"{writer}-{number:06d}", time.monotonic()
                try:
                    answer = client.put("/items", json={"items": [{"key": key, "number": number}]})
                except httpx.HTTPError:
                    time.sleep(0.01)
                else:
                    assert answer.status_code in (207, 503), answer.text
                    if answer.status_code == 207:
                        self.acknowledged.append((began, key))
                number += 1


def kill_a_web_worker(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    assert server.process
    (listener,) = [p for p in server.children(f"--port {port}") if p.ppid() == server.process.pid]
    kill(listener.children()[0])


def kill_postgres(server: Server) -> None:
    assert server.process
    (postgres,) = [p for p in server.children("postgres") if p.ppid() == server.process.pid]
    kill(postgres)


def kill_serve_and_start_it_again(server: Server) -> None:
    assert server.process
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.start()


@pytest.mark.parametrize("break_something", [kill_a_web_worker, kill_postgres, kill_serve_and_start_it_again])
def test_no_acknowledged_item_is_lost(own_server: Any, break_something: Callable[[Server], None]) -> None:
    with Ledger(own_server) as ledger:
        ledger.seconds_until_written()
        time.sleep(0.5)
        break_something(own_server)
        assert ledger.seconds_until_written() < BACK_SECONDS
        time.sleep(0.5)
    assert len(ledger.acknowledged) > 100
    assert ledger.lost() == set()
