"""The process that runs this machine's Micros: what should run is asked for every second, and when somebody says it changed.

Owns the main loop. One Micro's life is in `lives.py`, installations and first starts are in `builds.py`, and how others ask for
things is in `control.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

from storage.counting.counted import Gauge
from storage.embedded.micros.lives import Life
from storage.embedded.micros.log import Log
from storage.embedded.micros.places import Places
from storage.embedded.micros.surroundings import Surroundings
from storage.micro_host import State, Status, Wanted

logger = logging.getLogger(__name__)

_TICK_SECONDS = 1.0
_SWEEP_SECONDS = 600.0
_POLL_SECONDS = 0.02
_MICROS = Gauge("homeport_micros")

ListWanted = Callable[[], Sequence[Wanted]]
Sweep = Callable[[Collection[UUID]], object]


class Supervisor:
    """`list_wanted` says what should run and `sweep` clears copies away but for those of ids; both are called in a thread.

    Either may raise: then what runs goes on, and they are called again.
    """

    def __init__(self, around: Surroundings, log: Log, *, list_wanted: ListWanted, sweep: Sweep) -> None:
        self._around, self._log = around, log
        self._list_wanted, self._sweep = list_wanted, sweep
        self._lives: dict[str, Life] = {}
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rows")
        self._complaint = ""

    async def run(self, stopped: asyncio.Event) -> None:
        """Run Micros until that is set, then have all of them finish."""
        tasks = [
            asyncio.create_task(each) for each in (self._follow(), self._tick(), self._sweep_on(), self._log.run())
        ]
        try:
            await stopped.wait()
        finally:
            for task in tasks:
                task.cancel()
            await self._finish()
            self._over.set()

    # What others ask, by `control.py`.

    def changed(self) -> None:
        """Look at once what should run."""
        self._changed.set()

    def statuses(self, micro_ids: Sequence[str]) -> dict[str, Status]:
        """Those that are known here."""
        return {each: self._lives[each].status() for each in micro_ids if each in self._lives}

    def stop(self, micro_id: str) -> None:
        """End it now."""
        if life := self._lives.get(micro_id):
            life.stop()

    def replace(self, micro_id: str) -> None:
        """Have a fresh instance take its place."""
        if life := self._lives.get(micro_id):
            life.replace()

    def give_up(self, micro_id: str) -> None:
        """Have a fresh instance take its place, as nobody waits any more for what it is at."""
        if life := self._lives.get(micro_id):
            life.give_up()

    @contextmanager
    def holding(self, micro_id: str) -> Iterator[None]:
        """Within it, what runs of it now is given the time of a long run to finish, should something take its place."""
        life = self._lives.get(micro_id)
        if life is None:
            yield
            return
        with life.holding():
            yield

    async def until_over(self) -> None:
        """Wait until all of them have finished, as this process ends."""
        await self._over.wait()

    # What goes on.

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            try:
                self._take(await loop.run_in_executor(self._thread, self._list_wanted))
                self._complaint = ""
            except Exception as error:
                self._complain(f"What Micros should run can't be read, those that run go on: {error}")
            try:
                async with asyncio.timeout(_TICK_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _take(self, all_wanted: Sequence[Wanted]) -> None:
        wanted = {each.micro_id: each for each in all_wanted}
        for micro_id in self._lives.keys() - wanted.keys():
            self._lives.pop(micro_id).remove()
        for micro_id, each in wanted.items():
            if micro_id in self._lives:
                self._lives[micro_id].change(each)
                continue
            try:
                self._lives[micro_id] = Life(each, self._around)
            except OSError as error:
                self._complain(f"The Micro {micro_id} can't be reached, as its socket could not be made: {error}")

    def _complain(self, sentence: str) -> None:
        """Once for each reason in a row."""
        if sentence != self._complaint:
            self._complaint = sentence
            logger.warning(sentence)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for life in self._lives.values():
                life.tick()
            states = [life.status().state for life in self._lives.values()]
            for state in State:
                _MICROS.set(state.value, to=states.count(state))

    async def _sweep_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            in_use = {used for life in self._lives.values() for used in life.in_use()}
            try:
                await loop.run_in_executor(self._thread, self._sweep, in_use)
            except Exception as error:
                logger.warning("Old copies of deployments could not be cleared away: %s", error)

    async def _finish(self) -> None:
        for life in self._lives.values():
            life.drain()
        until = self._around.now() + self._around.bounds.request_seconds
        while not all(life.is_quiet() for life in self._lives.values()) and self._around.now() < until:
            await asyncio.sleep(_POLL_SECONDS)
        for life in self._lives.values():
            life.remove()
        await self._log.flush()


def clear_sockets(places: Places) -> None:
    """Remove the sockets of Micros that an earlier supervisor left, and of which some may be no more."""
    for path in places.control.parent.iterdir():
        if path != places.api:
            path.unlink()
