"""Listing files: 1,000 names of a Drive of 10,000 against 1,000 of one of 1,000,000, in one Homeport.

Rows go straight into the table here; everything measured goes through the API.
"""

import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.load.wrk import Request, run_round, write_requests
from bench.systems.homeport import Homeport
from bench.systems.statements import open_connection

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


@dataclass(frozen=True)
class ListingRow:
    """Rates in answers per second; `time_ratio` is how many times longer an answer takes in the large Drive."""

    title: str
    small_per_s: float
    large_per_s: float
    time_ratio: float
    target: float = TARGET


def measure_listing(
    homeport: Homeport, folder: Path, *, duration_s: int, rounds: int, say: Callable[[str], None]
) -> list[ListingRow]:
    """Fills both Drives of a running Homeport, which `statements.attach` is attached to, and measures, interleaved."""
    for drive, names in COUNTS.items():
        say(f"listing: {names:,} names")
        _fill(homeport, drive, names)
    rows = []
    for title, query in QUERIES.items():
        rates: dict[str, list[float]] = {drive: [] for drive in COUNTS}
        for drive, names in COUNTS.items():
            path = folder / f"{drive}-requests"
            write_requests(path, [Request("GET", each) for each in _paths(homeport, drive, names, query)])
        for _ in range(rounds):
            for drive in COUNTS:
                rate = run_round(
                    origin=homeport.origin,
                    headers=homeport.headers,
                    requests_path=folder / f"{drive}-requests",
                    duration_s=duration_s,
                )
                rates[drive].append(rate.requests_per_s)
        small, large = rates["list-small"], rates["list-large"]
        ratio = statistics.median(a / b for a, b in zip(small, large, strict=True))
        rows.append(ListingRow(title, statistics.median(small), statistics.median(large), ratio))
    return rows


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
