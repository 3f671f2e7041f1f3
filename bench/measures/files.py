"""Files: put and get through Homeport, straight to the S3 behind it by boto3, and through PocketBase, in turns.

Everybody is asked by the same number of threads of this one process over connections kept open. Puts write over the same
few names again and again, in PocketBase over the files of the same few records.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
import urllib3
from botocore.config import Config

from bench.measures.rounds import Ran, Rounds, Tree, Turn, measure_round
from bench.systems.homeport import Homeport
from bench.systems.pocketbase import PocketBase
from bench.tables import Table, rate_text
from bench.verdicts import Figure
from storage.embedded import state

KB, MB = 1_024, 1_048_576
SIZES = {"1 KB": KB, "1 MB": MB, "10 MB": 10 * MB}
CONNECTIONS = 8
DRIVE = "bench"
NAMES = 64
# Of large ones fewer: what is replaced stays on the disk for an hour.
LARGE_NAMES = 16
OURS, DIRECT, THEIRS, UNSYNCED = "Homeport", "S3 by boto3", "PocketBase", "nothing synced"
# What is put once more into a server that syncs nothing.
UNSYNCED_SIZE = "1 KB"
TYPE = "application/octet-stream"


class Store(Protocol):
    """Somewhere to put files. `number` says which of the few names."""

    name: str
    tree: Tree

    def put(self, number: int, content: bytes) -> None:
        """Store a file over the one that was there."""

    def get(self, number: int) -> int:
        """Fetch a file whole; its size in bytes."""


class ThroughHomeport:
    """Homeport's own API."""

    def __init__(self, homeport: Homeport, name: str = OURS) -> None:
        self.name, self.tree = name, homeport.tree
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

    name = DIRECT

    def __init__(self, homeport: Homeport) -> None:
        self.tree = homeport.tree
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

    name = THEIRS

    def __init__(self, pocketbase: PocketBase) -> None:
        self.tree = pocketbase.tree
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


def measure_files(
    stores: Sequence[Store], unsynced: Store, *, duration_s: float, rounds: int, say: Callable[[str], None]
) -> tuple[list[Table], dict[str, Figure]]:
    """The stores of Homeport, of its S3 asked directly, and of PocketBase, in turns; small puts into the unsynced one as well."""
    found: dict[tuple[str, str], Rounds] = {}
    for size, size_bytes in SIZES.items():
        content = bytes(range(256)) * (size_bytes // 256)
        names = NAMES if size_bytes < MB else LARGE_NAMES
        for store in (*stores, *([unsynced] if size == UNSYNCED_SIZE else [])):
            for number in range(names):
                store.put(number, content)
        for operation in ("put", "get"):
            say(f"files: {operation} {size}")
            asked = [*stores, unsynced] if (operation, size) == ("put", UNSYNCED_SIZE) else stores
            turns = [_turn(store, operation, content, names, duration_s) for store in asked]
            found[operation, size] = Rounds()
            for number in range(rounds):
                measure_round(turns, found[operation, size], number=number)
    figures = {
        f"{operation} {size}": Figure(each.ratio(OURS, DIRECT), each.cpu(OURS))
        for (operation, size), each in found.items()
    }
    return [_table(found)], figures


def _table(found: dict[tuple[str, str], Rounds]) -> Table:
    head = ("files per second", OURS, "ms", DIRECT, "ms", "share", THEIRS, "ms", "ratio", UNSYNCED, "ms")
    lines = []
    for (operation, size), each in found.items():

        def told(name: str, each: Rounds = each) -> tuple[str, str]:
            return (rate_text(each.rate(name)), f"{each.cpu(name):.2f}") if name in each.per_s else ("", "")

        share, ratio = f"{each.ratio(OURS, DIRECT):.2f}", f"{each.ratio(OURS, THEIRS):.2f}"
        lines.append((f"{operation} {size}", *told(OURS), *told(DIRECT), share, *told(THEIRS), ratio, *told(UNSYNCED)))
    return Table("Files", head, lines)


def _turn(store: Store, operation: str, content: bytes, names: int, duration_s: float) -> Turn:
    return Turn(store.name, lambda: _run(store, operation, content, names, duration_s), store.tree)


def _run(store: Store, operation: str, content: bytes, names: int, duration_s: float) -> Ran:
    """The files of all threads together. Raises what one of them raised."""
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

    threads = [threading.Thread(target=work, args=(_turns(next(numbers), names),)) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Ran(sum(done), time.monotonic() - started)


def _turns(thread: int, names: int) -> Iterator[int]:
    """The names of one thread, round and round."""
    while True:
        yield from range(thread, names, CONNECTIONS)


def _open(origin: str) -> urllib3.HTTPConnectionPool:
    return urllib3.connection_from_url(
        f"http://{urlsplit(origin).netloc}", maxsize=CONNECTIONS, block=True, retries=False, blocksize=262_144
    )


def _expect(answer: Any, status: int) -> bytes:
    body: bytes = answer.data
    if answer.status != status:
        raise RuntimeError(f"answered {answer.status} instead of {status}: {body[:300]!r}")
    return body
