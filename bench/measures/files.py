"""Files: put and get through Homeport, straight to the S3 behind it by boto3, and through PocketBase, in turns.

Everybody is asked by the same number of threads of this one process over connections kept open. Puts write over the same
few names again and again, in PocketBase over the files of the same few records.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.config import Config

from bench.systems.homeport import Homeport
from bench.systems.pocketbase import PocketBase
from storage.embedded import state

KB, MB = 1_024, 1_048_576
SIZES = {"1 KB": KB, "1 MB": MB, "10 MB": 10 * MB}
# The least share of the direct rate that Homeport should reach.
TARGETS = {
    ("get", "1 KB"): 0.25,
    ("get", "1 MB"): 0.7,
    ("get", "10 MB"): 0.9,
    ("put", "1 KB"): 0.3,
    ("put", "1 MB"): 0.8,
    ("put", "10 MB"): 0.9,
}
CONNECTIONS = 8
DRIVE = "bench"
NAMES = 64
TYPE = "application/octet-stream"


class Store(Protocol):
    """Somewhere to put files. `number` says which of the few names."""

    name: str

    def put(self, number: int, content: bytes) -> None:
        """Store a file over the one that was there."""

    def get(self, number: int) -> int:
        """Fetch a file whole; its size in bytes."""


class ThroughHomeport:
    """Homeport's own API."""

    name = "Homeport"

    def __init__(self, homeport: Homeport) -> None:
        self._http = _open(homeport.origin)
        self._path = f"/v1/{homeport.collection_id}/{DRIVE}/files"
        self._headers = {"X-API-Key": homeport.data_key, "Content-Type": TYPE}

    def put(self, number: int, content: bytes) -> None:
        path = f"{self._path}?name=file-{number}"
        _expect(self._http.request("POST", path, body=content, headers=self._headers), 201)

    def get(self, number: int) -> int:
        path = f"{self._path}/download?name=file-{number}"
        return len(_expect(self._http.request("GET", path, headers=self._headers), 200))


class StraightToS3:
    """The S3 behind Homeport, called as a program would that does without Homeport."""

    name = "S3 by boto3"

    def __init__(self, homeport: Homeport) -> None:
        data = Path(homeport.environment["HOMEPORT_DATA"])
        kept = state.load(data)
        assert kept is not None
        tls = state.engine_tls(kept.home(data))
        self._bucket = kept.s3.bucket
        self._s3 = boto3.session.Session().client(
            "s3",
            endpoint_url=kept.s3.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=kept.s3.access_key,
            aws_secret_access_key=kept.s3.secret_key,
            verify=str(tls.authority),
            config=Config(
                client_cert=(str(tls.certificate), str(tls.key)),
                s3={"addressing_style": "path"},
                max_pool_connections=CONNECTIONS,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, number: int, content: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=f"direct/file-{number}", Body=content, ContentType=TYPE)

    def get(self, number: int) -> int:
        return len(self._s3.get_object(Bucket=self._bucket, Key=f"direct/file-{number}")["Body"].read())


class ThroughPocketBase:
    """A collection with a file field, each file in a record of its own."""

    name = "PocketBase"

    def __init__(self, pocketbase: PocketBase) -> None:
        self._http = _open(pocketbase.origin)
        token = {"Authorization": pocketbase.headers["Authorization"]}
        self._headers = token
        field = {"name": "file", "type": "file", "maxSelect": 1, "maxSize": 20 * MB}
        made = self._http.request(
            "POST", "/api/collections", json={"name": "files", "type": "base", "fields": [field]}, headers=token
        )
        _expect(made, 200)
        self._records: dict[int, tuple[str, str]] = {}

    def put(self, number: int, content: bytes) -> None:
        known = self._records.get(number)
        method, path = ("PATCH", f"/{known[0]}") if known else ("POST", "")
        answer = self._http.request(
            method,
            f"/api/collections/files/records{path}",
            fields={"file": ("file.bin", content, TYPE)},
            headers=self._headers,
        )
        _expect(answer, 200)
        record = answer.json()
        self._records[number] = (record["id"], record["file"])

    def get(self, number: int) -> int:
        record_id, file = self._records[number]
        return len(_expect(self._http.request("GET", f"/api/files/files/{record_id}/{file}"), 200))


@dataclass(frozen=True)
class FileRow:
    """Rates of one operation in files per second, medians; the ratios were taken within each round."""

    operation: str
    size: str
    per_s: dict[str, float]
    of_direct: float
    of_pocketbase: float
    target: float


def measure_files(
    homeport: Homeport, pocketbase: PocketBase, *, duration_s: float, rounds: int, say: Callable[[str], None]
) -> list[FileRow]:
    """Both servers run already. Medians over the rounds."""
    stores: list[Store] = [ThroughHomeport(homeport), StraightToS3(homeport), ThroughPocketBase(pocketbase)]
    rows = []
    for size, size_bytes in SIZES.items():
        content = bytes(range(256)) * (size_bytes // 256)
        for store in stores:
            for number in range(NAMES):
                store.put(number, content)
        for operation in ("put", "get"):
            say(f"files: {operation} {size}")
            rates = _measure(stores, operation, content, duration_s=duration_s, rounds=rounds)
            rows.append(_row(operation, size, rates))
    return rows


def _measure(
    stores: list[Store], operation: str, content: bytes, *, duration_s: float, rounds: int
) -> dict[str, list[float]]:
    rates: dict[str, list[float]] = {store.name: [] for store in stores}
    for store in stores:
        _run(store, operation, content, min(duration_s, 1.0))
    for number in range(rounds):
        for store in stores if number % 2 == 0 else reversed(stores):
            rates[store.name].append(_run(store, operation, content, duration_s))
    return rates


def _run(store: Store, operation: str, content: bytes, duration_s: float) -> float:
    """Files per second of all threads together. Raises what one of them raised."""
    numbers = count()
    done: list[int] = []
    failures: list[BaseException] = []
    started = time.monotonic()

    def work(mine: Iterator[int]) -> None:
        finished = 0
        try:
            # No two threads are ever at one name: that is not what is measured.
            while time.monotonic() - started < duration_s:
                number = next(mine)
                if operation == "put":
                    store.put(number, content)
                elif store.get(number) != len(content):
                    raise RuntimeError(f"{store.name} gave a file of another size")
                finished += 1
        except BaseException as failure:
            failures.append(failure)
        done.append(finished)

    threads = [threading.Thread(target=work, args=(_turns(next(numbers)),)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(done) / (time.monotonic() - started)


def _turns(thread: int) -> Iterator[int]:
    """The names of one thread, round and round."""
    while True:
        yield from range(thread, NAMES, CONNECTIONS)


def _row(operation: str, size: str, rates: dict[str, list[float]]) -> FileRow:
    def ratio(other: str) -> float:
        return statistics.median(a / b for a, b in zip(rates["Homeport"], rates[other], strict=True))

    medians = {name: statistics.median(values) for name, values in rates.items()}
    return FileRow(
        operation, size, medians, ratio(StraightToS3.name), ratio(ThroughPocketBase.name), TARGETS[operation, size]
    )


def _open(origin: str) -> urllib3.HTTPConnectionPool:
    return urllib3.connection_from_url(
        f"http://{urlsplit(origin).netloc}", maxsize=CONNECTIONS, block=True, retries=False, blocksize=262_144
    )


def _expect(answer: Any, status: int) -> bytes:
    body: bytes = answer.data
    if answer.status != status:
        raise RuntimeError(f"answered {answer.status} instead of {status}: {body[:300]!r}")
    return body
