"""Clients that ask for the same few items at once, and write down when they asked for what and were answered what."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from math import inf
from typing import Any

import httpx

from tests.factories import item_path
from tests.linearizability.checking import Operation, TooManyOrders, is_linearizable
from tests.linearizability.items import Ask, Item, Told, changes, prepared, step
from tests.linearizability.telling import shortest_proof, tell
from tests.waiting import MOMENT_SECONDS

# After a request that was not answered: an engine is being started, and more such requests say nothing more.
_PAUSE_SECONDS = 0.3
_STATUSES = {
    "get": (200, 404),
    "query": (200,),
    "put": (207,),
    "put two": (207,),
    "insert": (201, 409),
    "replace": (207, 412),
    "delete": (200,),
    "set": (200, 404),
    "increment": (200, 404),
    "append": (200, 404),
}
_VERBS = list(_STATUSES)
_OFTEN = [5, 1, 2, 1, 3, 2, 2, 2, 3, 3]


class Recorder(threading.Thread):
    """One client. It is somebody else after each request of which it heard nothing, as that may still be on its way."""

    def __init__(self, url: str, key: str, number: int, keys: list[str], *, until: Callable[[int], bool]) -> None:
        super().__init__()
        self._http = httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=MOMENT_SECONDS, trust_env=False)
        self._chance = random.Random(f"{number} {keys}")
        self._number = number
        self._keys = keys
        self._is_over = until
        self._revisions: dict[str, str] = {}
        self.heard: list[tuple[str, Operation]] = []
        self.statuses: Counter[int] = Counter()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with self._http:
                count = 0
                while not self._is_over(count):
                    count += 1
                    if not self._ask(f"{self._number}.{count}"):
                        time.sleep(_PAUSE_SECONDS)
        except BaseException as failure:
            self.failure = failure

    def _ask(self, value: str) -> bool:
        (verb,) = self._chance.choices(_VERBS, _OFTEN)
        keys = self._chance.sample(self._keys, 2 if verb == "put two" else 1)
        asks = {key: Ask("put" if verb == "put two" else verb, value, self._condition(verb, key)) for key in keys}
        if verb == "query":
            asks = {key: Ask("get") for key in self._keys}
        elif verb in ("get", "delete", "increment"):
            asks = {key: Ask(verb) for key in keys}
        began = time.monotonic()
        try:
            answer = self._send(verb, keys, value, asks[keys[0]].revision)
        except httpx.ConnectError:
            return False  # it never got there
        except httpx.TransportError:
            answer = None
        ended = time.monotonic()
        self.statuses[answer.status_code if answer is not None else 0] += 1
        if answer is None or answer.status_code == 503:
            self._note(asks, {}, began, inf)
            return False
        assert answer.status_code in _STATUSES[verb], (verb, answer.status_code, answer.text)
        self._note(asks, self._read(verb, asks, answer), began, ended)
        return True

    def _note(self, asks: dict[str, Ask], told: dict[str, Told], began: float, ended: float) -> None:
        for key, ask in asks.items():
            answer = told.get(key)
            self.heard.append((key, Operation(self._number, ask, answer, began, ended, changes(ask, answer))))

    def _condition(self, verb: str, key: str) -> str | None:
        return self._revisions.get(key, '"1"') if verb == "replace" else None

    def _send(self, verb: str, keys: list[str], value: str, revision: str | None) -> httpx.Response:
        path = item_path(keys[0])
        item = {"key": keys[0], "by": value, "n": 0, "log": []}
        patch: dict[str, Any] = {"set": {"by": value}, "increment": {"n": 1}, "append": {"log": [value]}}
        if verb in ("put", "put two", "replace"):
            headers = {"If-Match": revision} if revision else {}
            return self._http.put("/items", json={"items": [{**item, "key": key} for key in keys]}, headers=headers)
        if verb == "insert":
            return self._http.post("/items", json={"item": item})
        if verb == "query":
            return self._http.post("/query", json={})
        if verb in patch:
            return self._http.patch(path, json={verb: patch[verb]})
        return self._http.request("GET" if verb == "get" else "DELETE", path)

    def _read(self, verb: str, asks: dict[str, Ask], answer: httpx.Response) -> dict[str, Told]:
        """What it was told of each key."""
        status, etag = answer.status_code, answer.headers.get("ETag")
        if verb == "query":
            found = {item["key"]: item for item in answer.json()["items"]}
            return {key: Told(200, _item(found[key])) if key in found else Told(404) for key in asks}
        if verb == "put two":
            revisions = answer.headers["Item-Revisions"].split(", ")
            return {key: Told(status, None, f'"{revision}"') for key, revision in zip(asks, revisions, strict=True)}
        (key,) = asks
        if etag:
            self._revisions[key] = etag
        if verb == "get" and status == 200:
            return {key: Told(status, _item(answer.json(), etag))}
        return {key: Told(status, None, etag)}


def _item(found: dict[str, Any], revision: str | None = None) -> Item:
    return Item(found["by"], found["n"], tuple(found["log"]), revision)


class History:
    """What many clients did to the same keys: they work between `with` and its end, for so many requests each, or until then."""

    def __init__(self, url: str, key: str, keys: list[str], *, clients: int, requests: int | None = None) -> None:
        self._over = threading.Event()
        self._keys = keys

        def is_over(count: int) -> bool:
            return self._over.is_set() or count == requests

        self.clients = [Recorder(url, key, number, keys, until=is_over) for number in range(clients)]
        self._has_end = requests is not None

    def __enter__(self) -> "History":
        for client in self.clients:
            client.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._has_end:
            self._over.set()
        for client in self.clients:
            client.join()
        if self.failure:
            raise self.failure

    @property
    def failure(self) -> BaseException | None:
        """What went wrong with one of the clients."""
        return next((client.failure for client in self.clients if client.failure), None)

    @property
    def answered(self) -> int:
        """How many requests were answered so far, whatever with but a 503."""
        return sum(client.statuses.total() - client.statuses[0] - client.statuses[503] for client in self.clients)

    @property
    def unheard(self) -> int:
        """Of how many operations nobody knows."""
        return sum(not operation.is_known for client in self.clients for _, operation in client.heard)

    def check(self) -> None:
        """Fails with the few operations that show it when there is a key whose history no order explains."""
        for key in self._keys:
            operations = [operation for client in self.clients for name, operation in client.heard if name == key]
            check(key, operations)


def check(key: str, operations: list[Operation]) -> None:
    """The same for one key."""
    simpler = prepared(operations)
    try:
        is_possible = is_linearizable(simpler, step)
    except TooManyOrders:
        raise AssertionError(
            f"Nobody knows of too many of these whether they happened:\n{tell(key, simpler)}"
        ) from None
    if not is_possible:
        raise AssertionError(f"No order explains the last of these:\n{tell(key, shortest_proof(simpler, step))}")
