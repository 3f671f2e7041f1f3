"""What the benchmark needs of a system under test, and how a whole answer is got from it and checked.

An answer may take several requests: a system that looks at a bounded part of its data per request says where it
stopped and is asked again. A rate always counts whole answers, so such a system is not measured by its pages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
import psutil

from bench.load.data import Item
from bench.load.workload import PAGE_ITEMS, AgeBetween, Ask, Get, GroupEquals, Insert, Put, Workload
from bench.load.wrk import Request
from bench.systems.processes import Server

CHECKED_ASKS = 20


class WrongAnswerError(Exception):
    """A system answered something else than the items themselves say."""


@dataclass(frozen=True)
class Answered:
    """The items of one answer, and where to go on from when it is not whole."""

    items: list[Item]
    after: str | None = None


class System(Protocol):
    """A server under test. `request` and `answered` translate; neither sends anything.

    `durability` says what a write waits for before it is answered. One that `may_refuse` answers 409 to writes that collide,
    which a client has to send again.
    """

    name: str
    durability: str
    may_refuse: bool
    origin: str
    headers: dict[str, str]
    server: Server | None

    def start(self, items: Iterable[Item]) -> None: ...
    def stop(self) -> None: ...
    def tree(self) -> list[psutil.Process]: ...
    def request(self, ask: Ask, *, after: str | None = None) -> Request: ...
    def answered(self, ask: Ask, answer: Any) -> Answered: ...


@dataclass(frozen=True)
class Replay:
    """Requests to measure with, and how many of them make one whole answer on average."""

    requests: list[Request]
    requests_per_answer: float


def make_replay(system: System, asks: Sequence[Ask], workload: Workload) -> Replay:
    """Checks a sample of the asks against the right answers, and turns all of them into requests.

    Where one request does not answer an ask, the requests are those that the sample took.
    Raises WrongAnswerError when the system's items are not exactly the right ones, in the right order.
    """
    with httpx.Client(base_url=system.origin, headers=system.headers, timeout=60) as client:
        walked = [_checked_walk(system, client, ask, workload) for ask in asks[:CHECKED_ASKS]]
        if all(len(requests) == 1 for requests in walked):
            return Replay([system.request(ask) for ask in asks], 1.0)
    return Replay([request for requests in walked for request in requests], sum(map(len, walked)) / len(walked))


def _checked_walk(system: System, client: httpx.Client, ask: Ask, workload: Workload) -> list[Request]:
    requests, items = _walk(system, client, ask)
    if isinstance(ask, Insert):
        _check_same(system, ask.message, items[0])
        return requests
    keys = [item["key"] for item in items]
    if isinstance(ask, GroupEquals):
        keys.sort()  # the order of an equality query is free
    expected = workload.expected_keys(ask)
    if keys != expected:
        raise WrongAnswerError(f"{system.name}, {ask}: {len(keys)} items, expected {len(expected)}: {keys[:3]}...")
    if isinstance(ask, Put):
        _check_stored(system, client, ask)
    return requests


def _check_stored(system: System, client: httpx.Client, ask: Put) -> None:
    for item in ask.items:
        _, [stored] = _walk(system, client, Get(item["key"]))
        _check_same(system, item, stored)


def _check_same(system: System, item: Item, stored: Item) -> None:
    differing = [name for name, value in item.items() if stored.get(name) != value]
    if differing:
        raise WrongAnswerError(f"{system.name} stored another {differing} than it was given: {stored}")


def _walk(system: System, client: httpx.Client, ask: Ask) -> tuple[list[Request], list[Item]]:
    """Every request it takes to answer an ask, and the items."""
    requests: list[Request] = []
    items: list[Item] = []
    after: str | None = None
    while not requests or (after is not None and not (isinstance(ask, AgeBetween) and len(items) >= PAGE_ITEMS)):
        request = system.request(ask, after=after)
        answer = client.request(request.method, request.path, content=request.body or None)
        if not answer.is_success:
            raise WrongAnswerError(f"{system.name} answered {answer.status_code} to {ask}: {answer.text[:300]}")
        page = system.answered(ask, answer.json())
        requests.append(request)
        items += page.items
        after = page.after
    return requests, items[:PAGE_ITEMS] if isinstance(ask, AgeBetween) else items
