"""Backups of a running server, and servers restored from them: to a second, from another S3, and after what breaks."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from storage.backups.restoring import drills
from storage.backups.targets.catalogue import read_catalogue
from storage.backups.targets.places import FolderPlace
from storage.embedded import paths
from tests.drives import noise
from tests.embedded.backups.worlds import World, files_of, items_of, restored, run, try_to, write_moment
from tests.embedded.servers import making_servers
from tests.engines import remove_data_folder
from tests.second_s3 import ACCESS_KEY, BUCKET, SECRET_KEY, serve_second_s3
from tests.serving import ROOT
from tests.waiting import LONG_SECONDS, eventually

pytestmark = pytest.mark.slow

FILES = {"kept": noise(300_000, seed=1), "deleted": noise(200_000, seed=2), "new": noise(100_000, seed=3)}


class Told(NamedTuple):
    """The world, and what it was before somebody deleted things by mistake."""

    world: World
    before: str
    cursor: str
    micro: str
    session: str


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """A chain of three backups; then an item and a file are deleted, and the file's bytes swept."""
    target = Path(tempfile.mkdtemp(prefix="homeport-backups-"))
    with making_servers() as make:
        server = make()
        server.start().wait_ready(LONG_SECONDS)
        world = World(server, target)
        micro, session = server.run_code(_SECRETS.format(world.collection)).split()
        world.put("a", "b")
        world.put_file("kept", FILES["kept"])
        assert "(whole)" in world.back_up(str(target))
        world.put("c")
        world.put_file("deleted", FILES["deleted"])
        assert "(incremental)" in world.back_up()
        world.put("d")
        assert "(incremental)" in world.back_up()
        world.put("e")
        world.put_file("new", FILES["new"])
        before = world.let_time_pass()
        with world.http() as http:
            for key in "ae":
                http.delete(f"/base/items/{key}").raise_for_status()
            http.request("DELETE", "/drive/files", json={"names": ["deleted", "new"]}).raise_for_status()
            cursor = http.get("/base/changes").raise_for_status().json()["cursor"]
        run(server, "sweep")
        assert server.run_code(_COUNT) == "1"
        world.let_time_pass()
        yield Told(world, write_moment(before), cursor, micro, session)
    shutil.rmtree(target)


# A Micro with a variable, and the session of somebody who has signed in.
_SECRETS = """
import django
django.setup()
from storage.micros import micros, variables
from tests.people import make_person, make_session
micro = micros.create_micro(collection_id={0!r}, name="sealed")
variables.set_variables(collection_id={0!r}, micro_id=micro.id, values={{"TOKEN": "a secret of mine"}})
print(micro.id, make_session(make_person(owns_server=True)))
"""

# What the Micro finds in its environment, and the data key that lets it in.
_UNSEALED = """
import django
django.setup()
from storage.micros import micros, variables
micro = micros.find_micro(collection_id={!r}, micro_id={!r})
print(variables.read_variables(micro)["TOKEN"], micros.read_data_key(micro), sep="\\n")
"""

# The objects in the bucket.
_COUNT = """
import django
django.setup()
from storage.s3 import blobs
print(len(list(blobs.list_blobs())))
"""


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder that is not there yet, for a server to be restored into."""
    folder = Path(tempfile.mkdtemp(prefix="homeport-test-")).resolve()
    folder.rmdir()
    paths.make_data_folder(folder)
    yield folder
    remove_data_folder(folder)


def test_a_server_is_restored_to_a_second_before_a_deletion(told: Told, empty: Path) -> None:
    server = restored(told.world.server, empty, str(told.world.target), "--at", told.before)
    try:
        with told.world.http(server) as http:
            assert items_of(http) == set("abcde")
            assert files_of(http) == FILES
            # What somebody had read of the changes is of another life of this Base.
            for _ in range(2):
                gone = http.get("/base/changes", params={"since": told.cursor})
                assert gone.status_code == 410, gone.text
                http.put("/base/items", json={"items": [{"key": "after"}]}).raise_for_status()
            since = http.get("/base/changes").raise_for_status().json()
            assert [change["key"] for change in since["changes"]] == ["after", "after"]
        # Whoever had signed in still has, and what was sealed opens: the secrets came along.
        cookies = {"sessionid": told.session}
        assert httpx.get(f"{server.url}/server/", cookies=cookies, timeout=LONG_SECONDS).status_code == 200
        variable, its_key = server.run_code(_UNSEALED.format(told.world.collection, told.micro)).splitlines()
        assert variable == "a secret of mine"
        with told.world.http(server) as http:
            assert http.get("/base/items/a", headers={"X-API-Key": its_key}).status_code == 200
        assert "0 orphaned objects, 0 unreferenced blobs, 0 missing objects" in run(server, "reconcile")
        # It goes on with backups of its own in the same place, and does the other's no harm.
        assert "(whole)" in run(server, "backup", str(told.world.target))
        lines = {each.line for each in told.world.catalogue().restorable()}
        assert len(lines) == 2
    finally:
        server.stop()


def test_a_drill_restores_the_newest_backup_and_compares_it(told: Told) -> None:
    newest = [each for each in told.world.catalogue().restorable() if each.parent][-1]
    assert newest.rows["storage_item"] >= 4
    said = run(told.world.server, "drill", "--backup", newest.id)
    assert f"The backup {newest.id} is good" in said
    assert not (told.world.server.data / "drill").exists()


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    "pattern",
    [
        "postgres/*/base.tar.zst",
        "postgres/*/backup_manifest",
        "log",
        "blobs/*/*/*",
        "lists/*",
        "data/*",
        "manifests/*",
    ],
)
@pytest.mark.parametrize("damage", [_flip, Path.unlink], ids=["changed", "missing"])
def test_what_is_damaged_is_named(told: Told, tmp_path: Path, damage: Callable[[Path], None], pattern: str) -> None:
    copy = told.world.copy_target(tmp_path)
    whole = read_catalogue(FolderPlace(copy))
    # In the middle of what the first backup needs.
    first = copy / whole.log_of(whole.backups[0])[1].path if pattern == "log" else sorted(copy.glob(pattern))[0]
    ids = [each.id for each in whole.backups]
    damage(first)
    known = read_catalogue(FolderPlace(copy))
    faults = [*known.damaged, *drills.find_missing(FolderPlace(copy), known, _expecting(told, ids))]
    drills.read_everything(FolderPlace(copy), known, faults)
    named = first.relative_to(copy).as_posix()
    assert any(named in fault or named.split("/")[-1][:16] in fault for fault in faults), faults


def _expecting(told: Told, ids: list[str]) -> drills.Expected:
    line = told.world.catalogue().backups[0].line
    kept_until = told.world.kept_until() - timedelta(minutes=1)
    return drills.Expected(ids=ids, line=line, kept_until=kept_until, engine_user="")


def test_a_drill_of_a_damaged_backup_fails(told: Told, tmp_path: Path) -> None:
    copy = told.world.copy_target(tmp_path)
    (blob, *_) = sorted(copy.glob("blobs/*/*/*"))
    _flip(blob)
    done = try_to(told.world.server, "drill", str(copy))
    assert done.returncode == 1
    assert blob.name in done.stderr


def _has_more(target: Path, where: str, there: set[Path]) -> bool:
    return bool(set(target.glob(where)) - there)


def test_an_interrupted_backup_is_none_and_leaves_the_others(told: Told) -> None:
    target = told.world.target
    before = [each.id for each in told.world.catalogue().backups]
    for when, may_be_whole in (("postgres/*/*", False), ("lists/*", True)):
        there = set(target.glob(when))
        with subprocess.Popen(
            [sys.executable, "manage.py", "backup", "--full"], cwd=ROOT, env=told.world.server.environment
        ) as backup:
            eventually(partial(_has_more, target, when, there), seconds=LONG_SECONDS)
            os.kill(backup.pid, signal.SIGKILL)
        there_now = [each.id for each in told.world.catalogue().backups]
        # Its manifest follows its list so soon that it may have been written by then.
        assert there_now == before or (may_be_whole and there_now[:-1] == before)
        before = there_now
    told.world.back_up()
    made = told.world.catalogue().backups
    assert [each.id for each in made][:-1] == before
    assert {path.name for path in target.glob("postgres/*")} == {each.id for each in made}


def test_a_second_place_is_another_s3_and_a_server_comes_back_from_there(
    told: Told, tmp_path: Path, empty: Path
) -> None:
    with serve_second_s3(tmp_path / "s3") as s3:
        access = {
            "HOMEPORT_BACKUP_S3_ENDPOINT_URL": s3["S3_ENDPOINT_URL"],
            "HOMEPORT_BACKUP_S3_ACCESS_KEY_ID": ACCESS_KEY,
            "HOMEPORT_BACKUP_S3_SECRET_ACCESS_KEY": SECRET_KEY,
        }
        told.world.server.environment |= access
        place = f"s3://{BUCKET}/of/mine"
        assert "(whole)" in told.world.back_up(place)
        with told.world.http() as http:
            items, files = items_of(http), files_of(http)
        server = restored(told.world.server, empty, place, **access)
        try:
            with told.world.http(server) as http:
                assert items_of(http) == items
                assert files_of(http) == files
        finally:
            server.stop()


def test_a_restore_that_is_interrupted_begins_anew_and_nothing_starts_before(told: Told, empty: Path) -> None:
    environment = told.world.server.environment | {"HOMEPORT_DATA": str(empty)}
    command = [sys.executable, "manage.py", "restore", str(told.world.target)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as restore:
        eventually((empty / "homeport.json").exists, seconds=LONG_SECONDS)
        os.kill(restore.pid, signal.SIGKILL)
    serve = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONG_SECONDS,
    )
    assert serve.returncode == 1
    assert "a restore into it was interrupted" in serve.stderr
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG_SECONDS)
    assert done.returncode == 0, done.stderr
    assert not (empty / "restore.json").exists()
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LONG_SECONDS)
    assert again.returncode == 1
    assert f"{empty} is not empty" in again.stderr
