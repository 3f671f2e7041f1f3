"""Homeport as its users run it: `manage.py serve` with its bundled engines, a collection, a data key and the HTTP API.

It owns Homeport's commands and wording; the asks come from `workload.py`. The server gets a data folder and ports of
its own, so one that runs on this machine already is neither used nor disturbed.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psutil

from bench.load.data import Item, compact_json
from bench.load.workload import PAGE_ITEMS, AgeBetween, Ask, Get, GroupEquals, Insert, KeyBetween, Put, ScoreBetween
from bench.load.wrk import Request
from bench.systems.processes import Server
from bench.systems.system import Answered
from storage.embedded import ports

PROJECT = Path(__file__).resolve().parent.parent.parent
BASE, MESSAGES = "bench", "messages"
ITEMS_PER_PUT = 25
LOADING_CONNECTIONS = 8
START_TIMEOUT_S = 120
# What would point the server at engines or data that are not this run's own.
FOREIGN_SETTINGS = ("HOMEPORT_", "S3_", "DATABASE_URL", "DJANGO_")


class Homeport:
    """One running Homeport in a folder of its own. `folder` must exist and is left to the caller to remove."""

    name = "Homeport"
    durability = "PostgreSQL's log is synced at each commit, and a file in SeaweedFS before that"
    may_refuse = False

    def __init__(self, folder: Path, *, has_micros: bool = True) -> None:
        # The engines run as another user when we are root, and must be able to pass through.
        folder.chmod(0o711)
        self._folder = folder
        port = ports.free_ports(1)[0]
        self.origin = f"http://127.0.0.1:{port}"
        self.headers: dict[str, str] = {}
        self.collection_id = self.data_key = ""
        self.base = BASE  # which one is asked, unless it is said
        self.server: Server | None = None
        self._command = [sys.executable, "manage.py", "serve"]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(FOREIGN_SETTINGS)},
            "HOMEPORT_DATA": str(folder / "data"),
            "HOMEPORT_PORT": str(port),
            "HOMEPORT_TLS_PORT": "0",
            "HOMEPORT_MICROS": str(has_micros).lower(),
        }

    def start(self, items: Iterable[Item]) -> None:
        """Starts the server, makes a collection and a data key, and loads the items into the Base `BASE`."""
        self.serve()
        self.make_collection(items)

    def make_collection(self, items: Iterable[Item]) -> None:
        """Makes a collection and a data key, which are asked from now on, and loads the items."""
        self.collection_id = self._manage("collection", "create", "bench")
        self.data_key = self._manage("datakey", "create", self.collection_id, "bench")
        self.headers = {"X-API-Key": self.data_key, "Content-Type": "application/json"}
        self.load(BASE, items)

    def serve(self) -> None:
        """Starts the server on the data that is there, and waits until it is ready."""
        self.server = Server(self._command, cwd=PROJECT, log_path=self._folder / "log", env=self.environment)
        self.server.wait_until_ok(f"{self.origin}/readyz", timeout_s=START_TIMEOUT_S)

    def tree(self) -> list[psutil.Process]:
        """All its processes, the engines among them; none while it does not run."""
        return self.server.tree() if self.server is not None else []

    def stop(self) -> None:
        """Ends the server, if it runs."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def web_workers(self) -> list[psutil.Process]:
        """The processes that answer requests, without serve itself, the engines and the workers' own parent."""
        tree = self.tree()
        parents = {process.pid: _web_parent(process) for process in tree}
        return [process for process in tree if parents.get(parents[process.pid] or 0)]

    def request(self, ask: Ask, *, after: str | None = None, base: str | None = None) -> Request:
        """The ask in Homeport's words, about `base` or else `self.base`; `after` is where an earlier page stopped."""
        base = base or self.base
        match ask:
            case Get(key):
                return Request("GET", f"{self._path(base)}/items/{quote(key, safe='')}")
            case Put(items):
                return Request("PUT", f"{self._path(base)}/items", compact_json({"items": items}))
            case Insert(message):
                return Request("POST", f"{self._path(MESSAGES)}/items", compact_json({"item": message}))
            case GroupEquals(group):
                query: dict[str, Any] = {"query": [{"group": group}]}
            case KeyBetween(first, last):
                query = {"query": [{"key?r": [first, last]}]}
            case ScoreBetween(low, high):
                query = {"query": [{"score?r": [low, high]}]}
            case AgeBetween(low, high):
                query = {"query": [{"age?r": [low, high]}], "limit": PAGE_ITEMS}
        if after is not None:
            query["last"] = after
        return Request("POST", f"{self._path(base)}/query", compact_json(query))

    def answered(self, ask: Ask, answer: Any) -> Answered:
        """What an answer holds; `after` is set where the server wants to be asked again for the rest."""
        match ask:
            case Get() | Insert():
                return Answered([answer])
            case Put():
                if answer.get("failed"):
                    raise RuntimeError(f"Homeport did not store {answer['failed']}")
                return Answered(answer["processed"]["items"])
        return Answered(answer["items"], after=answer["paging"].get("last"))

    def load(self, base: str, items: Iterable[Item]) -> None:
        """Stores the items through the API, over several connections."""
        path = f"{self.origin}{self._path(base)}/items"
        local = threading.local()

        def put(batch: list[Item]) -> None:
            if not hasattr(local, "client"):
                local.client = httpx.Client(headers=self.headers, timeout=30)
            answer = local.client.put(path, content=compact_json({"items": batch}))
            if answer.status_code != 207 or "failed" in answer.json():
                raise RuntimeError(f"Homeport answered {answer.status_code} to a put: {answer.text[:300]}")

        with ThreadPoolExecutor(LOADING_CONNECTIONS) as pool:
            for _ in pool.map(put, _batches(items, ITEMS_PER_PUT)):
                pass

    def _path(self, base: str) -> str:
        return f"/v1/{self.collection_id}/{base}"

    def _manage(self, *arguments: str) -> str:
        """Runs a management command; the last line it prints."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=START_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0 or not done.stdout.strip():
            raise RuntimeError(f"manage.py {' '.join(arguments)} failed: {(done.stdout + done.stderr)[-1000:]}")
        return done.stdout.strip().splitlines()[-1]


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _web_parent(process: psutil.Process) -> int | None:
    """The parent's pid of a process of the web server; None for any other process, and for one that has ended."""
    try:
        return process.ppid() if "console.listener" in " ".join(process.cmdline()) else None
    except psutil.Error:
        return None


class Unsynced(Homeport):
    """The same server whose engines sync nothing to the disk, to show what it costs that ours do."""

    name = "Homeport, nothing synced"
    durability = "as PocketBase: nothing waits for the disk"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, has_micros=False)
        self._command = [sys.executable, "-m", "bench.systems.unsynced"]
