"""Those who write to a Base and those who follow its changes, in pages and as a stream, for tests of what both are told."""

import itertools
import json
import random
import threading
import time
from collections import defaultdict
from typing import Any

import httpx
from deta import Deta

from tests.server.slow import App
from tests.waiting import LONG_SECONDS, MOMENT_SECONDS, eventually

KEYS = "abcde"


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


class Following:
    """Writers, and both kinds of readers, at work between `with` and its end, which compares what they were told.

    HOMEPORT_URL in the environment has to name the app's server.
    """

    def __init__(self, app: App, *, writers: int) -> None:
        self._app = app
        self._is_written, self._is_over = threading.Event(), threading.Event()
        self._pages: list[dict[str, Any]] = []
        self._streamed: list[dict[str, Any]] = []
        self._writers = [Writer(app, number, self._is_written) for number in range(writers)]
        self._readers = [
            threading.Thread(target=read_pages, args=(app, self._is_over, self._pages), daemon=True),
            threading.Thread(target=read_stream, args=(app, self._streamed), daemon=True),
        ]

    def __enter__(self) -> "Following":
        for thread in [*self._writers, *self._readers]:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._is_written.set()
        for writer in self._writers:
            writer.join(LONG_SECONDS)
        if kind is None:
            app = self._app
            eventually(lambda: app.call("PUT", "/items", json={"items": [{"key": "last"}]}).status_code == 207)
        self._is_over.set()
        if kind is None:
            for reader in self._readers:
                reader.join(LONG_SECONDS)
                assert not reader.is_alive()
            self._compare()

    def _compare(self) -> None:
        """Both were told the same, all of it, each writer's in its order, and in the end what is stored."""
        stored = {item["key"]: item for item in self._app.call("POST", "/query", json={}).json()["items"]}
        assert [json.dumps(each) for each in self._pages] == [json.dumps(each) for each in self._streamed]
        told = defaultdict(list)
        for change in self._pages:
            told[change["key"]].append(change["value"])
        assert {key: values[-1] for key, values in told.items() if values[-1]} == stored
        for writer in self._writers:
            for key in KEYS:
                seen = [value["n"] for value in told[key] if value and value.get("by") == writer.number]
                assert seen == sorted(set(seen))
                assert {n for name, n in writer.done if name == key} <= set(seen)
        assert min(len(writer.done) for writer in self._writers) > 0
