"""The threads of a kind: none is called in vain, no job is left behind, and each is told of once."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import pytest

from console.server.threads import Job, Threads, Together
from tests.waiting import MOMENT_SECONDS


class Told:
    """What the event loop hears of jobs, in order."""

    def __init__(self) -> None:
        self.results: list[Any] = []
        self.refused: list[str] = []

    def job(self, work: Callable[[], Any], name: str = "") -> Job:
        return Job(work, self.results.append, lambda: self.refused.append(name), f"r-{name}")

    async def until_taken(self, threads: Threads) -> None:
        async with asyncio.timeout(MOMENT_SECONDS):
            while threads.waiting():
                await asyncio.sleep(0.01)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(MOMENT_SECONDS):
            while len(self.results) < count:
                await asyncio.sleep(0.01)


def in_loop(test: Callable[[asyncio.AbstractEventLoop, Told], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        await test(asyncio.get_running_loop(), Told())

    asyncio.run(run())


@pytest.fixture
def batches() -> list[int]:
    """How many works were done at once."""
    return []


def test_what_comes_at_once_is_done_together_up_to_a_number(batches: list[int]) -> None:
    gate = threading.Event()

    def do(works: Sequence[Callable[[], Any]]) -> list[Any]:
        batches.append(len(works))
        return [work() for work in works]

    async def test(loop: asyncio.AbstractEventLoop, told: Told) -> None:
        threads = Threads("any", most=1, loop=loop, together=Together("any", 3, do))
        threads.add(told.job(gate.wait))
        await told.until_taken(threads)
        for number in range(7):
            threads.add(told.job(partial(int, number)))
        assert threads.waiting() == 7
        gate.set()
        await told.until(8)
        assert told.results == [True, *range(7)]

    in_loop(test)
    assert batches == [3, 3], "what is alone is done as it is"


def test_no_job_waits_while_a_thread_is_free() -> None:
    """Each goes on only when all four are at work."""
    barrier = threading.Barrier(4)

    async def test(loop: asyncio.AbstractEventLoop, told: Told) -> None:
        threads = Threads("any", most=4, loop=loop)
        for _ in range(3):
            for _ in range(4):
                threads.add(told.job(lambda: barrier.wait(MOMENT_SECONDS)))
            await told.until(4)
            assert sorted(told.results) == [0, 1, 2, 3]
            told.results.clear()

    in_loop(test)


def test_threads_are_called_for_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many jobs at once one thread is told, which takes all of them."""
    calls: list[None] = []

    async def test(loop: asyncio.AbstractEventLoop, told: Told) -> None:
        threads = Threads(
            "any", most=2, loop=loop, together=Together("any", 8, lambda works: [work() for work in works])
        )
        gate = threading.Event()
        for _ in range(2):
            threads.add(told.job(gate.wait))
            await told.until_taken(threads)
        monkeypatch.setattr(threads, "_calls", _Counting(threads._calls, calls))
        for number in range(8):
            threads.add(told.job(partial(int, number)))
        await asyncio.sleep(0)
        assert len(calls) == 1
        gate.set()
        await told.until(10)

    in_loop(test)


class _Counting:
    def __init__(self, queue: Any, calls: list[None]) -> None:
        self._queue, self._calls = queue, calls

    def put(self, call: None) -> None:
        self._calls.append(call)
        self._queue.put(call)

    def get(self) -> None:
        self._queue.get()


def test_what_has_waited_too_long_is_refused_once_and_what_can_not_be_refused_is_done() -> None:
    gate, done = threading.Event(), list[str]()

    async def test(loop: asyncio.AbstractEventLoop, told: Told) -> None:
        threads = Threads("any", most=1, loop=loop)
        threads.add(told.job(gate.wait))
        await told.until_taken(threads)
        lasting = threads.run(lambda: done.append("lasting"), "r")
        threads.add(told.job(lambda: done.append("refused"), "late"))
        threads.refuse_older(60)
        assert told.refused == []
        for _ in range(2):
            threads.refuse_older(-1)
        assert (told.refused, threads.waiting()) == (["late"], 1)
        gate.set()
        await lasting

    in_loop(test)
    assert done == ["lasting"]
