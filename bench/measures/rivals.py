"""Homeport and PocketBase side by side: loads both, checks both, then measures them in turns.

A round runs every operation on one system and at once on the other, and on pgbench, so that a machine that is slow
for a while is slow for all of them; only the ratio within a round counts.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import wrk
from bench.load.data import make_items
from bench.load.workload import Operation, Workload
from bench.meters import cpu, memory
from bench.report import Row
from bench.systems import statements
from bench.systems.homeport import BASE, Homeport
from bench.systems.pgbench import Limit
from bench.systems.pocketbase import PocketBase
from bench.systems.rows import build_index
from bench.systems.system import System, make_replay

# Statements are recorded for so many asks: each of pgbench's clients then has some of its own.
RECORDED_ASKS = 480
WARM_UP_S = 2


@dataclass
class Measured:
    """Whole answers per second of one operation and the processor time of each, one element a round."""

    requests_per_answer: dict[str, float] = field(default_factory=dict)
    per_s: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)


class Comparison:
    """One run over a set of items. `stop` must be called, whatever happened."""

    def __init__(self, folder: Path, *, item_count: int, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        self._workload = Workload(item_count)
        for name in ("homeport", "pocketbase", "requests"):
            (folder / name).mkdir()
        self.homeport = Homeport(folder / "homeport")
        self.pocketbase = PocketBase(folder / "pocketbase")
        self._systems: tuple[System, ...] = (self.homeport, self.pocketbase)
        self._limit: Limit | None = None
        self.peaks: dict[str, memory.PeakMemory] = {}

    def start(self) -> None:
        """Starts both systems with the same items."""
        for system in self._systems:
            self._say(f"starting {system.name} and loading {self._workload.item_count:,} items")
            system.start(make_items(self._workload.item_count))
            server = system.server
            assert server is not None
            self.peaks[system.name] = memory.PeakMemory(server.tree)
        statements.attach(self.homeport)
        self._settle()
        self._limit = Limit(self._folder / "requests", statements.connection_environment())

    def stop(self) -> None:
        """Ends both systems."""
        for system in self._systems:
            system.stop()

    def log_tails(self) -> str:
        """What the servers wrote last, for a run that failed."""
        servers = [(system.name, system.server) for system in self._systems if system.server is not None]
        return "\n".join(f"The end of {name}'s log:\n{server.log_tail()}" for name, server in servers)

    def measure(self, operations: Sequence[Operation], *, duration_s: int, rounds: int) -> list[Row]:
        """Checks every operation on both systems, warms them up, and measures. Medians over the rounds."""
        found = {operation.name: Measured() for operation in operations}
        for operation in operations:
            self._say(f"checking {operation.title}")
            self._prepare(operation, found[operation.name])
        for number in range(rounds):
            self._say(f"round {number + 1} of {rounds}")
            for operation in operations:
                self._run_round(operation, found[operation.name], duration_s, homeport_first=number % 2 == 0)
        return [_row(operation, found[operation.name]) for operation in operations]

    def _settle(self) -> None:
        # The state that autovacuum leaves behind soon after: statistics, and no entries waiting to be indexed.
        with statements.open_connection().cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("VACUUM (ANALYZE) storage_item")

    def _prepare(self, operation: Operation, measured: Measured) -> None:
        asks = self._workload.asks(operation.name)
        if operation.name == "range":
            # PocketBase has its index from the beginning; ours comes by itself when it is asked for.
            build_index(self.homeport, BASE, "score")
        for system in self._systems:
            replay = make_replay(system, asks, self._workload)
            measured.requests_per_answer[system.name] = replay.requests_per_answer
            wrk.write_requests(self._requests_path(system, operation), replay.requests)
            self._run_wrk(system, operation, WARM_UP_S, checked=True)
        assert self._limit is not None
        several = measured.requests_per_answer[self.homeport.name] > 1
        recorded = asks[: wrk.CONNECTIONS if several else RECORDED_ASKS]
        self._limit.prepare(operation.name, [statements.record_statements(self.homeport, ask) for ask in recorded])

    def _run_round(self, operation: Operation, measured: Measured, duration_s: int, *, homeport_first: bool) -> None:
        assert self._limit is not None
        for system in self._systems if homeport_first else reversed(self._systems):
            assert system.server is not None
            used_s = cpu.used_s(system.server.tree())
            with memory.Watch(self.peaks[system.name]):
                rate = self._run_wrk(system, operation, duration_s)
            used_s = cpu.used_s(system.server.tree()) - used_s
            answers_per_s = rate.requests_per_s / measured.requests_per_answer[system.name]
            measured.per_s.setdefault(system.name, []).append(answers_per_s)
            measured.cpu_ms.setdefault(system.name, []).append(used_s * 1000 / (answers_per_s * duration_s))
        measured.per_s.setdefault("pgbench", []).append(self._limit.run_round(operation.name, duration_s))

    def _run_wrk(self, system: System, operation: Operation, duration_s: int, *, checked: bool = False) -> wrk.Rate:
        path = self._requests_path(system, operation)
        try:
            return wrk.run_round(
                origin=system.origin, headers=system.headers, requests_path=path, duration_s=duration_s, checked=checked
            )
        except wrk.LoadFailedError as error:
            raise wrk.LoadFailedError(f"{system.name}, {operation.title}: {error}") from None

    def _requests_path(self, system: System, operation: Operation) -> Path:
        return self._folder / "requests" / f"{system.name}-{operation.name}"


def _row(operation: Operation, measured: Measured) -> Row:
    homeport, pocketbase, limit = (measured.per_s[name] for name in ("Homeport", "PocketBase", "pgbench"))
    return Row(
        title=operation.title,
        homeport_per_s=statistics.median(homeport),
        pocketbase_per_s=statistics.median(pocketbase),
        ratios=[ours / theirs for ours, theirs in zip(homeport, pocketbase, strict=True)],
        target=operation.target,
        limit_per_s=statistics.median(limit),
        requests_per_answer=measured.requests_per_answer["Homeport"],
        homeport_cpu_ms=statistics.median(measured.cpu_ms["Homeport"]),
        pocketbase_cpu_ms=statistics.median(measured.cpu_ms["PocketBase"]),
    )
