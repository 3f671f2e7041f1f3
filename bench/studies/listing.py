"""Listing files: `python -m bench.studies.listing`. 1,000 names of a Drive of 10,000 against 1,000 of one of 1,000,000, in one
Homeport, from random places on.

Rows go straight into the table here; everything measured goes through the API.
"""

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

import httpx

from bench.load.wrk import Request, find_wrk, run_round, write_requests
from bench.measures.rounds import Ran, Rounds, Turn, measure_round
from bench.systems.homeport import Homeport
from bench.systems.statements import attach, open_connection
from bench.tables import Table, as_text, rate_text

COUNTS = {"list-small": 10_000, "list-large": 1_000_000}
TARGET = 1.5
ASKS = 500
FILES_PER_FOLDER = 500
# Each is asked from a random place on, behind which a whole answer follows in either Drive.
QUERIES = {
    "1,000 names": "limit=1000",
    "1,000 names of a prefix": "limit=1000&prefix=n/00000",
    "10 folders of 500 files": "limit=10&recursive=false&prefix=n/",
}
LONGEST_ANSWER_FILES = 10 * FILES_PER_FOLDER


def main() -> int:
    """Prints the table. 0 when the target is met, else 1; 2 without wrk."""
    parser = argparse.ArgumentParser(prog="python -m bench.studies.listing", description="What long listings cost.")
    parser.add_argument("--seconds", type=int, default=2, help="for each turn (default: 2)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each kind (default: 5)")
    options = parser.parse_args()
    if find_wrk() is None:
        print("wrk was not found; install Debian's package wrk (apt-get install wrk)", file=sys.stderr)
        return 2
    # Asked to end, we still stop our server and remove its files, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bench-listing-") as name:
        homeport = Homeport(Path(name))
        try:
            homeport.start([])
            attach(homeport)
            return _measure(homeport, Path(name), duration_s=options.seconds, rounds=options.rounds)
        finally:
            homeport.stop()


def _measure(homeport: Homeport, folder: Path, *, duration_s: int, rounds: int) -> int:
    """Fills both Drives and measures, interleaved."""
    for drive, names in COUNTS.items():
        _fill(homeport, drive, names)
    lines, is_good = [], True
    for title, query in QUERIES.items():
        turns = []
        for drive, names in COUNTS.items():
            path = folder / f"{drive}-requests"
            write_requests(path, [Request("GET", each) for each in _paths(homeport, drive, names, query)])
            turns.append(_turn(homeport, drive, path, duration_s))
        found = Rounds()
        for number in range(rounds):
            measure_round(turns, found, number=number)
        small, large = COUNTS
        times = found.ratio(small, large)
        is_good &= times <= TARGET
        told = "" if times <= TARGET else "not met"
        rates = (text for drive in COUNTS for text in (rate_text(found.rate(drive)), f"{found.cpu(drive):.2f}"))
        lines.append((title, *rates, f"{times:.2f}", f"<= {TARGET}", told))
    head = ("listings per second, by files in the Drive", "10,000", "ms", "1,000,000", "ms", "times", "target", "")
    print(as_text(Table("Listings", head, lines)))
    return 0 if is_good else 1


def _turn(homeport: Homeport, drive: str, path: Path, duration_s: int) -> Turn:
    def run() -> Ran:
        rate = run_round(origin=homeport.origin, headers=homeport.headers, requests_path=path, duration_s=duration_s)
        return Ran(rate.requests, rate.seconds)

    return Turn(drive, run, homeport.tree)


def _name(number: int) -> str:
    """Folders of 500 files, so that a listing of folders has something to pass over."""
    return f"n/{number // FILES_PER_FOLDER:07}/file-{number:07}.txt"


def _paths(homeport: Homeport, drive: str, names: int, query: str) -> list[str]:
    chance = random.Random(drive)
    # The prefix is that of the first 100 folders, which are 50,000 files.
    last_start = min(names, 50_000 if "prefix=n/0" in query else names) - LONGEST_ANSWER_FILES
    path = f"/v1/{homeport.collection_id}/{drive}/files?{query}"
    return [f"{path}&last={_name(chance.randrange(last_start))}" for _ in range(ASKS)]


def _fill(homeport: Homeport, drive: str, names: int) -> None:
    """The Drive comes to exist by a file that the API puts."""
    from storage.models import Drive

    url = f"{homeport.origin}/v1/{homeport.collection_id}/{drive}/files?name={_name(0)}"
    httpx.post(url, headers=homeport.headers, content=b"x").raise_for_status()
    drive_id = Drive.objects.get(collection_id=homeport.collection_id, name=drive).pk
    with open_connection().cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("CREATE TEMP TABLE loading (name text)")
        with cursor.copy("COPY loading (name) FROM STDIN") as copy:
            for number in range(1, names):
                copy.write_row((_name(number),))
        cursor.execute(
            """
            INSERT INTO storage_file (drive_id, name, size_bytes, content_type, etag, blob_ids, blob_sizes, created_at,
                changed_at)
            SELECT %s, name, 0, 'text/plain', '', ARRAY[gen_random_uuid()], ARRAY[0], now(), now() FROM loading
            """,
            [drive_id],
        )
        cursor.execute("DROP TABLE loading")
        cursor.execute("VACUUM (ANALYZE) storage_file")


if __name__ == "__main__":
    sys.exit(main())
