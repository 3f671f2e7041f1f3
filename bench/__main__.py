"""The command: `python -m bench`. It parses the options, runs the parts in turn and prints the tables."""

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench import report
from bench.load import wrk
from bench.load.workload import OPERATIONS
from bench.measures.files import measure_files
from bench.measures.growth import measure_growth
from bench.measures.rivals import Comparison
from bench.studies.listing import measure_listing
from bench.studies.micros import measure_micros
from bench.systems import pgbench, pocketbase

# What files replace is kept for an hour, so a longer round would only fill the disk.
FILES_SECONDS_MAX = 2


def main() -> int:
    """Runs the benchmark. 0 when it ran, targets met or not; 2 when a program it needs is missing."""
    options = _parse_options()
    try:
        if wrk.find_wrk() is None:
            raise FileNotFoundError("wrk was not found; install Debian's package wrk (apt-get install wrk)")
        pocketbase.find_binary()
        pgbench.find_binary()
    except FileNotFoundError as missing:
        print(missing, file=sys.stderr)
        return 2
    # Both systems' files lie beside each other; TMPDIR chooses the disk.
    # Asked to end, we still stop our servers and remove their files, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        # Homeport's engines may run as another user, who passes through to the part that is theirs.
        folder.chmod(0o711)
        _run(folder, options)
    return 0


def _run(folder: Path, options: argparse.Namespace) -> None:
    comparison = Comparison(folder, item_count=options.items, say=_say)
    try:
        comparison.start()
        operations = [operation for operation in OPERATIONS if operation.name in options.only]
        rows = comparison.measure(operations, duration_s=options.seconds, rounds=options.rounds)
        print(f"\n{options.items:,} items, {options.rounds} rounds of {options.seconds} s, medians\n")
        tables = (report.rates_table(rows), report.cpu_table(rows), report.memory_table(comparison.peaks))
        print(*tables, sep="\n\n", flush=True)
        if not options.skip_files:
            seconds = min(options.seconds, FILES_SECONDS_MAX)
            file_rows = measure_files(
                comparison.homeport, comparison.pocketbase, duration_s=seconds, rounds=options.rounds, say=_say
            )
            print("", report.files_table(file_rows), sep="\n", flush=True)
            listings = measure_listing(comparison.homeport, folder, duration_s=seconds, rounds=options.rounds, say=_say)
            print("", report.listing_table(listings), sep="\n", flush=True)
        if not options.skip_growth:
            comparison.pocketbase.stop()
            growth = measure_growth(
                comparison.homeport, folder, duration_s=options.seconds, rounds=options.rounds, say=_say
            )
            print("", report.growth_table(growth), sep="\n", flush=True)
        if not options.skip_micros:
            comparison.pocketbase.stop()
            _say("Micros")
            print(flush=True)
            measure_micros(comparison.homeport, duration_s=options.seconds, rounds=options.rounds)
    except Exception:
        print(comparison.log_tails(), file=sys.stderr)
        raise
    finally:
        comparison.stop()


def _parse_options() -> argparse.Namespace:
    names = [operation.name for operation in OPERATIONS]
    parser = argparse.ArgumentParser(prog="python -m bench", description="Homeport and PocketBase, side by side.")
    parser.add_argument("--seconds", type=int, default=5, help="length of a round of one operation (default: 5)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which medians are taken (default: 5)")
    parser.add_argument("--items", type=int, default=100_000, help="items to load, in thousands (default: 100000)")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="OPERATION", help=", ".join(names))
    parser.add_argument("--skip-growth", action="store_true", help="leave out the Base of a million items")
    parser.add_argument("--skip-files", action="store_true", help="leave out files; they take up to 10 GB on the disk")
    parser.add_argument(
        "--skip-micros", action="store_true", help="leave out Micros; installing them takes the network"
    )
    options = parser.parse_args()
    if options.items < 1000 or options.items % 1000 or options.seconds < 1 or options.rounds < 1:
        parser.error("--items takes whole thousands, --seconds and --rounds take numbers from 1 on")
    return options


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
