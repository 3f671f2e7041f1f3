"""`deta collection`, `deta key` and `deta visor tail`, against the real server."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from clients.python.tests.cli.shell import Shell
from clients.python.tests.conftest import Place
from storage.events import recording
from tests.factories import make_client
from tests.terminals import Terminal
from tests.waiting import eventually

from deta.cli.visor.seen import Seen, line_of


def test_key_is_printed_alone_and_lets_an_app_in_until_it_is_revoked(shell: Shell, place: Place) -> None:
    done = shell.run("key", "create", "app", "--read-only", "--base", "things", "--days", "3")
    key = done.stdout.strip()
    assert done.stdout == f"{key}\n"
    assert done.stderr == "Data key “app” created (read things). It is shown this once: keep it now.\n"
    app = make_client(place.server, "things", collection_id=place.collection_id)
    headers = {"headers": {"X-API-Key": key}}
    assert app.get("a", **headers).status_code == 404
    assert app.send("PUT", "/items", {"items": [{"key": "a"}]}, **headers).status_code == 403
    listed = shell.does("key", "ls")
    assert f"{key[:15]}...{key[-4:]}  app" in listed
    assert key not in listed
    assert shell.fails("key", "revoke", "app").startswith("Revoke “app” (")
    shell.does("key", "revoke", "app", "--yes")
    assert app.get("a", **headers).status_code == 401
    assert "app" not in shell.does("key", "ls")
    assert [each["name"] for each in json.loads(shell.does("key", "ls", "--all", "--json")) if each["revoked_at"]] == [
        "app"
    ]


def test_key_that_is_meant_has_to_be_clear(shell: Shell) -> None:
    for _ in range(2):
        shell.does("key", "create", "twice")
    assert shell.fails("key", "revoke", "twice", "--yes").startswith("Several keys are called “twice”: say which by")
    assert shell.fails("key", "revoke", "nope", "--yes").startswith(
        "No key is called “nope”: there are “Made by a test”"
    )


def test_reader_learns_of_no_keys_and_makes_no_collection(reader: Shell, shell: Shell) -> None:
    for command in (("ls",), ("create", "x")):
        assert "Read-only" in reader.fails("key", *command)
    assert shell.fails("collection", "create", "x") == "Only owners of the server make collections: ask one of them"
    assert shell.does("collection", "ls").splitlines()[1].endswith("Made by a test  owner")


@pytest.fixture
def recorded(place: Place) -> Iterator[None]:
    recording.start_recording(place.collection_id)
    yield
    recording.stop_recording(place.collection_id)


def test_tail_shows_requests_as_they_come_each_once(terminal: Terminal, place: Place, recorded: None) -> None:
    """The process is a real one: it goes on until it is ended."""
    client = make_client(place.server, "things", collection_id=place.collection_id)
    shown: list[dict[str, Any]] = []
    command = terminal.command("visor", "tail", "--json", "--path", "/items/", "--status", "404")
    process = subprocess.Popen(
        command, env=terminal.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    lines = process.stdout
    reading = threading.Thread(target=lambda: shown.extend(json.loads(line) for line in lines))
    reading.start()
    asked = 0

    def ask() -> bool:
        nonlocal asked
        client.get(f"k{asked}")
        asked += 1
        time.sleep(0.2)
        return len(shown) >= 3

    try:
        eventually(ask)
        client.put({"key": "there"})
        client.get("there")
        # Recording takes effect within two seconds, so the first ones may not be there; behind those none is missing.
        eventually(lambda: f"things/items/k{asked - 1}" in [event["path"] for event in shown])
        eventually(lambda: len(shown) == asked - min(map(number_of, shown)))
    finally:
        # Not as a person would, by Ctrl-C: whoever runs tests in the background has that ignored.
        process.terminate()
        reading.join()
        said = process.stderr.read()
        process.stderr.close()
        process.stdout.close()
        process.wait()
    assert said == ""
    numbers = sorted(map(number_of, shown))
    assert numbers == list(range(numbers[0], asked))
    assert {event["status"] for event in shown} == {404}
    assert {event["key"] for event in shown} == {"Made by a test"}


def number_of(event: "dict[str, Any]") -> int:
    return int(event["path"].removeprefix("things/items/k"))


def event(number: int, *, seconds: int = 0, **more: Any) -> "dict[str, Any]":
    ms = 1_800_000_000_000 + seconds * 1000
    known = {"id": f"{ms:012x}{number:020x}", "at": "2026-11-28T12:00:00+00:00", "status": 200, "method": "GET"}
    return {**known, "path": "things/items/a", "query": "", "duration_ms": 1.25, "key": None, "micro": None, **more}


def test_what_is_stored_late_is_shown_and_nothing_twice() -> None:
    seen = Seen()
    first, second, late = event(1), event(3, seconds=2), event(2, seconds=1)
    assert seen.take_new([second, first]) == [first, second]
    assert seen.take_new([second, late, first]) == [late]
    assert seen.after == second["id"]
    assert seen.take_new([first, second, late]) == []
    slow = event(5, seconds=-3000, duration_ms=3_000_000)
    assert seen.take_new([slow]) == [slow]
    newer = event(4, seconds=300)
    assert seen.take_new([newer]) == [newer]
    assert seen.after == newer["id"]
    assert seen.take_new([slow, newer]) == []


def test_line_holds_nothing_that_moves_a_terminals_cursor() -> None:
    text, colour = line_of(event(1, status=503, path="a\x1b[2J\n\x07b", query="x=1", micro="app"))
    assert text.endswith("  503  GET    a?[2J??b?x=1  1.2 ms  app")
    assert colour == "red"
