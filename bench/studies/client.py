"""What the Python client costs beside raw HTTP: `python -m bench.studies.client`.

A server of its own is asked the same things in three ways, turn by turn: by the client, by httpx alone (what the client is
made of), and by http.client, the barest that Python has. Each keeps one connection, but for the client's upload, whose parts
go side by side; raw ones go one after the other. Ratios are the client's time over the other's, of medians; the limit is
meant for httpx.
"""

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from bench.systems.homeport import PROJECT, Homeport

# The client is a distribution of its own, which this environment need not have installed.
sys.path.insert(0, str(PROJECT / "clients" / "python" / "src"))

from deta import Deta

MOST_RATIO = 1.3
PART_BYTES = 10 * 1024 * 1024
ITEM = {"key": "one", "name": "Ada Lovelace", "age": 36, "likes": ["numbers", "engines"], "profile": {"active": True}}
MANY = [{**ITEM, "key": f"key-{n:02}"} for n in range(25)]


class Way(Protocol):
    """A way to ask. Each method does one whole operation and gives what an app would use of the answer."""

    def put(self) -> Any: ...
    def get(self) -> Any: ...
    def put_many(self) -> Any: ...
    def upload(self, content: bytes) -> Any: ...
    def download(self) -> bytes: ...


class Client:
    """The client."""

    def __init__(self, homeport: Homeport) -> None:
        deta = Deta(homeport.data_key)
        self._base = deta.Base("client", homeport.origin)
        self._drive = deta.Drive("client", homeport.origin)

    def put(self) -> Any:
        return self._base.put(ITEM)

    def get(self) -> Any:
        return self._base.get("one")

    def put_many(self) -> Any:
        return self._base.put_many(MANY)

    def upload(self, content: bytes) -> Any:
        return self._drive.put("big", content)

    def download(self) -> bytes:
        body = self._drive.get("big")
        return body.read() if body else b""


class Raw:
    """The same requests by hand; how one is sent is for the subclasses to say."""

    def __init__(self, homeport: Homeport) -> None:
        self._path = f"/v1/{homeport.collection_id}/client"
        self._headers = {"X-API-Key": homeport.data_key, "Content-Type": "application/json"}

    def send(self, method: str, path: str, content: bytes = b"") -> bytes:
        raise NotImplementedError

    def put(self) -> Any:
        return self._put([ITEM])["processed"]["items"][0]

    def get(self) -> Any:
        return json.loads(self.send("GET", "/items/one"))

    def put_many(self) -> Any:
        return self._put(MANY)

    def upload(self, content: bytes) -> Any:
        upload = json.loads(self.send("POST", "/uploads?name=big"))["upload_id"]
        for number, start in enumerate(range(0, len(content), PART_BYTES), start=1):
            part = content[start : start + PART_BYTES]
            self.send("POST", f"/uploads/{upload}/parts?name=big&part={number}", part)
        return self.send("PATCH", f"/uploads/{upload}?name=big")

    def download(self) -> bytes:
        return self.send("GET", "/files/download?name=big")

    def _put(self, items: list[Any]) -> Any:
        body = json.dumps({"items": items}, separators=(",", ":"), ensure_ascii=False).encode()
        return json.loads(self.send("PUT", "/items", body))


class WithHttpx(Raw):
    """httpx, one client for all."""

    def __init__(self, homeport: Homeport) -> None:
        super().__init__(homeport)
        self._http = httpx.Client(base_url=homeport.origin + self._path, headers=self._headers, timeout=60)

    def send(self, method: str, path: str, content: bytes = b"") -> bytes:
        answer = self._http.request(method, path, content=content or None)
        answer.raise_for_status()
        return answer.content


class WithHttpClient(Raw):
    """http.client, one connection for all."""

    def __init__(self, homeport: Homeport) -> None:
        super().__init__(homeport)
        self._connection = http.client.HTTPConnection(urlsplit(homeport.origin).netloc, timeout=60)

    def send(self, method: str, path: str, content: bytes = b"") -> bytes:
        self._connection.request(method, self._path + path, content or None, self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if not 200 <= answer.status < 300:
            raise RuntimeError(f"Homeport answered {answer.status} to {method} {path}: {body[:300]!r}")
        return body


@dataclass(frozen=True)
class Operation:
    """One line of the table: what is done, how often in a round, and whether the answer is right."""

    name: str
    run: Callable[[Way], Any]
    times: int
    is_right: Callable[[Any], bool]


def main() -> int:
    """Prints the table. 0 when the client is within the limit of httpx everywhere, else 1."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.studies.client", description="The Python client beside raw HTTP."
    )
    parser.add_argument("--times", type=int, default=300, help="requests of each kind in a round (default: 300)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds, of which medians are taken (default: 7)")
    parser.add_argument("--megabytes", type=int, default=100, help="size of the file (default: 100)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-client-") as name:
        homeport = Homeport(Path(name))
        try:
            homeport.start([])
            return _compare(homeport, options)
        finally:
            homeport.stop()


def _compare(homeport: Homeport, options: argparse.Namespace) -> int:
    content = bytes(range(256)) * 4096 * options.megabytes
    operations = [
        Operation("put", lambda way: way.put(), options.times, lambda answer: answer == ITEM),
        Operation("get", lambda way: way.get(), options.times, lambda answer: answer == ITEM),
        Operation(
            "put_many, 25", lambda way: way.put_many(), options.times // 3, lambda answer: "failed" not in answer
        ),
        Operation(f"upload, {options.megabytes} MB", lambda way: way.upload(content), 1, bool),
        Operation(f"download, {options.megabytes} MB", lambda way: way.download(), 1, lambda answer: answer == content),
    ]
    ways: dict[str, Way] = {
        "client": Client(homeport),
        "httpx": WithHttpx(homeport),
        "http.client": WithHttpClient(homeport),
    }
    print(f"\n{'':<18} {'client':>10} {'httpx':>10} {'ratio':>6} {'http.client':>12} {'ratio':>6}")
    good = True
    for operation in operations:
        took = _measure(operation, ways, rounds=options.rounds)
        beside_httpx = took["client"] / took["httpx"]
        good &= beside_httpx <= MOST_RATIO
        print(
            f"{operation.name:<18} {took['client']:>7.2f} ms {took['httpx']:>7.2f} ms {beside_httpx:>6.2f}"
            f" {took['http.client']:>9.2f} ms {took['client'] / took['http.client']:>6.2f}",
            flush=True,
        )
    print(f"\nlimit: {MOST_RATIO} x httpx: {'ok' if good else 'not met'}")
    return 0 if good else 1


def _measure(operation: Operation, ways: dict[str, Way], *, rounds: int) -> dict[str, float]:
    """Milliseconds of one operation by each way: medians over rounds in which all take turns, after one to warm up."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(rounds + 1):
        # Who comes first finds memory and server as the last one left them, so everybody does.
        names.append(names.pop(0))
        for name in names:
            way = ways[name]
            began = time.perf_counter()
            for _ in range(operation.times if number else 1):
                answer = operation.run(way)
            if number:
                took[name].append((time.perf_counter() - began) * 1000 / operation.times)
            if not operation.is_right(answer):
                raise RuntimeError(f"{operation.name} by {name} gave something else: {str(answer)[:300]}")
    return {name: statistics.median(values) for name, values in took.items()}


if __name__ == "__main__":
    sys.exit(main())
