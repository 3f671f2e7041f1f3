"""What clients that are slow, silent or half gone cost the others: `python -m bench.studies.slow_clients`.

GETs and PUTs of items are measured alone and beside a crowd, in turns, so that a machine that others use as well is as fast for
both. The crowd is there before a turn begins and holds on until it has ended: a thousand connections that send nothing, a
thousand half requests of strangers (who are answered at once, and connect again), a thousand half requests of a good key, 60
downloads of 10 MB that nobody takes, a thousand streams of the changes of a quiet Base. The medians of the ratios and the worst
p99 count: at least `LEAST_RATIO`, and within two seconds.
"""

import argparse
import signal
import statistics
import sys
import tempfile
from pathlib import Path

import httpx

from bench.load import wrk
from bench.load.crowds import crowd, head
from bench.load.data import make_items
from bench.load.workload import Workload
from bench.systems.homeport import Homeport

OPERATIONS = ("get", "put")
LEAST_RATIO = 0.7
MOST_P99_MS = 2_000.0
MANY, FEW = 1_000, 60
ITEMS, ASKS = 5_000, 2_000
FILE_BYTES = 10_000_000


def main() -> int:
    """Prints the table. 0 when all targets are met, else 1; 2 without wrk."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.studies.slow_clients", description="What slow clients cost others."
    )
    parser.add_argument("--seconds", type=int, default=3, help="for each turn (default: 3)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each kind (default: 3)")
    options = parser.parse_args()
    if wrk.find_wrk() is None:
        print("wrk was not found; install Debian's package wrk (apt-get install wrk)", file=sys.stderr)
        return 2
    # Asked to end, we still stop our server and remove its files, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bench-slow-") as name:
        homeport = Homeport(Path(name))
        try:
            homeport.start(make_items(ITEMS))
            return _measure(homeport, Path(name), options)
        finally:
            homeport.stop()


def _measure(homeport: Homeport, folder: Path, options: argparse.Namespace) -> int:
    path = f"{homeport.origin}/v1/{homeport.collection_id}"
    httpx.post(f"{path}/files/files?name=large", content=bytes(FILE_BYTES), headers=homeport.headers, timeout=60)
    workload = Workload(ITEMS)
    paths = {name: folder / name for name in OPERATIONS}
    for name in OPERATIONS:
        wrk.write_requests(paths[name], [homeport.request(ask) for ask in workload.asks(name)[:ASKS]])
    good = True
    print(f"{'beside':<34} {'operation':<10} {'ratio':>6} {'p99 alone':>10} {'p99':>10}")
    for kind, (count, sent) in _crowds(homeport).items():
        for name in OPERATIONS:
            ratios, alone, beside = [], [], []
            for _ in range(options.rounds):
                calm = _round(homeport, paths[name], options.seconds)
                # All but those who stay for a long answer are sent away as soon as they were answered.
                is_brief = b"large" not in sent and b"/changes?" not in sent
                with crowd(homeport.origin, count, sent, is_brief=is_brief):
                    crowded = _round(homeport, paths[name], options.seconds)
                ratios.append(crowded.requests_per_s / calm.requests_per_s)
                alone.append(calm.p99_ms)
                beside.append(crowded.p99_ms)
            ratio = statistics.median(ratios)
            is_met = ratio >= LEAST_RATIO and max(beside) < MOST_P99_MS
            good &= is_met
            told = "" if is_met else "   not met"
            print(f"{kind:<34} {name:<10} {ratio:>6.2f} {max(alone):>7.1f} ms {max(beside):>7.1f} ms{told}")
    return 0 if good else 1


def _round(homeport: Homeport, path: Path, seconds: int) -> wrk.Rate:
    return wrk.run_round(origin=homeport.origin, headers=homeport.headers, requests_path=path, duration_s=seconds)


def _crowds(homeport: Homeport) -> dict[str, tuple[int, bytes]]:
    """How many clients of each kind, and what each of them sends."""
    path = f"/v1/{homeport.collection_id}"

    key, half = homeport.data_key, "Content-Length: 1000"
    return {
        f"{MANY} that send nothing": (MANY, b""),
        f"{MANY} strangers, half a request": (MANY, head("PUT", f"{path}/slow/items", f"abcdefghij_{'x' * 32}", half)),
        f"{MANY} with a key, half a request": (MANY, head("PUT", f"{path}/slow/items", key, half)),
        f"{MANY} that follow changes": (
            MANY,
            head("GET", f"{path}/slow/changes?since=now", key, "Accept: text/event-stream"),
        ),
        f"{FEW} downloads nobody takes": (FEW, head("GET", f"{path}/files/files/download?name=large", key)),
    }


if __name__ == "__main__":
    sys.exit(main())
