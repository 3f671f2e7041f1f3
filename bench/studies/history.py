"""What keeping the history of items costs: `python -m bench.studies.history`.

One server is asked in short rounds, in turns with and without what notes each change: the triggers are disabled in the bench's
own database. A machine that others use as well is faster at one second than at the next, so the geometric mean of the ratios of
every two rounds is given with its standard error. The processor time of all the server's processes for a request hardly depends
on what else the machine does: its ratio counts. Last, how much a version takes on the disk, with its indexes.
"""

import argparse
import signal
import statistics
import sys
import tempfile
from pathlib import Path

import psutil

from bench.load import wrk
from bench.load.data import make_items
from bench.load.workload import Workload
from bench.meters import cpu
from bench.systems.homeport import Homeport
from bench.systems.statements import attach, open_connection

OPERATIONS = ("get", "put", "put25")
LEAST_RATIO = 0.85
TRIGGERS = ("note_new_items", "note_changed_items", "note_deleted_items")
ASKS = 2_000
SIZES = """
    SELECT sum(pg_total_relation_size(i.inhrelid)), (SELECT count(*) FROM storage_itemversion),
           (SELECT avg(size_bytes) FROM storage_itemversion WHERE before IS NOT NULL)
    FROM pg_inherits i WHERE i.inhparent = 'storage_itemversion'::regclass
"""


def main() -> int:
    """Prints the table. 0 when the target is met, else 1; 2 without wrk."""
    parser = argparse.ArgumentParser(prog="python -m bench.studies.history", description="What keeping history costs.")
    parser.add_argument("--rounds", type=int, default=20, help="of each operation, with and without (default: 20)")
    parser.add_argument("--seconds", type=int, default=2, help="length of a round (default: 2)")
    parser.add_argument("--items", type=int, default=20_000, help="items in the Base, in thousands (default: 20000)")
    parser.add_argument("--only", nargs="+", choices=OPERATIONS, default=OPERATIONS, help="of these operations")
    options = parser.parse_args()
    if wrk.find_wrk() is None:
        print("wrk was not found; install Debian's package wrk (apt-get install wrk)", file=sys.stderr)
        return 2
    # Asked to end, we still stop our server and remove its files, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bench-history-") as name:
        homeport = Homeport(Path(name))
        try:
            homeport.start(make_items(options.items))
            attach(homeport)
            return _measure(homeport, Path(name), options)
        finally:
            homeport.stop()


def _measure(homeport: Homeport, folder: Path, options: argparse.Namespace) -> int:
    workload, found = Workload(options.items), {}
    for name in OPERATIONS:
        wrk.write_requests(folder / name, [homeport.request(ask) for ask in workload.asks(name)[:ASKS]])
    for name in options.only:
        asked = {"origin": homeport.origin, "headers": homeport.headers, "requests_path": folder / name}
        wrk.run_round(**asked, duration_s=options.seconds)
        rates, times = [], []
        for number in range(options.rounds):
            # Each comes first as often as last.
            order = (False, True) if number % 2 else (True, False)
            rate, used_s = {}, {}
            for is_kept in order:
                _switch(is_kept)
                before_s = cpu.used_s(_processes(homeport))
                rate[is_kept] = wrk.run_round(**asked, duration_s=options.seconds).requests_per_s
                used_s[is_kept] = (cpu.used_s(_processes(homeport)) - before_s) / rate[is_kept] / options.seconds
            rates.append((rate[False], rate[True]))
            times.append((used_s[False], used_s[True]))
        found[name] = rates, times
    print(f"\n{options.items:,} items, {options.rounds} rounds of {options.seconds} s with and without, means\n")
    print(
        f"{'operation':<12} {'without':>12} {'with':>12} {'ratio':>7} {'+-':>6} {'us without':>11} {'us with':>9} {'ratio':>7}"
    )
    is_good = True
    for name, (rates, times) in found.items():
        ratios = [kept / plain for plain, kept in rates]
        ratio, error = statistics.geometric_mean(ratios), statistics.stdev(ratios) / len(ratios) ** 0.5
        plain, kept = (statistics.mean(column) for column in zip(*rates, strict=True))
        used = [statistics.median(column) * 1e6 for column in zip(*times, strict=True)]
        is_good &= used[0] / used[1] >= LEAST_RATIO
        print(
            f"{name:<12} {plain:>10.0f}/s {kept:>10.0f}/s {ratio:>7.3f} {error:>6.3f}"
            f" {used[0]:>11.0f} {used[1]:>9.0f} {used[0] / used[1]:>7.3f}"
        )
    size, versions, item = open_connection().execute(SIZES).fetchone() or (0, 1, 0)
    print(f"\n{versions:,} versions of items of {item:.0f} bytes take {size / versions:.0f} bytes each.")
    print(f"least ratio of processor time {LEAST_RATIO}: {'met' if is_good else 'not met'}")
    return 0 if is_good else 1


def _processes(homeport: Homeport) -> list[psutil.Process]:
    assert homeport.server is not None
    return homeport.server.tree()


def _switch(is_kept: bool) -> None:
    for trigger in TRIGGERS:
        open_connection().execute(
            f"ALTER TABLE storage_item {'ENABLE' if is_kept else 'DISABLE'} TRIGGER {trigger}".encode()
        )


if __name__ == "__main__":
    sys.exit(main())
