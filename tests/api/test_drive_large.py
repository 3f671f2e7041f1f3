"""A file of 5 GB, and clients that go away in the middle (promises: "Faults to inject")."""

import hashlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from console.listener import KINDS
from storage.models import Blob
from tests.drives import MOST, PART, DriveClient, encoded, md5, noise
from tests.factories import RawConnection, raw_head, shared_http
from tests.processes import living_children
from tests.serving import Server, child_of_serve
from tests.sweeping import swept_report
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("clean_bucket")

MB = 1_048_576
# Of a worker, besides those that do the work of requests.
OTHER_THREADS = 8


def workers(server: Server) -> list[psutil.Process]:
    """The processes that serve requests: the children of the web server's main process."""
    return living_children(child_of_serve(server, "console.listener"))


@contextmanager
def watched_memory(server: Server) -> Iterator[list[int]]:
    """How far the worker grew that grew most, in bytes, as the one entry of a list that is there at the end."""
    processes = workers(server)
    assert processes
    before = {process.pid: process.memory_info().rss for process in processes}
    peak = dict(before)
    done = threading.Event()
    moved: list[int] = []

    def watch() -> None:
        while not done.wait(0.05):
            for process in processes:
                peak[process.pid] = max(peak[process.pid], process.memory_info().rss)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield moved
    finally:
        done.set()
        watching.join()
        moved.append(max(peak[pid] - before[pid] for pid in before))


def part_of(number: int) -> bytes:
    """10 MB that no other part has."""
    return number.to_bytes(8, "big") + noise(MOST)[8:]


def send_and_fetch(drive: DriveClient, parts: int) -> None:
    """A file of so many parts of 10 MB, up and down, with its hash compared."""
    sent, got = hashlib.sha256(), hashlib.sha256()
    upload_id = drive.begin("big")
    for number in range(1, parts + 1):
        content = part_of(number)
        sent.update(content)
        assert drive.part(upload_id, "big", number, content).status_code == 200
    assert drive.end(upload_id, "big").status_code == 200

    url = f"{drive.server.url}{drive.caller.path}/files/download?name=big"
    with shared_http().stream("GET", url, headers={"X-API-Key": drive.caller.key_text}) as response:
        assert response.headers["Content-Length"] == str(parts * MOST)
        for chunk in response.iter_raw(MB):
            got.update(chunk)
    assert got.digest() == sent.digest()


@pytest.mark.slow
@pytest.mark.parametrize("parts", [512])
def test_5_gb_up_and_down_move_the_memory_by_less_than_64_mb(server: Server, drive: DriveClient, parts: int) -> None:
    send_and_fetch(drive, 20)  # what a worker allocates once, whatever it serves

    with watched_memory(server) as moved:
        send_and_fetch(drive, parts)
        tail = drive.get("big", headers={"Range": f"bytes={parts * MOST - 10}-"})

    assert tail.content == part_of(parts)[-10:]
    assert moved[0] < 64 * MB, f"{moved[0] / MB:.0f} MB"
    drive.delete("big")
    assert swept_report().is_clean


def connections(server: Server) -> int:
    """Sockets of the workers that are connected to anybody, or were until somebody hung up."""
    return sum(
        connection.status in ("ESTABLISHED", "CLOSE_WAIT")
        for process in workers(server)
        for connection in process.net_connections("tcp")
    )


def threads(server: Server) -> int:
    """Those of the workers."""
    return sum(process.num_threads() for process in workers(server))


def go_away(drive: DriveClient, number: int) -> None:
    """Begin a download, an upload or a part, and hang up in the middle."""
    with RawConnection(drive.server) as connection:
        if number % 2:
            connection.send(raw_head(drive.caller, "GET", f"/files/download?name={encoded('f')}"))
            connection.socket.recv(1000)
        else:
            connection.send(raw_head(drive.caller, "POST", f"/files?name=gone{number}", "Content-Length: 5000000"))
            connection.send(noise(500_000))


def send_400_away(server: Server, drive: DriveClient) -> None:
    """More than there are shares in all workers: one that were kept would be missed at the end."""
    whole = noise(PART) * 4
    drive.end(drive.begin("f", *[noise(PART)] * 4), "f")
    drive.content("f")
    before = connections(server)

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda number: go_away(drive, number), range(400)))

    def is_over() -> bool:
        return not Blob.objects.filter(state="pending").exists() and connections(server) <= before + 20

    eventually(is_over)
    assert drive.names() == ["f"]
    with ThreadPoolExecutor(8) as pool:
        results: list[Any] = list(pool.map(lambda n: drive.put(f"g{n}", b"x").status_code, range(300)))
    assert set(results) == {201}
    assert md5(drive.content("f") or b"") == md5(whole)
    assert swept_report().is_clean


def test_clients_that_go_away_leave_nothing(server: Server, drive: DriveClient) -> None:
    send_400_away(server, drive)

    assert threads(server) <= len(workers(server)) * (sum(KINDS.values()) + OTHER_THREADS)
