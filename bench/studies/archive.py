"""What an export and an import take: `python -m bench.studies.archive --mb 1000`.

A server of its own is filled with items and files, which are then read straight from the engines (a SELECT of all items, and
each object by boto3, one after the other), exported, sent back as an import, looked through and imported into another
collection. The ratio is the reading's time to the other's: 1 means as fast as the engines alone give the data. An export and
an import also write it, so what it takes to read all of it and put it by boto3 is shown too. The job
worker's memory is sampled meanwhile; its growth must stay small, however much there is.
"""

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
from botocore.config import Config

from bench.load.data import make_item
from bench.meters.memory import PeakMemory, Watch
from bench.pages import Visitor
from bench.systems.homeport import PROJECT, Homeport
from storage.embedded import postgres, state

MB = 1_000_000
FILE_BYTES = 10 * MB
PART_BYTES = 8_388_608
LEAST_RATIO = 0.5
MOST_GROWTH_MB = 150


class Carrier(Visitor):
    """A person who exports and imports."""

    def export(self, collection_id: str) -> str:
        """The address of an export's download, once it is done."""
        path = f"/collections/{collection_id}/exports/"
        self.fill(f"{path}new/")
        return self._wait(path, r'href="([^"]+/download/)"')

    def fetch(self, path: str, into: Path) -> None:
        with self._http.stream("GET", path) as answer, into.open("wb") as file:
            answer.raise_for_status()
            for chunk in answer.iter_bytes(MB):
                file.write(chunk)

    def send(self, collection_id: str, path: Path) -> str:
        """The address of an import's page, once the archive was sent and looked through."""
        size = path.stat().st_size
        begun = self._post(f"/collections/{collection_id}/imports/new/", data={"name": path.name, "size": size}).json()
        with path.open("rb") as file:
            received = 0
            while received < size:
                part = file.read(PART_BYTES)
                received = self._post(f"{begun['parts']}?start={received}", content=part).json()["received"]
        return str(begun["page"])

    def check(self, page: str) -> None:
        self._wait(page, r"(Nothing is stored yet)")

    def import_all(self, page: str) -> None:
        self.fill(f"{page}run/")
        self._wait(page, r"(Finished)")

    def _post(self, path: str, **body: Any) -> httpx.Response:
        headers = {"X-CSRFToken": self._http.cookies["csrftoken"]}
        return self._http.post(path, headers=headers, **body).raise_for_status()

    def _wait(self, path: str, pattern: str) -> str:
        while True:
            page = self._http.get(path).raise_for_status().text
            if "Failed" in page or "could not be" in page:
                raise RuntimeError(f"{path} failed")
            if found := re.search(pattern, page):
                return found[1]
            time.sleep(0.2)


def main() -> int:
    """Prints the table. 0 when the export is fast enough and memory stays flat, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.studies.archive", description="Exports and imports.")
    parser.add_argument("--mb", type=int, default=1000, help="megabytes of files of 10 MB")
    parser.add_argument("--items", type=int, default=50_000, help="items of 300 bytes, in tens")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-archive-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        homeport = Homeport(folder)
        try:
            homeport.start(make_item(number, options.items) for number in range(options.items))
            _fill_files(homeport, options.mb * MB // FILE_BYTES)
            return _measure(homeport, folder)
        finally:
            homeport.stop()


def _fill_files(homeport: Homeport, count: int) -> None:
    with httpx.Client(base_url=homeport.origin, headers={"X-API-Key": homeport.data_key}, timeout=60) as http:
        for number in range(count):
            content = random.Random(number).randbytes(FILE_BYTES)
            http.post(f"/v1/{homeport.collection_id}/files/files?name={number}.bin", content=content).raise_for_status()


def _measure(homeport: Homeport, folder: Path) -> int:
    carrier = Carrier(homeport)
    carrier.sign_up()
    target = carrier.fill("/collections/new/", name="target").url.path.split("/")[2]
    zipped = folder / "export.zip"
    found: dict[str, Any] = {}
    read_bytes, seconds = _timed(lambda: _read_straight(homeport))
    rows = [("read from the engines", seconds, 0.0)]
    rows.append(("the same, written to S3", seconds + _timed(lambda: _write_straight(homeport, read_bytes))[1], 0.0))
    steps: list[tuple[str, Callable[[], None]]] = [
        ("export by the command", lambda: _export_by_command(homeport)),
        ("export", lambda: found.update(download=carrier.export(homeport.collection_id))),
        ("download", lambda: carrier.fetch(found["download"], zipped)),
        ("send", lambda: found.update(page=carrier.send(target, zipped))),
        ("look through", lambda: carrier.check(found["page"])),
        ("import", lambda: carrier.import_all(found["page"])),
    ]
    for name, step in steps:
        peak = PeakMemory(lambda: _workers(homeport))
        peak.sample_rss()
        idle_bytes = peak.rss_bytes
        with Watch(peak):
            _, taken = _timed(step)
        rows.append((name, taken, (peak.rss_bytes - idle_bytes) / MB))
    print(f"\n{read_bytes / MB:,.0f} MB; the zip has {zipped.stat().st_size / MB:,.0f} MB\n")
    print(f"{'step':<24} {'time':>9} {'rate':>11} {'ratio':>6} {'worker grew by':>15}")
    for name, taken, grown in rows:
        print(
            f"{name:<24} {taken:>7.1f} s {read_bytes / MB / taken:>6.0f} MB/s {seconds / taken:>6.2f} {grown:>12.0f} MB"
        )
    took = {name: taken for name, taken, _ in rows}
    # The command writes nowhere, and is held against reading; an export is held against reading and writing.
    streamed = seconds / took["export by the command"]
    kept = took["the same, written to S3"] / took["export"]
    good = min(streamed, kept) >= LEAST_RATIO and all(grown < MOST_GROWTH_MB for _, _, grown in rows)
    print(f"\nby the command {streamed:.2f} of reading; export {kept:.2f} of reading and writing")
    print(f"limits: {LEAST_RATIO} each, growth {MOST_GROWTH_MB} MB: {'ok' if good else 'not met'}")
    return 0 if good else 1


def _export_by_command(homeport: Homeport) -> None:
    command = [sys.executable, "manage.py", "export", homeport.collection_id, "-"]
    subprocess.run(command, cwd=PROJECT, env=homeport.environment, stdout=subprocess.DEVNULL, check=True)


def _workers(homeport: Homeport) -> list[Any]:
    tree = homeport.server.tree() if homeport.server else []
    return [process for process in tree if "procrastinate" in " ".join(process.cmdline())]


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    done = work()
    return done, time.perf_counter() - began


def _read_straight(homeport: Homeport) -> int:
    """All items and all objects, as a program would that does without Homeport; how many bytes."""
    data = Path(homeport.environment["HOMEPORT_DATA"])
    kept = state.load(data)
    assert kept is not None
    total = 0
    parameters = postgres.connection_parameters(kept.postgres)
    with psycopg.connect(**parameters) as connection, connection.cursor(name="items") as cursor:
        cursor.execute("SELECT key, value::text FROM storage_item ORDER BY base_id, key")
        for key, value in cursor:
            total += len(key) + len(value)
    s3 = _open_s3(kept, state.engine_tls(kept.home(data)))
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=kept.s3.bucket, Prefix="blobs/"):
        for entry in page.get("Contents", []):
            body = s3.get_object(Bucket=kept.s3.bucket, Key=entry["Key"])["Body"]
            while chunk := body.read(MB):
                total += len(chunk)
    return total


def _write_straight(homeport: Homeport, total: int) -> None:
    """As many bytes in parts of the size that an export has."""
    data = Path(homeport.environment["HOMEPORT_DATA"])
    kept = state.load(data)
    assert kept is not None
    s3, part = _open_s3(kept, state.engine_tls(kept.home(data))), random.Random(0).randbytes(PART_BYTES)
    for number in range(total // PART_BYTES):
        s3.put_object(Bucket=kept.s3.bucket, Key=f"direct/{number}", Body=part)


def _open_s3(kept: state.LocalState, tls: state.EngineTls) -> Any:
    return boto3.session.Session().client(
        "s3",
        endpoint_url=kept.s3.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=kept.s3.access_key,
        aws_secret_access_key=kept.s3.secret_key,
        verify=str(tls.authority),
        config=Config(
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            client_cert=(str(tls.certificate), str(tls.key)),
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
