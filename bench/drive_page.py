"""The page of a Drive: `python -m bench.drive_page`. A folder of many files against one of few, and an upload by the page
against the same by the public API.

The folders are rows put straight into the table; every page is asked for as a browser would, the two in turns, and the
ratio is that of the medians. The upload is one large file from the disk: by the public API in parts, several at once,
and by the page in a real Chromium, again in turns.

People's browsers run on their own machines. So the server has one half of the processors and whoever uploads, Chromium or the
client of the API, the other (on Linux). `--shared` gives all of them to all: then what is compared is mostly what Chromium
takes for itself: a quarter to a half of what the upload costs the server.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from playwright.sync_api import Page, sync_playwright

from bench.chromium import open_page
from bench.pages import Visitor
from bench.systems.homeport import Homeport
from bench.systems.statements import attach, open_connection
from console.cpu_affinity import find_processors, keep_to

MOST_TIMES_LONGER = 1.5
LEAST_OF_THE_API = 0.8
FEW = 100
SMALL, LARGE, UPLOADED = "small", "large", "uploaded"
# What a person does first in a folder. By size a folder of more than 10,000 files is shown by name, and says so.
LOOKS = {
    "open the folder": "?folder=in/",
    "the same, the rows alone": "rows/?folder=in/",
    "backwards": "?folder=in/&sort=-name",
    "its last files": "?folder=in/&last=file%3Ain%2F{last}",
    "by size": "?folder=in/&sort=-size",
    "the folder above": "",
}
PARTS_AT_ONCE = 3
MB = 1_048_576


def main() -> int:
    """Prints the ratios. 0 when they are as they should be, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.drive_page", description="The page of a Drive, and uploads.")
    parser.add_argument("--files", type=int, default=100_000, help="in the large folder")
    parser.add_argument("--times", type=int, default=60, help="requests of each page, of which the median is taken")
    parser.add_argument("--upload-mb", type=int, default=1024, help="the size of the uploaded file; 0 leaves it out")
    parser.add_argument("--rounds", type=int, default=3, help="uploads each way")
    parser.add_argument("--shared", action="store_true", help="no processors of their own for server and client")
    options = parser.parse_args()
    processors = [] if options.shared else find_processors()
    half = len(processors) // 2
    with tempfile.TemporaryDirectory(prefix="bench-drive-") as name:
        folder = Path(name)
        homeport = Homeport(folder)
        if half:
            keep_to(processors[half:])
        homeport.start([])
        if half:
            keep_to(processors[:half])
        try:
            attach(homeport)
            visitor = Visitor(homeport)
            visitor.sign_up()
            good = _compare_folders(homeport, visitor, options)
            if options.upload_mb:
                print("\nServer and client have processors of their own." if half else "\nAll share all processors.")
                good &= _compare_uploads(homeport, visitor, folder, options)
            return 0 if good else 1
        finally:
            homeport.stop()


def _compare_folders(homeport: Homeport, visitor: Visitor, options: argparse.Namespace) -> bool:
    for drive, files in ((SMALL, FEW), (LARGE, options.files)):
        visitor.fill(f"/collections/{homeport.collection_id}/new-drive/", name=drive)
        _fill(homeport, drive, files)
    print(f"\nA folder of {options.files:,} files against one of {FEW:,}; medians of {options.times}\n")
    good = True
    for title, look in LOOKS.items():
        durations: dict[str, list[float]] = {SMALL: [], LARGE: []}
        for turn in range(options.times):
            for drive in (SMALL, LARGE) if turn % 2 else (LARGE, SMALL):
                behind = f"{(FEW if drive == SMALL else options.files) - 60:07}"
                path = f"/collections/{homeport.collection_id}/drive/{drive}/{look.format(last=behind)}"
                durations[drive].append(visitor.time_ms(path))
        small, large = (statistics.median(durations[drive]) for drive in (SMALL, LARGE))
        good &= large / small <= MOST_TIMES_LONGER
        print(f"{title:<26} {small:>7.1f} ms {large:>7.1f} ms   x {large / small:.2f}")
    print(f"\nat most x {MOST_TIMES_LONGER}: {'ok' if good else 'not met'}")
    return good


def _fill(homeport: Homeport, drive: str, files: int) -> None:
    from storage.models import Drive

    drive_id = Drive.objects.get(collection_id=homeport.collection_id, name=drive).pk
    with open_connection().cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            """
            INSERT INTO storage_file (drive_id, name, size_bytes, content_type, etag, blob_ids, blob_sizes, created_at,
                changed_at)
            SELECT %s, 'in/' || lpad(n::text, 7, '0'), n * 7919 %% 1000003, 'text/plain', '', ARRAY[gen_random_uuid()],
                ARRAY[0], now(), now() FROM generate_series(1, %s) AS n
            """,
            [drive_id, files],
        )
        cursor.execute("VACUUM (ANALYZE) storage_file")


def _compare_uploads(homeport: Homeport, visitor: Visitor, folder: Path, options: argparse.Namespace) -> bool:
    path = folder / "large.bin"
    with path.open("wb") as file:
        for _ in range(options.upload_mb):
            file.write(os.urandom(MB))
    visitor.fill(f"/collections/{homeport.collection_id}/new-drive/", name=UPLOADED)
    rates: dict[str, list[float]] = {"API": [], "page": []}
    with sync_playwright() as playwright:
        page = open_page(playwright, homeport, visitor, f"/collections/{homeport.collection_id}/drive/{UPLOADED}/")
        ways: dict[str, Callable[[Path], None]] = {
            "API": lambda each: _upload_by_api(homeport, each),
            "page": lambda each: _upload_by_page(page, each),
        }
        for turn in range(options.rounds):
            for way in ways if turn % 2 == 0 else reversed(ways):
                # The page asks what to do with a name that exists: every round has its own.
                renamed = path.rename(path.with_name(f"{way}-{turn}.bin"))
                began = time.perf_counter()
                ways[way](renamed)
                rates[way].append(options.upload_mb / (time.perf_counter() - began))
                path = renamed.rename(path)
    ratio = statistics.median(page / api for page, api in zip(rates["page"], rates["API"], strict=True))
    medians = {way: statistics.median(found) for way, found in rates.items()}
    print(f"\nOne file of {options.upload_mb} MB, {options.rounds} times each way; medians\n")
    print(f"public API {medians['API']:>7.1f} MB/s   the page in Chromium {medians['page']:>7.1f} MB/s   x {ratio:.2f}")
    print(f"\nat least x {LEAST_OF_THE_API}: {'ok' if ratio >= LEAST_OF_THE_API else 'not met'}")
    return ratio >= LEAST_OF_THE_API


def _upload_by_api(homeport: Homeport, path: Path) -> None:
    """In parts as large as they may be, as many at once as the page sends."""
    base = f"/v1/{homeport.collection_id}/{UPLOADED}"
    address = urlsplit(homeport.origin)
    headers = {"X-API-Key": homeport.data_key}
    part_bytes = 10 * MB
    with urllib3.HTTPConnectionPool(address.hostname or "", address.port, maxsize=PARTS_AT_ONCE, block=True) as pool:
        started = pool.request("POST", f"{base}/uploads?name={path.name}", headers=headers).json()
        upload = f"{base}/uploads/{started['upload_id']}"

        def send(number: int) -> None:
            with path.open("rb") as file:
                file.seek((number - 1) * part_bytes)
                body = file.read(part_bytes)
            answer = pool.request(
                "POST", f"{upload}/parts?name={path.name}&part={number}", body=body, headers=headers, retries=False
            )
            if answer.status != 200:
                raise RuntimeError(f"part {number} was answered {answer.status}: {answer.data[:200]!r}")

        with ThreadPoolExecutor(PARTS_AT_ONCE) as threads:
            for _ in threads.map(send, range(1, -(-path.stat().st_size // part_bytes) + 1)):
                pass
        ended = pool.request("PATCH", f"{upload}?name={path.name}", headers=headers)
        if ended.status != 200:
            raise RuntimeError(f"the upload was not ended: {ended.status}")


def _upload_by_page(page: Page, path: Path) -> None:
    """By the button's own input; until the tray says that it is done."""
    page.locator("#choose-files").set_input_files(str(path))
    row = page.locator(".tray-row").filter(has=page.get_by_text(path.name, exact=True))
    row.and_(page.locator("[data-state=done]")).wait_for(timeout=1_800_000)


if __name__ == "__main__":
    sys.exit(main())
