"""As large as promised: a million items, ten thousand files, and a file of 5 GB."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from clients.python.tests.conftest import Place
from storage.collections import deletion
from storage.models import Collection
from tests.factories import make_client
from tests.terminals import Terminal

pytestmark = pytest.mark.slow

MOST_KB = 100_000
PART = 10 * 1024 * 1024


@pytest.fixture
def passing(place: Place) -> Iterator[None]:
    """Its files go with their collection: they would hold up tests that look at all of the server's."""
    yield
    collection = Collection.objects.get(id=place.collection_id)
    deletion.delete_collection(collection_id=collection.id, typed_name=collection.name, asked_by=None)


def peak_kb(terminal: Terminal, *arguments: str) -> int:
    """The most memory that the command had while it ran; it must exit with 0."""
    process = subprocess.Popen(
        terminal.command(*arguments),
        cwd=terminal.folder,
        env=terminal.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    most = 0
    while process.poll() is None:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                most = max(most, int(line.split()[1]))
        time.sleep(0.2)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return most


def test_million_items_go_in_and_come_out_in_bounded_memory(terminal: Terminal, place: Place) -> None:
    source = terminal.folder / "million.jsonl"
    with source.open("w") as file:
        for number in range(1_000_000):
            file.write(f'{{"key":"k{number:07}","n":{number}.10,"text":"item {number}"}}\n')
    assert peak_kb(terminal, "base", "import", "million", "million.jsonl") < MOST_KB
    assert peak_kb(terminal, "base", "export", "million", "-o", "out.jsonl") < MOST_KB
    lines = (terminal.folder / "out.jsonl").read_text().splitlines()
    assert len(lines) == 1_000_000
    assert '"n":999999.10' in lines[-1]


@pytest.mark.usefixtures("passing")
def test_ten_thousand_files_go_once(terminal: Terminal, place: Place) -> None:
    for number in range(10_000):
        file = terminal.folder / "many" / f"{number % 100:02}" / f"{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"file {number}")
    first, second = (json.loads(terminal.does("drive", "sync", "many", "many:", "--json")) for _ in range(2))
    assert (first["moved"], first["same"]) == (10_000, 0)
    assert (second["moved"], second["same"]) == (0, 10_000)


@pytest.mark.usefixtures("passing")
def test_five_gigabytes_go_on_where_they_were_broken_off(terminal: Terminal, place: Place) -> None:
    """The process is killed in the middle; the next one sends what is missing, in bounded memory."""
    source = terminal.folder / "huge" / "film"
    source.parent.mkdir()
    with source.open("wb") as file:
        for part in (0, 100, 511):
            file.seek(part * PART)
            file.write(bytes([part % 251]) * 100)
        file.truncate(512 * PART)
    process = subprocess.Popen(
        terminal.command("drive", "sync", "huge", "huge:"), cwd=terminal.folder, env=terminal.environment
    )
    time.sleep(20)
    process.kill()
    process.wait()
    assert peak_kb(terminal, "drive", "sync", "huge", "huge:") < 2 * MOST_KB
    assert json.loads(terminal.does("drive", "sync", "huge", "huge:", "--json"))["same"] == 1
    (listed,) = json.loads(terminal.does("drive", "ls", "huge", "--json"))
    assert (listed["name"], listed["size"]) == ("film", 512 * PART)
    drive = make_client(place.server, "huge", collection_id=place.collection_id)
    last = drive.send("GET", "/files/download?name=film", headers={"Range": f"bytes={511 * PART}-{511 * PART + 99}"})
    assert last.content == bytes([511 % 251]) * 100
