"""The commands beside a running server: what they do, what they print and how they end."""

import json
import subprocess

import httpx
import pytest
from pytest_django import Settings

from homeport import cli
from storage.errors import DiskFull, EngineUnreachable
from storage.models import Item
from storage.postgres.failures import OrmDiskFull, OrmEngineUnreachable
from tests.commands import run_here
from tests.serving import Server


def made(*command: str) -> str:
    """The last line of a command that makes something, which holds that alone."""
    done = run_here(*command)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture
def collection_id(server: Server) -> str:
    return made("collection", "create", "By command")


def status(server: Server, collection_id: str, key: str, method: str = "GET", base: str = "things") -> int:
    url = f"{server.url}/v1/{collection_id}/{base}/items"
    if method == "GET":
        return httpx.get(f"{url}/a", headers={"X-API-Key": key}).status_code
    return httpx.put(url, headers={"X-API-Key": key}, json={"items": [{"key": "a"}]}).status_code


def test_collection_is_listed_after_it_was_made(server: Server, collection_id: str) -> None:
    lines = run_here("collection", "list").stdout.splitlines()
    assert [line for line in lines if line.startswith(collection_id) and line.endswith("  By command")]


def test_data_key_lets_in_until_it_is_revoked(server: Server, collection_id: str) -> None:
    """The first as a process of its own, as one types it."""
    key = server.run("datakey", "create", collection_id, "my app").stdout.splitlines()[-1]
    assert status(server, collection_id, key, "PUT") == 207
    line = run_here("datakey", "list", collection_id).stdout.strip()
    secret = key.split("_")[1]
    assert f"{secret[:4]}...{secret[-4:]}  good  read-write  my app" in line
    assert secret not in line
    assert run_here("datakey", "revoke", collection_id, line.split()[0]).stdout.strip() == "Revoked."
    assert status(server, collection_id, key) == 401
    assert "revoked" in run_here("datakey", "list", collection_id).stdout


@pytest.mark.parametrize(
    "options, read, write, other",
    [
        ([], 200, 207, 404),
        (["--read-only"], 200, 403, 404),
        (["--base", "things"], 200, 207, 403),
        (["--base", "other"], 403, 403, 404),
        (["--drive", "things"], 403, 403, 403),
        (["--days", "1"], 200, 207, 404),
        (["--days", "-1"], 401, 401, 401),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_data_key_has_the_rights_it_was_made_with(
    server: Server, collection_id: str, options: list[str], read: int, write: int, other: int
) -> None:
    assert status(server, collection_id, made("datakey", "create", collection_id, "all"), "PUT") == 207
    key = made("datakey", "create", collection_id, "limited", *options)
    assert status(server, collection_id, key) == read
    assert status(server, collection_id, key, "PUT") == write
    assert status(server, collection_id, key, base="other") == other


def test_data_key_is_limited_by_commands(server: Server, collection_id: str) -> None:
    made("datakey", "create", collection_id, "my app", "--requests-per-second", "5", "--bytes-per-day", "3000000")
    line = run_here("datakey", "list", collection_id).stdout
    assert "read-write, 5 requests a second, 3,000,000 bytes a day  my app" in line
    assert run_here("datakey", "limit", collection_id, line.split()[0], "--requests-per-second", "7").returncode == 0
    assert "read-write, 7 requests a second  my app" in run_here("datakey", "list", collection_id).stdout


@pytest.mark.parametrize(
    "command, says",
    [
        (("collection", "create", " "), "A collection's name has 1 to 128 characters"),
        (("datakey", "create", "nosuchcoll", "x"), "No collection has the id nosuchcoll"),
        (("datakey", "revoke", "nosuchcoll", "1"), "Collection nosuchcoll has no data key 1"),
        (("datakey", "limit", "nosuchcoll", "1"), "Collection nosuchcoll has no data key 1"),
        (
            ("datakey", "create", "nosuchcoll", "x", "--requests-per-second", "0"),
            "A data key's limit is 1 to 100,000 requests a second",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_command_says_what_is_wrong(server: Server, command: tuple[str, ...], says: str) -> None:
    done = run_here(*command)
    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_sweep_deletes_what_has_expired(server: Server, collection_id: str) -> None:
    key = made("datakey", "create", collection_id, "my app")
    url = f"{server.url}/v1/{collection_id}/expiring/items"
    items = [{"key": "gone", "__expires": 1}, {"key": "stays", "__expires": 33_000_000_000}]
    assert httpx.put(url, headers={"X-API-Key": key}, json={"items": items}).status_code == 207
    assert "deleted" in run_here("sweep").stdout
    assert list(Item.objects.filter(key__in=["gone", "stays"]).values_list("key", flat=True)) == ["stays"]


def test_demo_prints_lines_that_work(server: Server) -> None:
    done = run_here("demo")
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("curl ")]
    answers = [json.loads(subprocess.run(["sh", "-c", line], capture_output=True, check=True).stdout) for line in lines]
    house, flags, old, put, refused = answers
    assert house["en"] == ":house:"
    assert flags["items"]
    assert all("drapeau" in item["fr"] for item in flags["items"])
    assert len(old["items"]) == 3
    assert put["processed"]["items"] == [{"key": "mine", "en": ":homeport:"}]
    assert refused["errors"][0] == "Conflicting attributes"


def test_wrong_setting_is_named(server: Server) -> None:
    server_environment = dict(server.environment)
    server.environment["HOMEPORT_WORKERS"] = "many"
    try:
        done = server.run("check")
    finally:
        server.environment = server_environment
    assert done.returncode != 0
    assert "HOMEPORT_WORKERS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("error", [DiskFull, OrmDiskFull])
def test_full_disk_is_not_taken_for_a_server_that_is_down(error: type[DiskFull]) -> None:
    assert cli._sentence_for(error()) == "Storage is full: free some space, then try again"


@pytest.mark.parametrize("error", [EngineUnreachable, OrmEngineUnreachable])
def test_engine_that_is_down_is_told_with_what_to_do(error: type[EngineUnreachable]) -> None:
    told = cli._sentence_for(error())
    assert told is not None
    assert "run `serve` in another terminal" in told


def test_every_command_says_what_storage_refuses(server: Server, settings: Settings) -> None:
    settings.DISK_RESERVE_MB = 10**9
    refused = run_here("demo")
    assert refused.returncode == 1
    assert "Storage is full: free some space" in refused.stderr
