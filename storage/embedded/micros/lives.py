"""One Micro's life on this machine: asleep until somebody connects, starting, running, replaced, failed.

Its listening socket stays ours for as long as the Micro exists. Whoever connects waits in its backlog while an instance starts,
and whoever connects while one ends waits for the next. So no request is lost when it sleeps, wakes or is replaced. While a start
that failed is not to be tried again yet, callers are let go at once: they learn why from its status.
"""

import asyncio
import contextlib
from collections.abc import Iterator
from uuid import UUID

from storage import limits
from storage.counting.counted import Counter
from storage.embedded.micros import sockets
from storage.embedded.micros.instances import Instance, Phase
from storage.embedded.micros.output import Allowance
from storage.embedded.micros.surroundings import Surroundings
from storage.micro_host import Fault, State, Status, Wanted

# An instance that was ready for this long was healthy: its end counts as the first.
_HEALTHY_SECONDS = 10.0
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 60.0
# One request that takes too long has the instance replaced; the next ones have to wait that long for it.
_REPLACED_EVERY_SECONDS = 10.0
_LET_GO_AT_ONCE = 64
_STARTS = Counter("homeport_micro_starts")
_FAILURES = Counter("homeport_micro_failures")


class Life:
    """Raises OSError when its socket can't be made."""

    def __init__(self, wanted: Wanted, around: Surroundings) -> None:
        self.wanted = wanted
        self.fault: Fault | None = None
        self._around = around
        self._loop = asyncio.get_running_loop()
        self._allowance = Allowance(self._loop.time())
        self._path = around.places.socket(wanted.micro_id)
        self._listening = sockets.listen(self._path, backlog=limits.MICRO_BACKLOG)
        self._current: Instance | None = None  # starts, or takes the requests
        self._next: Instance | None = None  # starts, to take the current one's place
        self._leaving: dict[Instance, set[object]] = {}  # with the runs that each may be at
        self._holds: set[object] = set()
        self._failures = 0
        self._not_before = 0.0
        self._again: asyncio.TimerHandle | None = None
        self._is_over = False
        self._watch()

    # What the supervisor asks.

    def change(self, wanted: Wanted) -> None:
        """Learn what should run from now on. What runs otherwise is replaced when the new one is ready."""
        if wanted == self.wanted:
            return
        self.wanted = wanted
        self._forgive()
        if self._current is not None:
            self._start_next()
        else:
            self.fault = None
            self._watch()

    def replace(self) -> None:
        """Have a fresh instance take the place of one that keeps requests for too long."""
        current = self._current
        if current is None or current.ready_at is None or self._next is not None:
            return
        if self._around.now() - current.ready_at >= _REPLACED_EVERY_SECONDS:
            current.say("A request took too long: a fresh instance takes this one's place.")
            self._start_next()

    def give_up(self) -> None:
        """Have a fresh instance take the place of one whose run nobody waits for any more, as it can't be ended alone."""
        current = self._current
        if current is not None and current.ready_at is not None and self._next is None:
            current.say("A run was given up: a fresh instance takes this one's place.")
            self._start_next()

    def stop(self) -> None:
        """End all of it now; the next caller wakes it again."""
        self._forgive()
        self.fault = None
        for instance in self._all():
            instance.kill()

    def drain(self) -> None:
        """Have all of it finish, and wake no more."""
        self._is_over = True
        self._stop_watching()
        for instance in self._all():
            instance.drain()

    def remove(self) -> None:
        """End it for good, its socket as well."""
        self._is_over = True
        self._stop_watching()
        self.stop()
        self._listening.close()
        self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def holding(self) -> Iterator[None]:
        """While a run goes on: what leaves meanwhile is not hurried until the run has ended."""
        hold = object()
        self._holds.add(hold)
        try:
            yield
        finally:
            self._holds.discard(hold)
            for instance, holds in self._leaving.items():
                if hold in holds:
                    holds.discard(hold)
                    if not holds:
                        instance.hurry()

    def tick(self) -> None:
        """What is done every second."""
        for instance in self._all():
            instance.measure()
            instance.say_left_out()

    def in_use(self) -> set[UUID]:
        """The deployments, and what was installed for them, that run or may run next."""
        all_wanted = [self.wanted, *(instance.wanted for instance in self._all())]
        return {used for each in all_wanted for used in (each.deployment_id, each.dependencies_id) if used is not None}

    def is_quiet(self) -> bool:
        """Whether nothing of it runs."""
        return not self._all()

    def status(self) -> Status:
        """What it is doing."""
        current = self._current
        if current is None:
            state = State.FAILED if self.fault else State.ASLEEP
            return Status(state, self._who_answers(self.wanted), fault=self.fault)
        return Status(
            State.RUNNING if current.ready_at is not None else State.STARTING,
            self._who_answers(current.wanted),
            started_at=current.started_at,
            ready_at=current.ready_at,
            memory_bytes=current.memory_bytes,
            # Whoever waited for the one before asks why it ended, when another caller has woken the next already.
            fault=None if current.ready_at is not None else self.fault,
        )

    def _who_answers(self, wanted: Wanted) -> UUID:
        """The deployment that the next request gets: an earlier one as long as it may still accept somebody."""
        earlier = (each.wanted.deployment_id for each in self._leaving if each.accepts)
        return next(earlier, wanted.deployment_id)

    # Waking.

    def _watch(self) -> None:
        """Wait for a caller, or for the time when callers may wake it again."""
        if self._is_over:
            return
        self._stop_watching()
        if self._current is not None:
            return
        pause = self._not_before - self._loop.time()
        if pause > 0:
            self._loop.add_reader(self._listening.fileno(), self._let_go)
            self._again = self._loop.call_later(pause, self._watch)
        elif self.wanted.is_kept_warm:
            self._wake()
        else:
            self._loop.add_reader(self._listening.fileno(), self._wake)

    def _stop_watching(self) -> None:
        self._loop.remove_reader(self._listening.fileno())
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _wake(self) -> None:
        self._stop_watching()
        self._current = self._make()

    def _let_go(self) -> None:
        """Close callers' connections unread: nothing was asked of the app, so they may safely ask again."""
        for _ in range(_LET_GO_AT_ONCE):
            with contextlib.suppress(OSError):
                accepted, _ = self._listening.accept()
                accepted.close()
                continue
            return

    def _make(self) -> Instance:
        _STARTS.add()
        return Instance(
            self.wanted,
            listening=self._listening,
            around=self._around,
            allowance=self._allowance,
            on_change=self._on_change,
        )

    # Replacing.

    def _start_next(self) -> None:
        if self._next is not None:
            self._leave(self._next)
        self._next = self._make()

    def _leave(self, instance: Instance) -> None:
        # One that never took a request has no run to finish.
        holds = set(self._holds) if instance.ready_at is not None else set()
        self._leaving[instance] = holds
        instance.drain(is_at_a_run=bool(holds))

    # What instances tell.

    def _on_change(self, instance: Instance) -> None:
        if instance.phase is Phase.READY:
            self._on_ready(instance)
        elif instance.phase is Phase.ENDED:
            self._on_end(instance)

    def _on_ready(self, instance: Instance) -> None:
        self.fault = None
        if instance is self._next:
            self._next = None
            old, self._current = self._current, instance
            if old is not None:
                self._leave(old)

    def _on_end(self, instance: Instance) -> None:
        self._leaving.pop(instance, None)
        is_next, is_current = instance is self._next, instance is self._current
        if is_next:
            self._next = None
        if is_current:
            # What was to take its place takes it now, whether it is ready or not.
            self._current, self._next = self._next, None
        if is_next or is_current:
            self.fault = instance.fault
            if instance.fault is not None:
                _FAILURES.add(instance.fault.kind.value)
                self._count_failure(instance, instance.fault.message)
            else:
                self._forgive()
        self._watch()
        if is_next and self._current is not None and not self._is_over:
            # The old one serves on; the new one is tried again like one that crashed.
            self._again = self._loop.call_later(max(self._not_before - self._loop.time(), 0.0), self._try_next)

    def _try_next(self) -> None:
        if self._current is not None and self._next is None and not self._is_over:
            self._start_next()

    def _count_failure(self, instance: Instance, words: str) -> None:
        """Say why it ended, and have the next start wait the longer the more often in a row that happened."""
        was_ready = instance.ready_at is not None
        is_healthy = was_ready and self._around.now() - (instance.ready_at or 0.0) >= _HEALTHY_SECONDS
        self._failures = 1 if is_healthy else self._failures + 1
        if was_ready and self._failures == 1:
            instance.say(f"{words} The next request starts it again.")
            return
        # The exponent is bounded, as an app may be tried for weeks.
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** min(self._failures - 1, 10), _LONGEST_PAUSE_SECONDS)
        self._not_before = self._loop.time() + pause
        row = f" That was {self._failures} times in a row." if self._failures > 1 else ""
        instance.say(f"{words}{row} A request in {pause:g} seconds or later starts it again.")
        if self._current is None:
            self._let_go()

    def _forgive(self) -> None:
        self._failures, self._not_before = 0, 0.0

    def _all(self) -> list[Instance]:
        return [each for each in (self._current, self._next, *self._leaving) if each is not None]
