"""Kinto, the nearest relative: JSON documents over HTTP on PostgreSQL, set up as its documentation has it for production.

Its PostgreSQL is the one that Homeport bundles, with the same settings, in a folder and on a port of its own. Its web server is
the one its documentation has, uWSGI with three processes, behind nothing. What gained it speed: permissions and records in
PostgreSQL with connections kept, a cache in memory, errors alone logged, and names that are not looked up (`basicauth`), as
an account's password would be.

It is installed, in the versions of `kinto.txt`, into an environment of its own beside ours, and kept there.
"""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil
import psycopg

from bench.load.data import Item, compact_json
from bench.load.workload import PAGE_ITEMS, AgeBetween, Ask, Get, GroupEquals, Insert, KeyBetween, Put, ScoreBetween
from bench.load.wrk import Request
from bench.systems.homeport import PROJECT
from bench.systems.processes import Server
from bench.systems.system import Answered
from storage.embedded import accounts, paths, ports, postgres, process

ENVIRONMENT = PROJECT / ".venv" / "bench-kinto"
VERSIONS = Path(__file__).with_name("kinto.txt")
APP = Path(__file__).with_name("kinto_app.py")
COLLECTION = "/buckets/bench/collections/items"
RECORDS = f"{COLLECTION}/records"
WORKERS = 3
# The server lives behind a loopback port for the length of one run, and takes any name.
USER, PASSWORD = "bench", "only-for-this-run"
START_TIMEOUT_S = 60

INI = """
[app:main]
use = egg:kinto
kinto.storage_backend = kinto.core.storage.postgresql
kinto.storage_url = {database}
kinto.storage_pool_size = 50
kinto.permission_backend = kinto.core.permission.postgresql
kinto.permission_url = {database}
kinto.permission_pool_size = 50
kinto.cache_backend = kinto.core.cache.memory
kinto.userid_hmac_secret = {password}
kinto.bucket_create_principals = system.Authenticated
kinto.paginate_by = 1000
kinto.batch_max_requests = 25
multiauth.policies = basicauth

[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = generic
[logger_root]
level = ERROR
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = generic
[formatter_generic]
format = %(asctime)s %(message)s
"""


class Kinto:
    """One running Kinto with a PostgreSQL of its own. `folder` must exist and is left to the caller to remove."""

    name = "Kinto"
    durability = "PostgreSQL's log is synced at each commit"
    # No two records of a collection may have changed in the same millisecond.
    may_refuse = True

    def __init__(self, folder: Path) -> None:
        # PostgreSQL runs as another user when we are root, and must be able to pass through.
        folder.chmod(0o711)
        self._folder = folder
        web, database = ports.free_ports(2)
        self.origin = f"http://127.0.0.1:{web}"
        secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        self.headers = {"Authorization": f"Basic {secret}", "Content-Type": "application/json"}
        self.server: Server | None = None
        self._engine: Server | None = None
        self._port = database
        self._database = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{database}/postgres"

    def start(self, items: Iterable[Item]) -> None:
        """Starts PostgreSQL and Kinto, and puts the items into its tables; its API would take minutes."""
        self._start_engine()
        ini = self._folder / "kinto.ini"
        ini.write_text(INI.format(database=self._database, password=PASSWORD), encoding="utf-8")
        migrate = [*_program("kinto"), "migrate", "--ini", str(ini)]
        Server(migrate, cwd=self._folder, log_path=self._folder / "log").wait_for_success(timeout_s=START_TIMEOUT_S)
        address = self.origin.removeprefix("http://")
        command = [*_program("uwsgi"), f"--http={address}", "--http-keepalive=60", "--http-auto-chunked"]
        command += ["--master", f"--processes={WORKERS}", "--enable-threads", "--lazy-apps", "--single-interpreter"]
        command += ["--buffer-size=65535", "--disable-logging", f"--wsgi-file={APP}", f"--virtualenv={ENVIRONMENT}"]
        environment = {**os.environ, "KINTO_INI": str(ini)}
        self.server = Server(command, cwd=self._folder, log_path=self._folder / "log", env=environment)
        self.server.wait_until_ok(f"{self.origin}/v1/", timeout_s=START_TIMEOUT_S)
        self._load(items)

    def stop(self) -> None:
        """Ends Kinto and its PostgreSQL, if they run."""
        for server in (self.server, self._engine):
            if server is not None:
                server.stop()
        self.server = self._engine = None

    def tree(self) -> list[psutil.Process]:
        """Kinto's processes and PostgreSQL's."""
        return [process for server in (self.server, self._engine) if server is not None for process in server.tree()]

    def request(self, ask: Ask, *, after: str | None = None) -> Request:
        """The ask in Kinto's words. One request answers each, so `after` is unused."""
        match ask:
            case Get(key):
                return Request("GET", f"/v1{RECORDS}/{key}")
            case Put([item]):
                return Request("PUT", f"/v1{RECORDS}/{item['key']}", compact_json({"data": _record(item)}))
            case Put(items):
                parts = [{"path": f"/v1{RECORDS}/{item['key']}", "body": {"data": _record(item)}} for item in items]
                batch = {"defaults": {"method": "PUT"}, "requests": parts}
                return Request("POST", "/v1/batch", compact_json(batch))
            case Insert(message):
                return Request("POST", f"/v1{RECORDS}", compact_json({"data": message}))
            case GroupEquals(group):
                return _list_request(group=group)
            case KeyBetween(first, last):
                return _list_request(min_id=first, max_id=last, _sort="id")
            case ScoreBetween(low, high):
                return _list_request(min_score=low, max_score=high, _sort="id")
            case AgeBetween(low, high):
                return _list_request(min_age=low, max_age=high, _sort="id", _limit=PAGE_ITEMS)

    def answered(self, ask: Ask, answer: Any) -> Answered:
        """What an answer holds, with each item's key under `key` as everywhere else."""
        match ask:
            case Put(items) if len(items) > 1:
                records = [part["body"]["data"] for part in answer["responses"]]
            case Get() | Put() | Insert():
                records = [answer["data"]]
            case _:
                records = answer["data"]
        return Answered([{**record, "key": record["id"]} for record in records])

    def _start_engine(self) -> None:
        account = accounts.engine_account(accounts.OWN)
        binaries = paths.binaries(account)
        home = self._folder / "engine"
        paths.make_private_folder(home, account)
        paths.make_private_folder(home / "tmp", account)
        password_file = home / "tmp" / "password"
        paths.write_private_file(password_file, PASSWORD, account)
        data = home / "data"
        command = [*postgres.initdb(data, binaries=binaries), "-k", f"--pwfile={password_file}"]
        environment = process.engine_environment(home, marks={})
        process.run_tool(command, environment=environment, account=account)
        settings = {"listen_addresses": "127.0.0.1", "port": str(self._port), "unix_socket_directories": ""}
        settings = postgres.SETTINGS | settings | {"max_connections": str(WORKERS * 100)}
        command = [str(binaries.postgres / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._engine = Server(
            command,
            cwd=Path("/"),
            log_path=self._folder / "postgres.log",
            env=environment,
            user=account.uid if account else None,
        )
        self._engine.wait_until(
            lambda: postgres.find_fault({"conninfo": self._database}) is None, timeout_s=START_TIMEOUT_S
        )

    def _load(self, items: Iterable[Item]) -> None:
        with httpx.Client(base_url=f"{self.origin}/v1", headers=self.headers, timeout=START_TIMEOUT_S) as client:
            for path in ("/buckets/bench", COLLECTION):
                client.put(path, json={}).raise_for_status()
            owner = client.get("/").raise_for_status().json()["user"]["id"]
        # Two records of a collection never have the same time.
        first_at = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=1)
        records = "COPY objects (id, parent_id, resource_name, last_modified, data, deleted) FROM STDIN"
        rights = "COPY access_control_entries (object_id, permission, principal) FROM STDIN"
        with psycopg.connect(self._database, autocommit=True) as connection, connection.cursor() as cursor:
            keys = []
            with cursor.copy(records) as copy:
                for number, item in enumerate(items):
                    keys.append(item["key"])
                    at = first_at + timedelta(milliseconds=number)
                    copy.write_row((item["key"], COLLECTION, "record", at, compact_json(_record(item)), False))
            with cursor.copy(rights) as copy:
                for key in keys:
                    copy.write_row((f"{RECORDS}/{key}", "write", owner))
            cursor.execute("VACUUM (ANALYZE)")


def _program(name: str) -> list[str]:
    """The words that run it. Its script names a Python by its whole path, which is wrong once the folder was moved."""
    return [str(ENVIRONMENT / "bin" / "python"), str(ENVIRONMENT / "bin" / name)]


def install(say: Any) -> None:
    """Have Kinto in an environment of its own, in the versions of `kinto.txt`. Takes half a minute when it is not there yet.

    Raises FileNotFoundError, saying why, when it can't be installed.
    """
    note = ENVIRONMENT / VERSIONS.name
    if note.exists() and note.read_text(encoding="utf-8") == VERSIONS.read_text(encoding="utf-8"):
        return
    say(f"installing Kinto into {ENVIRONMENT}")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    try:
        for command in (
            [sys.executable, "-m", "venv", str(ENVIRONMENT)],
            [*_program("pip"), "install", "-q", "--disable-pip-version-check", "-r", str(VERSIONS)],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True)
    except subprocess.CalledProcessError as error:
        raise FileNotFoundError(f"Kinto could not be installed from the package index: {error.stderr[-600:]}") from None
    shutil.copy(VERSIONS, note)


def version() -> str:
    """Which Kinto `kinto.txt` has, and which uWSGI."""
    pins = dict(line.split("==") for line in VERSIONS.read_text(encoding="utf-8").splitlines() if "==" in line)
    return f"Kinto {pins['kinto']} (uWSGI {pins['pyuwsgi']})"


def _record(item: Item) -> Item:
    return {name: value for name, value in item.items() if name != "key"}


def _list_request(**parameters: Any) -> Request:
    return Request("GET", f"/v1{RECORDS}?" + urlencode(parameters))
