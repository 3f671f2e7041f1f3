"""A disk with no room left: 507, while reads and deletes go on; writes return once space is free."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
import pytest

from tests.drives import PART, noise
from tests.embedded.disks import MB, NEEDED_MB, RESERVE_MB, SmallDisk, needs_small_disk
from tests.embedded.servers import serving_on_small_disk
from tests.ledger import Ledger
from tests.serving import Server, child_of_serve
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS, eventually

pytestmark = [needs_small_disk, pytest.mark.alone]


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Server, SmallDisk]]:
    with serving_on_small_disk() as served:
        yield served


@pytest.fixture
def small_disk(served: tuple[Server, SmallDisk]) -> SmallDisk:
    return served[1]


@pytest.fixture
def client(served: tuple[Server, SmallDisk]) -> Iterator[httpx.Client]:
    server, _ = served
    collection_id, key = server.make_key("full")
    url = f"{server.url}/v1/{collection_id}/full"
    with httpx.Client(base_url=url, headers={"X-API-Key": key}, timeout=MOMENT_SECONDS, trust_env=False) as client:
        yield client


@pytest.mark.slow
def test_writes_are_507_and_all_else_goes_on(client: httpx.Client, small_disk: SmallDisk) -> None:
    client.put("/items", json={"items": [{"key": "a", "n": 1}, {"key": "b"}]}).raise_for_status()
    for name in "fg":
        client.post(f"/files?name={name}", content=noise(2_000_000)).raise_for_status()
    upload = f"/uploads/{client.post('/uploads?name=u').json()['upload_id']}"
    client.post(f"{upload}/parts?name=u&part=1", content=noise(PART)).raise_for_status()
    writes: list[tuple[str, str, dict[str, Any], int]] = [
        ("PUT", "/items", {"json": {"items": [{"key": "a", "n": 2}]}}, 207),
        ("POST", "/items", {"json": {"item": {"key": "c"}}}, 201),
        ("PATCH", "/items/a", {"json": {"increment": {"n": 1}}}, 200),
        ("POST", "/files?name=f", {"content": b"new"}, 201),
        ("POST", "/files?name=f", {"content": noise(3_000_000)}, 201),
        ("POST", "/uploads?name=v", {}, 202),
        ("POST", f"{upload}/parts?name=u&part=2", {"content": b"end"}, 200),
        ("PATCH", f"{upload}?name=u", {}, 200),
    ]

    small_disk.leave((NEEDED_MB - 1) * MB)
    for method, path, body, _ in writes:
        answer = client.request(method, path, **body)
        assert (answer.status_code, list(answer.json())) == (507, ["errors"]), (method, path)
        answer = client.request(method, path, **body, headers={"X-API-Key": "a_b"})
        assert answer.status_code == 401, "how full the disk is, is told to those alone who may write"
    assert client.get("/items/a").json() == {"key": "a", "n": 1}
    assert len(client.post("/query", json={}).json()["items"]) == 2
    assert client.get("/files/download?name=f").content == noise(2_000_000)
    assert client.get("/files").json() == {"names": ["f", "g"]}
    assert client.delete("/items/b").status_code == 200
    assert client.request("DELETE", "/files", json={"names": ["g"]}).status_code == 200
    assert client.get("/files").json() == {"names": ["f"]}

    small_disk.free()
    for method, path, body, status in writes:
        assert client.request(method, path, **body).status_code == status, (method, path)
    assert client.get("/files/download?name=f").content == noise(3_000_000)
    assert client.get("/files/download?name=u").content == noise(PART) + b"end"


def is_stored(client: httpx.Client, name: str) -> bool:
    return client.post(f"/files?name={name}", content=noise(9_000_000)).is_success


def is_refused_with(client: httpx.Client, small_disk: SmallDisk, left_mb: int) -> bool:
    """Whether a write finds the disk full, once more filled: what was deleted before may give its room back meanwhile."""
    small_disk.leave(left_mb * MB)
    return client.post("/files?name=new", content=b"new").status_code == 507


@pytest.mark.slow
def test_deleting_gives_room_back_at_once(client: httpx.Client, small_disk: SmallDisk) -> None:
    """However little is left: what is kept for this is enough to delete and to compact."""
    names = [f"f{number}" for number in range(24)]
    for left_mb in (NEEDED_MB - 1, 25, 0):
        for name in names:
            # 200 MB at once keep a busy disk longer than a request waits.
            eventually(partial(is_stored, client, name))
        client.put("/items", json={"items": [{"key": "a"}]}).raise_for_status()
        eventually((small_disk.folder / "engines" / "reserve").exists)
        eventually(partial(is_refused_with, client, small_disk, left_mb))
        eventually(lambda: client.request("DELETE", "/files", json={"names": names[1:]}).status_code == 200)
        # 200 MB go, in a few seconds; the times of grace, of an hour, would make them wait.
        eventually(lambda: small_disk.free_bytes > NEEDED_MB * MB)
        eventually(lambda: client.put("/items", json={"items": [{"key": "b"}]}).status_code == 207)
        assert client.get("/files/download?name=f0").content == noise(9_000_000)
        if left_mb:
            # Where nothing was left SeaweedFS looks once a minute whether there is room again: `test_writers_at_once.py` waits.
            eventually(lambda: client.post("/files?name=new", content=b"new").status_code == 201)
            assert client.get("/files/download?name=new").content == b"new"
        small_disk.free()


@pytest.mark.slow
def test_seaweedfs_is_started_again_when_it_says_that_a_journal_is_stuck(
    served: tuple[Server, SmallDisk], client: httpx.Client
) -> None:
    """What it says is written here in its place: the long run has it come to that."""
    server, small_disk = served
    before = child_of_serve(server, "weed")
    with (small_disk.folder / "engines" / "seaweedfs.log").open("ab") as log:
        log.write(b"write seaweedfs/filer/filerldb2/05/000001.log: no space left on device\n")
    eventually(lambda: "stores and deletes nothing any more" in server.log)
    eventually(lambda: client.post("/files?name=new", content=b"new").status_code == 201)
    assert not before.is_running()


# Deletes are small writes to SeaweedFS's journals alone: so many that one of these needs another page of the disk.
OBJECTS = """
import uuid
from concurrent.futures import ThreadPoolExecutor
import django
django.setup()
from storage.errors import StorageError
from storage.s3 import blobs
ids = [uuid.UUID(int=number) for number in range(300)]
def put(blob_id):
    blobs.put(blob_id, length=1, chunks=[b"x"], owner=blobs.Owner("c", "d", "f"))
def delete(blob_id):
    try:
        return len(blobs.delete([blob_id]))
    except StorageError:
        return 1
with ThreadPoolExecutor(16) as threads:
    refused = list(threads.map({}, ids))
"""


@pytest.mark.slow
def test_seaweedfs_deletes_again_after_it_could_not_write(served: tuple[Server, SmallDisk]) -> None:
    server, small_disk = served
    server.run_code(OBJECTS.format("put"))
    delete = OBJECTS.format("delete") + "print(sum(refused))"
    with small_disk.kept_full():
        eventually(lambda: small_disk.free_bytes < MB)
        assert server.run_code(delete) != "0", "the disk was not full enough for the test"
    small_disk.free()
    eventually(lambda: server.run_code(delete) == "0")
    assert "stores and deletes nothing any more" in server.log


@pytest.mark.slow
@pytest.mark.parametrize("reserve_mb", [RESERVE_MB, 0])
def test_nothing_acknowledged_is_lost_on_a_full_disk(reserve_mb: int) -> None:
    """Without a reserve both engines themselves run out of space, in the middle of writes."""
    with serving_on_small_disk(HOMEPORT_DISK_RESERVE_MB=str(reserve_mb)) as (server, small_disk):
        with Ledger(server) as ledger:
            eventually(lambda: all(len(began) > 20 for began in ledger.acknowledged.values()))
            small_disk.leave(2 * reserve_mb * MB + 20 * MB)
            eventually(lambda: ledger.refused[507] > 200)
            before = ledger.read_statuses.copy()
            eventually(lambda: ledger.read_statuses.total() > before.total() + 20)
            assert (ledger.read_statuses - before).keys() <= {200, 404}
            small_disk.free()
            for kind in ledger.services:
                assert ledger.seconds_until_written(kind) < PROMISED_SECONDS
        assert ledger.refused[507] > 200
        ledger.check()
