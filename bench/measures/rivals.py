"""Homeport beside PocketBase and beside pgbench, which runs Homeport's own statements with no web server before them.

A round runs every operation on one system and at once on the other, and on pgbench, so that a machine that is slow for a
while is slow for all of them; only the ratio within a round counts. Writes are asked once more of a Base whose history is
switched off, and inserts of a server that syncs nothing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.load import wrk
from bench.load.data import make_items
from bench.load.workload import OPERATIONS, Workload
from bench.measures.contest import Contest
from bench.measures.rounds import Ran, Rounds, Turn, measure_round
from bench.meters import memory
from bench.systems import rows, statements
from bench.systems.homeport import BASE, MESSAGES, Homeport, Unsynced
from bench.systems.pgbench import Limit
from bench.systems.pocketbase import PocketBase
from bench.tables import Table, rate_text
from bench.verdicts import Figure

# Statements are recorded for so many asks: each of pgbench's clients then has some of its own.
RECORDED_ASKS = 480
# TrailBase's benchmark, after which the row of inserts is made, has so many on their way.
INSERT_CONNECTIONS = 64
WRITES = ("put", "put25")
INSERT, INSERT_TITLE = "insert", "insert with a new key, 64 connections"
OURS, THEIRS, PGBENCH, PLAIN, UNSYNCED = "Homeport", "PocketBase", "pgbench", "without history", Unsynced.name
MB = 1_000_000


class Rivals:
    """Both systems with the same items. `stop` must be called, whatever happened."""

    def __init__(self, folder: Path, *, item_count: int, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say
        for name in ("homeport", "pocketbase", "unsynced", "requests"):
            (folder / name).mkdir()
        self.homeport = Homeport(folder / "homeport", has_micros=False)
        self.pocketbase = PocketBase(folder / "pocketbase")
        self.unsynced = Unsynced(folder / "unsynced")
        self._contest = Contest(folder / "requests", Workload(item_count), say)
        self._limit: Limit | None = None
        self._found: dict[str, Rounds] = {}

    def start(self) -> None:
        """Starts both systems with the same items, and the one that syncs nothing without any."""
        count = self._contest.workload.item_count
        self._say(f"starting Homeport and PocketBase, and loading {count:,} items")
        for system in (self.homeport, self.pocketbase):
            system.start(make_items(count))
            self._contest.peaks[system.name] = memory.PeakMemory(system.tree)
        self.unsynced.start([])
        statements.attach(self.homeport)
        rows.settle("storage_item")
        self._limit = Limit(self._folder / "requests", statements.connection_environment())

    def stop(self) -> None:
        """Ends them."""
        for system in (self.homeport, self.pocketbase, self.unsynced):
            system.stop()

    def log_tails(self) -> str:
        """What the servers wrote last, for a run that failed."""
        systems = (self.homeport, self.pocketbase, self.unsynced)
        return "\n".join(
            f"The end of {system.name}'s log:\n{system.server.log_tail()}" for system in systems if system.server
        )

    def measure(
        self, operations: Sequence[str], *, duration_s: int, rounds: int
    ) -> tuple[list[Table], dict[str, Figure]]:
        """Checks every operation on both systems, warms them up, and measures."""
        for operation in operations:
            self._prepare(operation)
        self._contest.prepare(INSERT, (self.homeport, self.pocketbase, self.unsynced))
        self._found = {operation: Rounds() for operation in (*operations, INSERT)}
        for number in range(rounds):
            self._say(f"round {number + 1} of {rounds}")
            for operation in operations:
                measure_round(self._turns(operation, duration_s), self._found[operation], number=number)
            measure_round(self._insert_turns(duration_s), self._found[INSERT], number=number)
        return self._tables(), self._figures()

    def _prepare(self, operation: str) -> None:
        if operation == "range":
            # PocketBase has its index from the beginning; ours comes by itself when it is asked for.
            rows.build_index(self.homeport, BASE, "score")
        asks = self._contest.prepare(operation, (self.homeport, self.pocketbase))
        assert self._limit is not None
        several = self._contest.requests_per_answer(self.homeport, operation) > 1
        recorded = asks[: wrk.CONNECTIONS if several else RECORDED_ASKS]
        self._limit.prepare(operation, [statements.record_statements(self.homeport, ask) for ask in recorded])

    def _turns(self, operation: str, duration_s: int) -> list[Turn]:
        limit = self._limit
        assert limit is not None
        turns = [self._contest.turn(system, operation, duration_s) for system in (self.homeport, self.pocketbase)]
        if operation in WRITES:
            turns.append(_without_history(self.homeport, BASE, turns[0]))

        def run() -> Ran:
            return Ran(limit.run_round(operation, duration_s), duration_s)

        return [*turns, Turn(PGBENCH, run, self.homeport.tree)]

    def _insert_turns(self, duration_s: int) -> list[Turn]:
        ours, theirs, unsynced = (
            self._contest.turn(system, INSERT, duration_s, connections=INSERT_CONNECTIONS)
            for system in (self.homeport, self.pocketbase, self.unsynced)
        )
        return [ours, theirs, _without_history(self.homeport, MESSAGES, ours), unsynced]

    def _figures(self) -> dict[str, Figure]:
        figures = {}
        for operation, found in self._found.items():
            cpu_ms = found.cpu(OURS)
            figures[f"{operation} of PocketBase"] = Figure(found.ratio(OURS, THEIRS), cpu_ms)
            if PGBENCH in found.per_s:
                figures[f"{operation} of pgbench"] = Figure(found.ratio(OURS, PGBENCH), cpu_ms)
        pss = self._contest.peaks[OURS].pss_bytes
        if pss is not None:
            figures["memory"] = Figure(pss / MB)
        return figures

    def _tables(self) -> list[Table]:
        return [self._rates_table(), self._cpu_table(), self._history_table(), self._memory_table()]

    def _rates_table(self) -> Table:
        head = ("answers per second", OURS, THEIRS, "ratio", "lowest-highest", PGBENCH, "share")
        lines = []
        for operation, found in self._found.items():
            ratios = found.ratios(OURS, THEIRS)
            limit = ("", "")
            if PGBENCH in found.per_s:
                limit = rate_text(found.rate(PGBENCH)), f"{found.ratio(OURS, PGBENCH):.2f}"
            lines.append(
                (
                    OPERATIONS.get(operation, INSERT_TITLE),
                    rate_text(found.rate(OURS)),
                    rate_text(found.rate(THEIRS)),
                    f"{found.ratio(OURS, THEIRS):.2f}",
                    f"{min(ratios):.2f}-{max(ratios):.2f}",
                    *limit,
                )
            )
        notes = [
            f"{OPERATIONS[operation]}: Homeport takes {several:.1f} requests for a whole answer."
            for operation in self._found
            if operation != INSERT and (several := self._contest.requests_per_answer(self.homeport, operation)) > 1
        ]
        return Table("Homeport, PocketBase and pgbench", head, lines, notes)

    def _cpu_table(self) -> Table:
        lines = []
        for operation, found in self._found.items():
            limit = f"{found.cpu(PGBENCH):.2f}" if PGBENCH in found.per_s else ""
            title = OPERATIONS.get(operation, INSERT_TITLE)
            lines.append((title, f"{found.cpu(OURS):.2f}", f"{found.cpu(THEIRS):.2f}", limit))
        return Table("What an answer takes", ("processor ms per answer", OURS, THEIRS, PGBENCH), lines)

    def _history_table(self) -> Table:
        head = ("writes per second", "as it ships", "ms", PLAIN, "ms", "ratio", "nothing synced", "ms")
        lines = []
        for operation, found in self._found.items():
            if PLAIN in found.per_s:
                unsynced = _rate_and_cpu(found, UNSYNCED) if UNSYNCED in found.per_s else ("", "")
                ratio = f"{found.ratio(OURS, PLAIN):.2f}"
                title = OPERATIONS.get(operation, INSERT_TITLE)
                lines.append((title, *_rate_and_cpu(found, OURS), *_rate_and_cpu(found, PLAIN), ratio, *unsynced))
        return Table("What history and syncing cost", head, lines)

    def _memory_table(self) -> Table:
        lines = []
        for name, peak in self._contest.peaks.items():
            pss = "-" if peak.pss_bytes is None else f"{peak.pss_bytes / MB:,.0f}"
            lines.append((name, pss, f"{peak.rss_bytes / MB:,.0f}"))
        return Table("Memory at its peak, MB", ("system", "sum of PSS", "sum of RSS"), lines)


def _without_history(homeport: Homeport, base: str, turn: Turn) -> Turn:
    """The same turn while the Base's history is switched off, as its settings do."""

    def run() -> Ran:
        rows.keep_history(homeport, base, is_kept=False)
        try:
            return turn.run()
        finally:
            rows.keep_history(homeport, base, is_kept=True)

    return Turn(PLAIN, run, turn.tree)


def _rate_and_cpu(found: Rounds, name: str) -> tuple[str, str]:
    return rate_text(found.rate(name)), f"{found.cpu(name):.2f}"
