"""Threads that do the work of requests: a few of each kind, so that those which wait for files hold up no others.

One thread is called at a time, once the loop has read all that came: it takes several where their kind allows that, or calls the
next one. Calling a thread, and its turn at the interpreter, cost as much as a good part of a short answer.
"""

import threading
import time
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

from storage.request_ids import request_id

# In the variables of a request: the kind of threads that it is asked by, and what was kept when it was asked before.
KIND = "homeport.threads"
KEPT = "homeport.kept"
# There for a request that is worked on in the event loop itself, where nothing may be waited for.
IN_LOOP = "homeport.in_loop"
# In what was kept: as what the request is counted.
OPERATION = "operation"


def note_operation(variables: dict[str, Any], surface: str, name: str) -> None:
    """As what a request is counted: names from a fixed set, never what a client wrote. What was said last counts."""
    kept = variables.get(KEPT)
    if kept is not None:
        kept[OPERATION] = (surface, name)


class AnsweredBy(BaseException):
    """The application wants a request to begin again in a thread of this kind. No error, so no Exception."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Job:
    """Work for a thread. `done` gets its result in the event loop; `refuse`, if any, is called there when no thread came in time.

    `work` must not raise. It is done for the request that was `asked`, by its id.
    """

    __slots__ = ("done", "queued_at", "refuse", "request_id", "work")

    def __init__(
        self, work: Callable[[], Any], done: Callable[[Any], None], refuse: Callable[[], None] | None, asked: str
    ) -> None:
        self.work, self.done, self.refuse, self.request_id = work, done, refuse, asked
        self.queued_at = time.monotonic()

    def do(self) -> Any:
        """What the work comes to."""
        request_id.set(self.request_id)
        return self.work()

    def tell(self, result: Any) -> None:
        """In the event loop: what happens there is of the request as well."""
        request_id.set(self.request_id)
        self.done(result)


class InLoop(Protocol):
    """Does what needs no waiting in the event loop itself."""

    def add(self, work: Callable[[], Any], hear: Callable[[Any], None]) -> None:
        """Have it done; `hear` gets what it comes to. It may not raise."""

    def waiting(self) -> int:
        """How much of it has not ended."""


class Together(NamedTuple):
    """Of which kind a thread does `most` jobs at once, and how: `do` returns the results in the order of the works."""

    kind: str
    most: int
    do: Callable[[Sequence[Callable[[], Any]]], list[Any]]


class DoneInLoop(NamedTuple):
    """Of which kinds short jobs are done in the event loop, and by what. A thread does what comes to something to wait for."""

    kinds: tuple[str, ...]
    by: Callable[[AbstractEventLoop], InLoop]


class Threads:
    """The threads of one kind of work, made as work comes in, and the queue before them.

    With `together` a thread takes as many jobs at once as there are, up to a number. All but the work itself happens in the
    event loop.
    """

    def __init__(self, name: str, *, most: int, loop: AbstractEventLoop, together: Together | None = None) -> None:
        self._name, self._most, self._loop, self._together = name, most, loop, together
        self._most_at_once = together.most if together else 1
        # Whoever takes a job out is the one to deal with it: each of these steps is one of the interpreter.
        self._waiting: deque[Job] = deque()
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._is_called = False
        self._made = 0

    def add(self, job: Job) -> None:
        """Have it done by the next free thread."""
        self._waiting.append(job)
        if not self._is_called:
            # Once the loop has read all that came: else the thread would have its turn in between, and find this one alone.
            self._is_called = True
            self._loop.call_soon(self._calls.put, None)
        if self._made < self._most:
            self._made += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._made}", daemon=True).start()

    def run(self, work: Callable[[], Any], asked: str) -> "Future[Any]":
        """Have it done for the request of this id however long it has to wait; what it returns."""
        done: Future[Any] = self._loop.create_future()

        def hear(result: Any) -> None:
            if not done.done():
                done.set_result(result)

        self.add(Job(work, hear, None, asked))
        return done

    def waiting(self) -> int:
        """How many jobs no thread has taken yet."""
        return len(self._waiting)

    def refuse_older(self, seconds: float) -> None:
        """Refuse the jobs that have waited longer than that."""
        limit = time.monotonic() - seconds
        for job in self._waiting.copy():
            if job.refuse is None or job.queued_at >= limit:
                continue
            try:
                self._waiting.remove(job)
            except ValueError:
                continue  # a thread was faster
            job.refuse()

    def _call(self) -> None:
        self._is_called = True
        self._calls.put(None)

    def _take(self) -> list[Job]:
        jobs: list[Job] = []
        while len(jobs) < self._most_at_once:
            try:
                jobs.append(self._waiting.popleft())
            except IndexError:
                break
        return jobs

    def _work(self) -> None:
        while True:
            self._calls.get()
            # From here on whoever adds a job calls anew, so that none is left behind.
            self._is_called = False
            jobs = self._take()
            if self._waiting and not self._is_called:
                self._call()
            if not jobs:
                continue
            if len(jobs) == 1 or self._together is None:
                results = [job.do() for job in jobs]
            else:
                results = self._together.do([job.do for job in jobs])
            try:
                self._loop.call_soon_threadsafe(partial(_tell, jobs, results))
            except RuntimeError:
                return  # the loop has ended: the process is going down
            # None of them may live on until the next job comes.
            del jobs, results


def _tell(jobs: Sequence[Job], results: Sequence[Any]) -> None:
    for job, result in zip(jobs, results, strict=True):
        job.tell(result)
