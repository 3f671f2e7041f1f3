"""Systems that are asked the same: checks each answer of a sample, prepares the requests, and makes turns for the rounds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import wrk
from bench.load.workload import OPERATIONS, Ask, Workload
from bench.measures.rounds import Ran, Turn
from bench.meters import memory
from bench.systems.system import System, make_replay

WARM_UP_S = 1


@dataclass
class Contest:
    """Asks of one set of items. `folder` must exist; the requests are kept in it."""

    folder: Path
    workload: Workload
    say: Callable[[str], None]
    # The memory of each system at its peak during its own turns; those that have no line here are not watched.
    peaks: dict[str, memory.PeakMemory] = field(default_factory=dict)
    _requests_per_answer: dict[Path, float] = field(default_factory=dict)
    _asked: dict[Path, int] = field(default_factory=dict)
    _refused: dict[Path, int] = field(default_factory=dict)

    def prepare(self, operation: str, systems: Sequence[System], *, warm_up_s: int = WARM_UP_S) -> list[Ask]:
        """Checks the answers to a sample of the asks and writes all requests. Raises WrongAnswerError, LoadFailedError."""
        self.say(f"checking {OPERATIONS.get(operation, operation)}")
        asks = self.workload.asks(operation)
        for system in systems:
            replay = make_replay(system, asks, self.workload)
            path = self.path(system, operation)
            self._requests_per_answer[path] = replay.requests_per_answer
            wrk.write_requests(path, replay.requests)
            self.run(system, operation, warm_up_s, checked=True)
        return asks

    def turn(self, system: System, operation: str, duration_s: int, *, connections: int = wrk.CONNECTIONS) -> Turn:
        """A turn of this operation, under the system's name."""

        def run() -> Ran:
            peak = self.peaks.get(system.name)
            if peak is None:
                return self.run(system, operation, duration_s, connections=connections)
            with memory.Watch(peak):
                return self.run(system, operation, duration_s, connections=connections)

        return Turn(system.name, run, system.tree)

    def run(
        self,
        system: System,
        operation: str,
        duration_s: int,
        *,
        checked: bool = False,
        connections: int = wrk.CONNECTIONS,
    ) -> Ran:
        """Ask for a while. Raises LoadFailedError unless every answer was good."""
        path = self.path(system, operation)
        try:
            rate = wrk.run_round(
                origin=system.origin,
                headers=system.headers,
                requests_path=path,
                duration_s=duration_s,
                checked=checked and not system.may_refuse,
                connections=connections,
                may_refuse=system.may_refuse,
            )
        except wrk.LoadFailedError as error:
            raise wrk.LoadFailedError(f"{system.name}, {operation}: {error}") from None
        self._asked[path] = self._asked.get(path, 0) + rate.requests + rate.refused
        self._refused[path] = self._refused.get(path, 0) + rate.refused
        return Ran(rate.requests / self._requests_per_answer[path], rate.seconds)

    def requests_per_answer(self, system: System, operation: str) -> float:
        """How many requests one whole answer takes on average."""
        return self._requests_per_answer[self.path(system, operation)]

    def refused_share(self, system: System, operation: str) -> float:
        """The share of the requests so far that a system that may refuse some has refused."""
        path = self.path(system, operation)
        return self._refused[path] / self._asked[path]

    def path(self, system: System, operation: str) -> Path:
        """The file of a prepared operation's requests."""
        return self.folder / f"{system.name} {operation}"
