"""Threads that do the work of requests: a few of each kind, so that those which wait for files hold up no others."""

import threading
import time
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from storage.request_ids import request_id

# In the variables of a request: the kind of threads that it is asked by, and what was kept when it was asked before.
KIND = "homeport.threads"
KEPT = "homeport.kept"
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
    """Work for a thread. `done` gets its result in the event loop; `refuse` is called there when no thread came in time.

    `work` must not raise. It is done for the request that was `asked`, by its id.
    """

    __slots__ = ("_lock", "done", "queued_at", "refuse", "request_id", "work")

    def __init__(
        self, work: Callable[[], Any], done: Callable[[Any], None], refuse: Callable[[], None], asked: str
    ) -> None:
        self.work, self.done, self.refuse, self.request_id = work, done, refuse, asked
        self.queued_at = time.monotonic()
        self._lock = threading.Lock()

    def claim(self) -> bool:
        """Whether the caller is the one to deal with it: the first who asks."""
        return self._lock.acquire(blocking=False)

    def is_claimed(self) -> bool:
        """Whether somebody deals with it already."""
        return self._lock.locked()


class Threads:
    """The threads of one kind of work, made as work comes in, and the queue before them.

    All but the work itself happens in the event loop.
    """

    def __init__(self, name: str, *, most: int, loop: AbstractEventLoop) -> None:
        self._name, self._most, self._loop = name, most, loop
        self._queue: SimpleQueue[Job] = SimpleQueue()
        self._waiting: deque[Job] = deque()
        self._made = 0

    def add(self, job: Job) -> None:
        """Have it done by the next free thread."""
        self._forget_claimed()
        self._waiting.append(job)
        self._queue.put(job)
        if self._made < self._most:
            self._made += 1
            threading.Thread(target=self._work, name=f"{self._name}-{self._made}", daemon=True).start()

    def run(self, work: Callable[[], Any], asked: str) -> "Future[Any]":
        """Have it done for the request of this id however long it has to wait; what it returns."""
        done: Future[Any] = self._loop.create_future()

        def hear(result: Any) -> None:
            if not done.done():
                done.set_result(result)

        self._queue.put(Job(work, hear, lambda: None, asked))
        return done

    def waiting(self) -> int:
        """How many jobs no thread has taken yet."""
        self._forget_claimed()
        return len(self._waiting)

    def refuse_older(self, seconds: float) -> None:
        """Refuse the jobs that have waited longer than that."""
        limit = time.monotonic() - seconds
        self._forget_claimed()
        while self._waiting and self._waiting[0].queued_at < limit:
            job = self._waiting.popleft()
            if job.claim():
                job.refuse()

    def _forget_claimed(self) -> None:
        while self._waiting and self._waiting[0].is_claimed():
            self._waiting.popleft()

    def _work(self) -> None:
        while True:
            job = self._queue.get()
            if not job.claim():
                continue
            request_id.set(job.request_id)
            result = job.work()
            try:
                # What happens there is of this request as well: the loop takes the context along.
                self._loop.call_soon_threadsafe(job.done, result)
            except RuntimeError:
                return  # the loop has ended: the process is going down
            # Neither may live on until the next job comes.
            del job, result
