"""The command: `python -m bench`. It parses the options, runs the parts in turn and prints tables and goals."""

import argparse
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from bench import machine
from bench.goals import GOALS
from bench.load import wrk
from bench.load.workload import OPERATIONS, Workload
from bench.measures import growth
from bench.measures.durability import FILE, PUT, Writes, measure_durability
from bench.measures.files import DIRECT, StraightToS3, ThroughHomeport, ThroughPocketBase, measure_files
from bench.measures.recording import measure_recording
from bench.measures.relative import measure_kinto
from bench.measures.rivals import Rivals
from bench.measures.slow_clients import measure_slow_clients
from bench.systems import kinto, pgbench, pocketbase
from bench.systems.kinto import Kinto
from bench.tables import Table, as_markdown, as_text, write_markdown
from bench.verdicts import Figure, goals_table

PARTS = ("rivals", "kinto", "recording", "slow-clients", "files", "durability", "growth")
# Of each of two collections whose requests are recorded or not.
RECORDED_ITEMS = 10_000
# Beside which figures it stands how often Homeport and the other one sync for a write.
SYNCED = {
    "put of PocketBase": (PUT, "PocketBase", PUT),
    "insert of PocketBase": (PUT, "PocketBase", PUT),
    "put of Kinto": (PUT, "Kinto", PUT),
    "put 1 KB": (FILE, DIRECT, FILE),
}


def main() -> int:
    """Runs the benchmark. 0 when it ran, goals reached or not; 1 when a part of it failed, 2 when a program is missing."""
    options = _parse_options()
    try:
        if wrk.find_wrk() is None:
            raise FileNotFoundError("wrk was not found; install Debian's package wrk (apt-get install wrk)")
        pocketbase.find_binary()
        pgbench.find_binary()
        if "kinto" in options.parts:
            kinto.install(_say)
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 2
    # Asked to end, we still stop our servers and remove their files, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    busy_before, started = machine.busy_share(), time.monotonic()
    # All systems' files lie beside each other; TMPDIR chooses the disk.
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        # Engines may run as another user, who passes through to the part that is theirs.
        folder.chmod(0o711)
        run = Run(folder, options)
        run.measure()
    how = f"{options.items:,} items, {options.rounds} rounds of {options.seconds} s, medians"
    minutes = (time.monotonic() - started) / 60
    about = machine.describe(busy_before=busy_before, busy_after=machine.busy_share(), how=how, minutes=minutes)
    goals = goals_table(GOALS, run.figures)
    for table in (*run.tables, about, goals):
        print(f"\n{as_text(table)}")
    if run.failed:
        print(f"\nNot measured, see above: {', '.join(run.failed)}", file=sys.stderr)
        return 1
    if options.markdown:
        write_markdown(options.markdown, "\n\n".join(map(as_markdown, (goals, about, *run.tables))))
    return 0


class Run:
    """One run of the parts that were asked for."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder, self._options = folder, options
        self._rivals = Rivals(folder, item_count=options.items, say=_say)
        (folder / "kinto").mkdir()
        self._kinto = Kinto(folder / "kinto")
        self.tables: list[Table] = []
        self.figures: dict[str, Figure] = {}
        self.failed: list[str] = []

    def measure(self) -> None:
        """Starts the systems, measures part after part, stops what no further part needs. Raises what kept them from starting.

        A part that fails says why, is kept in `failed`, and takes none of the others' figures along.
        """
        try:
            self._rivals.start()
            for part in self._options.parts:
                began = time.monotonic()
                try:
                    self._measures()[part]()
                except Exception:
                    traceback.print_exc()
                    print(self._rivals.log_tails(), file=sys.stderr)
                    self.failed.append(part)
                _say(f"{part} took {time.monotonic() - began:.0f} s")
        except Exception:
            print(self._rivals.log_tails(), file=sys.stderr)
            raise
        finally:
            self._kinto.stop()
            self._rivals.stop()

    def _measures(self) -> dict[str, Callable[[], None]]:
        measures = (
            self._rates,
            self._beside_kinto,
            self._recording,
            self._slow_clients,
            self._files,
            self._durability,
            self._growth,
        )
        return dict(zip(PARTS, measures, strict=True))

    def _keep(self, measured: tuple[list[Table], dict[str, Figure]]) -> None:
        tables, figures = measured
        self.tables += tables
        self.figures |= figures

    def _rates(self) -> None:
        options = self._options
        self._keep(self._rivals.measure(options.only, duration_s=options.seconds, rounds=options.rounds))

    def _beside_kinto(self) -> None:
        options = self._options
        self._keep(
            measure_kinto(
                self._rivals.homeport,
                self._kinto,
                self._folder,
                duration_s=options.seconds,
                rounds=options.rounds,
                say=_say,
            )
        )

    def _recording(self) -> None:
        self._keep(
            measure_recording(
                self._rivals.homeport,
                self._folder,
                items=RECORDED_ITEMS,
                duration_s=self._options.recording_seconds,
                say=_say,
            )
        )

    def _slow_clients(self) -> None:
        options = self._options
        self._keep(
            measure_slow_clients(
                self._rivals.homeport,
                self._folder,
                items=options.items,
                duration_s=options.seconds,
                rounds=options.rounds,
                say=_say,
            )
        )

    @cached_property
    def _stores(self) -> tuple[ThroughHomeport, StraightToS3, ThroughPocketBase, ThroughHomeport]:
        rivals = self._rivals
        return (
            ThroughHomeport(rivals.homeport),
            StraightToS3(rivals.homeport),
            ThroughPocketBase(rivals.pocketbase),
            ThroughHomeport(rivals.unsynced, name="nothing synced"),
        )

    def _files(self) -> None:
        options = self._options
        ours, direct, theirs, unsynced = self._stores
        stores = (ours, direct, theirs)
        self._keep(measure_files(stores, unsynced, duration_s=options.seconds, rounds=options.rounds, say=_say))

    def _durability(self) -> None:
        rivals = self._rivals
        ours, direct, theirs, unsynced = self._stores
        counted = [
            Writes(rivals.homeport, "Homeport", store=ours),
            Writes(rivals.homeport, DIRECT, put=False, store=direct),
            Writes(rivals.pocketbase, "PocketBase", store=theirs),
            *([Writes(self._kinto, "Kinto")] if self._kinto.server else []),
            Writes(rivals.unsynced, rivals.unsynced.name, put=False, store=unsynced),
        ]
        table, syncs = measure_durability(counted, Workload(growth.SMALL_ITEMS), self._folder, say=_say)
        self.tables.append(table)
        for name, (ours_kind, rival, rivals_kind) in SYNCED.items():
            pair = ("Homeport", ours_kind), (rival, rivals_kind)
            if name in self.figures and all(each in syncs for each in pair):
                self.figures[name] = replace(self.figures[name], syncs=(syncs[pair[0]], syncs[pair[1]]))

    def _growth(self) -> None:
        options = self._options
        # What is not asked any more leaves the machine.
        self._rivals.pocketbase.stop()
        self._rivals.unsynced.stop()
        self._kinto.stop()
        self._keep(
            growth.measure_growth(
                self._rivals.homeport, self._folder, duration_s=options.seconds, rounds=options.rounds, say=_say
            )
        )


def _parse_options() -> argparse.Namespace:
    names = list(OPERATIONS)
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Homeport beside PocketBase, Kinto and pgbench, held against its goals."
    )
    parser.add_argument("--seconds", type=int, default=2, help="length of a round of one operation (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds, of which medians are taken (default: 3)")
    parser.add_argument("--items", type=int, default=100_000, help="items to load, in thousands (default: 100000)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="OPERATION", help=", ".join(names))
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=", ".join(PARTS))
    parser.add_argument(
        "--recording-seconds", type=int, default=24, help="for each operation with and without recording (default: 24)"
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="put the figures into this page as well")
    options = parser.parse_args()
    if options.items < 10_000 or options.items % 1000 or options.seconds < 1 or options.rounds < 1:
        parser.error("--items takes whole thousands from 10000 on, --seconds and --rounds take numbers from 1 on")
    if options.recording_seconds < 20:
        parser.error("what turns scatter by takes --recording-seconds from 20 on to be seen")
    options.parts = [part for part in PARTS if part in options.parts]
    if options.markdown:
        # Django's side of this process works in the project's folder.
        options.markdown = options.markdown.absolute()
    return options


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
