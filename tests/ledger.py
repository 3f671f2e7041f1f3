"""Clients that write and read items and files while something is broken, and a ledger of what they were told.

A name belongs to one writer, which waits for each answer, so the ledger knows what may be there: what was acknowledged
last, and what was sent since without a word that it is stored (promises: P1 to P5).
"""

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import httpx

from tests.drives import PART, encoded, noise
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS

_NAMES_PER_WRITER = 6
_ON_ITS_WAY_SECONDS = 30.0
_SWEEP_AND_COMPARE = """
import django
django.setup()
from storage.errors import EngineUnreachable
from tests.sweeping import swept_report
from tests.waiting import eventually

def look():
    try:
        return [swept_report()]
    except EngineUnreachable:  # what was broken may have to be started again first
        return []

(report,) = eventually(look)
print("clean" if report.is_clean else report)
"""


class NothingSent(Exception):
    """A write did not get as far as the request that would have made it visible."""


@dataclass
class Place:
    """A name, and prints of what may be under it; None stands for nothing."""

    name: str
    possible: set[str | None] = field(default_factory=lambda: {None})
    ever: set[str | None] = field(default_factory=lambda: {None})


@dataclass
class Write:
    """A change of one place: its print afterwards, and the requests it takes, of which the last one counts."""

    after: str | None
    send: Callable[[], httpx.Response]


class Service(Protocol):
    """Where places are: a Base or a Drive."""

    def plan(self, http: httpx.Client, name: str, number: int) -> Write:
        """What to do to the name in this turn."""

    def read(self, http: httpx.Client, name: str) -> httpx.Response:
        """Ask for what is under the name."""

    def print_of(self, response: httpx.Response) -> str:
        """The print of what was answered with status 200."""

    def names(self, http: httpx.Client) -> set[str]:
        """All names there are."""


class Items:
    """A Base."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/ledger"

    def plan(self, http: httpx.Client, name: str, number: int) -> Write:
        if number % 7 == 6:
            return Write(None, lambda: http.delete(f"{self._url}/items/{name}"))
        item = {"key": name, "number": str(number)}
        return Write(str(number), lambda: http.put(f"{self._url}/items", json={"items": [item]}))

    def read(self, http: httpx.Client, name: str) -> httpx.Response:
        return http.get(f"{self._url}/items/{name}")

    def print_of(self, response: httpx.Response) -> str:
        return str(response.json()["number"])

    def names(self, http: httpx.Client) -> set[str]:
        found: set[str] = set()
        last: str | None = None
        while True:
            answer = http.post(f"{self._url}/query", json={"last": last}).json()
            found |= {item["key"] for item in answer["items"]}
            last = answer["paging"].get("last")
            if last is None:
                return found


class Files:
    """A Drive."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/ledger"

    def plan(self, http: httpx.Client, name: str, number: int) -> Write:
        sizes = random.Random(f"{name} {number}")
        if number % 7 == 6:
            body = {"names": [name]}
            return Write(None, lambda: http.request("DELETE", f"{self._url}/files", json=body))
        if number % 9 == 4:
            parts = [noise(PART, number % 3), sizes.randbytes(sizes.randrange(1, 300_000))]
            return Write(_print(*parts), lambda: self._upload(http, name, parts))
        content = sizes.randbytes(sizes.choice([0, 20, 5_000, 60_000, 400_000, 1_500_000]))
        return Write(_print(content), lambda: http.post(f"{self._url}/files?name={encoded(name)}", content=content))

    def _upload(self, http: httpx.Client, name: str, parts: list[bytes]) -> httpx.Response:
        query = f"name={encoded(name)}"
        try:
            begun = http.post(f"{self._url}/uploads?{query}")
            if begun.status_code != 202:
                return begun
            url = f"{self._url}/uploads/{begun.json()['upload_id']}"
            for number, content in enumerate(parts, start=1):
                sent = http.post(f"{url}/parts?{query}&part={number}", content=content)
                if sent.status_code != 200:
                    return sent
        except httpx.TransportError as error:
            raise NothingSent from error
        return http.patch(f"{url}?{query}")

    def read(self, http: httpx.Client, name: str) -> httpx.Response:
        return http.get(f"{self._url}/files/download?name={encoded(name)}")

    def print_of(self, response: httpx.Response) -> str:
        assert int(response.headers["Content-Length"]) == len(response.content)
        return _print(response.content)

    def names(self, http: httpx.Client) -> set[str]:
        found: list[str] = []
        while True:
            answer = http.get(f"{self._url}/files", params={"last": found[-1] if found else ""}).json()
            found += answer["names"]
            if "paging" not in answer:
                assert found == sorted(found)
                return set(found)


class Ledger:
    """Writers and readers of both kinds, at work between `with` and its end.

    What a server must never do fails the test at the end of the block: an answer that is neither success, nor 503, nor
    507, or bytes that nobody sent in one piece.
    """

    def __init__(self, server: Server, *, writers: int = 2, readers: int = 1) -> None:
        collection_id, key = server.make_key("ledger")
        url = f"{server.url}/v1/{collection_id}"
        self._server = server
        self._headers = {"X-API-Key": key}
        self.services: dict[str, Service] = {"items": Items(url), "files": Files(url)}
        self.places: dict[str, list[Place]] = {kind: [] for kind in self.services}
        self.acknowledged: dict[str, list[float]] = {kind: [] for kind in self.services}  # when each put began
        self.refused: Counter[int] = Counter()  # answers of each status from 500 on
        self.read_statuses: Counter[int] = Counter()
        self.broken = 0  # requests that got no answer
        self.failures: list[BaseException] = []
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, args=(work, kind, number))
            for kind in self.services
            for work, count in ((self._write, writers), (self._read, readers))
            for number in range(count)
        ]
        self.clients = len(self._threads)

    def __enter__(self) -> "Ledger":
        for thread in self._threads:
            thread.start()
        for kind in self.services:
            self.seconds_until_written(kind)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def seconds_until_written(self, kind: str) -> float:
        """How long it takes from now until something that was put later is acknowledged."""
        started = time.monotonic()
        while not any(began > started for began in self.acknowledged[kind][-20:]):
            assert not self.failures, self.failures
            assert time.monotonic() - started < MOMENT_SECONDS, f"no {kind} are written any more"
            time.sleep(0.01)
        return time.monotonic() - started

    def check(self) -> None:
        """P1 to P5, once all is well again."""
        if self.broken or self.refused[503]:
            # What nobody waited for any more may still be on its way into S3; a sweep without any grace would be there first.
            time.sleep(_ON_ITS_WAY_SECONDS)
        with self._client() as http:
            self._check_places(http)
            told = self._server.run_code(_SWEEP_AND_COMPARE)
            assert told == "clean", told
            self._check_places(http)

    def _check_places(self, http: httpx.Client) -> None:
        for kind, service in self.services.items():
            names = service.names(http)
            assert names <= {place.name for place in self.places[kind]}
            for place in self.places[kind]:
                response = service.read(http, place.name)
                assert response.status_code in (200, 404), response.text
                found = service.print_of(response) if response.status_code == 200 else None
                assert found in place.possible, f"{kind}: {place}, but there is {found}"
                assert (place.name in names) == (found is not None), f"{kind}: {place}"

    def _work(self, work: Callable[[httpx.Client, str, int], None], kind: str, number: int) -> None:
        try:
            with self._client() as http:
                work(http, kind, number)
        except BaseException as failure:
            self.failures.append(failure)

    def _client(self) -> httpx.Client:
        return httpx.Client(headers=self._headers, timeout=MOMENT_SECONDS, trust_env=False)

    def _write(self, http: httpx.Client, kind: str, writer: int) -> None:
        mine: list[Place] = []
        number = 0
        while not self._over.is_set():
            number += 1
            if len(mine) < _NAMES_PER_WRITER:
                mine.append(Place(f"{writer}/{number}" if kind == "files" else f"{writer}-{number}"))
                self.places[kind].append(mine[-1])
            place = mine[number % len(mine)]
            write = self.services[kind].plan(http, place.name, number)
            place.ever.add(write.after)
            began = time.monotonic()
            try:
                response = write.send()
            except (httpx.ConnectError, NothingSent):
                self.broken += 1
                time.sleep(0.01)
            except httpx.TransportError:
                # Nobody knows when what was sent last would be through, so nothing else is sent there.
                self.broken += 1
                place.possible.add(write.after)
                mine.remove(place)
            else:
                assert response.is_success or response.status_code in (503, 507), response.text
                if response.is_success:
                    place.possible = {write.after}
                    if write.after is not None:  # a delete asks one engine alone
                        self.acknowledged[kind].append(began)
                else:
                    place.possible.add(write.after)
                    self.refused[response.status_code] += 1
                    time.sleep(0.01)

    def _read(self, http: httpx.Client, kind: str, reader: int) -> None:
        choice = random.Random(reader)
        while not self._over.is_set():
            if not self.places[kind]:
                continue
            place = choice.choice(self.places[kind][-20:])
            try:
                response = self.services[kind].read(http, place.name)
            except httpx.TransportError:
                self.broken += 1
                time.sleep(0.01)
                continue
            assert response.status_code in (200, 404, 503), response.text
            self.read_statuses[response.status_code] += 1
            if response.status_code == 200:
                assert self.services[kind].print_of(response) in place.ever


def _print(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()
