"""Two who follow a Base, in pages and as a stream, while eight write to few keys and processes are killed: both are told all of
it.
"""

import itertools
import json
import random
import threading
import time
from collections import defaultdict
from typing import Any

import httpx
import pytest
from deta import Deta

from tests.embedded.servers import making_servers
from tests.processes import living_children
from tests.server.slow import App, make_app
from tests.serving import Server, child_of_serve, kill
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS, eventually

WRITERS, KEYS = 8, "abcde"
WRITING_SECONDS = 12


class Writer(threading.Thread):
    """Puts, increments and deletes, each put once and never tried again; `done` are those of which it knows that they were
    made.
    """

    def __init__(self, app: App, number: int, is_over: threading.Event) -> None:
        super().__init__()
        self._app, self.number, self._is_over = app, number, is_over
        self.done: list[tuple[str, int]] = []

    def run(self) -> None:
        chance = random.Random(self.number)
        with httpx.Client(
            base_url=self._app.server.url, timeout=MOMENT_SECONDS, headers={"X-API-Key": self._app.key}, trust_env=False
        ) as http:
            for n in itertools.count():
                if self._is_over.is_set():
                    return
                keys = chance.sample(KEYS, chance.randint(1, 2))
                try:
                    if chance.random() < 0.1:
                        http.delete(f"{self._app.path}/items/{keys[0]}")
                        continue
                    items = [{"key": key, "by": self.number, "n": n} for key in keys]
                    if http.put(f"{self._app.path}/items", json={"items": items}).status_code == 207:
                        self.done += [(key, n) for key in keys]
                except httpx.HTTPError:
                    time.sleep(0.1)


def read_pages(app: App, is_over: threading.Event, found: list[dict[str, Any]]) -> None:
    """Slowly, a few at a time, again and again."""
    cursor = ""
    with httpx.Client(
        base_url=app.server.url, timeout=MOMENT_SECONDS, headers={"X-API-Key": app.key}, trust_env=False
    ) as http:
        while True:
            was_over = is_over.is_set()
            try:
                answer = http.get(f"{app.path}/changes", params={"since": cursor, "limit": 25})
            except httpx.HTTPError:
                time.sleep(0.1)
                continue
            if answer.status_code != 200:
                assert answer.status_code == 503, answer.text
                time.sleep(0.1)
                continue
            page = answer.json()
            found += page["changes"]
            cursor = page["cursor"]
            if was_over and not page["more"]:
                return
            time.sleep(0.01)


def read_stream(app: App, found: list[dict[str, Any]]) -> None:
    """Until the last change of all, which says so."""
    with Deta(app.key) as deta:
        for change in deta.Base("things").changes():
            found.append({name: part for name, part in change.items() if name != "cursor"})
            if change["key"] == "last":
                return
            if len(found) % 50 == 0:
                time.sleep(0.05)


def kill_processes(server: Server) -> None:
    """A web worker, Postgres, and a worker again, while all write."""
    for word in ("worker", "postgres", "worker"):
        time.sleep(WRITING_SECONDS / 4)
        if word == "worker":
            kill(living_children(child_of_serve(server, "console.listener"))[0])
        else:
            kill(child_of_serve(server, "postgres"))
            server.wait_ready()
    time.sleep(WRITING_SECONDS / 4)


@pytest.mark.slow
def test_nothing_is_missing_doubled_or_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    with making_servers() as make:
        server = make(HOMEPORT_WORKERS="2").start()
        server.wait_ready()
        app = make_app(server)
        monkeypatch.setenv("HOMEPORT_URL", server.url)
        is_written, is_over = threading.Event(), threading.Event()
        pages: list[dict[str, Any]] = []
        streamed: list[dict[str, Any]] = []
        writers = [Writer(app, number, is_written) for number in range(WRITERS)]
        readers = [
            threading.Thread(target=read_pages, args=(app, is_over, pages), daemon=True),
            threading.Thread(target=read_stream, args=(app, streamed), daemon=True),
        ]
        for thread in [*writers, *readers]:
            thread.start()
        kill_processes(server)
        is_written.set()
        for writer in writers:
            writer.join(LONG_SECONDS)
        eventually(lambda: app.call("PUT", "/items", json={"items": [{"key": "last"}]}).status_code == 207)
        is_over.set()
        for reader in readers:
            reader.join(LONG_SECONDS)
            assert not reader.is_alive()
        stored = {item["key"]: item for item in app.call("POST", "/query", json={}).json()["items"]}

    assert [json.dumps(each) for each in pages] == [json.dumps(each) for each in streamed]
    told = defaultdict(list)
    for change in pages:
        told[change["key"]].append(change["value"])
    assert {key: values[-1] for key, values in told.items() if values[-1]} == stored
    for writer in writers:
        for key in KEYS:
            seen = [value["n"] for value in told[key] if value and value.get("by") == writer.number]
            assert seen == sorted(set(seen))
            assert {n for name, n in writer.done if name == key} <= set(seen)
    assert min(len(writer.done) for writer in writers) > 0
