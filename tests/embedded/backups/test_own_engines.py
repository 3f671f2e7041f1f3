"""Backups of a server whose PostgreSQL and S3 are not the bundled ones: what they have, and what brings files back from them."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drives import noise
from tests.embedded.backups.worlds import World, files_of, run, try_to
from tests.embedded.servers import making_servers
from tests.engines import make_data_folder, remove_data_folder
from tests.postgres_pair import Pair
from tests.second_s3 import serve_second_s3
from tests.serving import Server
from tests.waiting import LONG_SECONDS

pytestmark = pytest.mark.slow

FILES = {"a": noise(300_000, seed=1), "b": noise(6_000_000, seed=2)}

# What is wrong with backups, and how the last drill that the schedule made ended.
_PROBLEMS = """
import django
django.setup()
from storage.backups import problems
from storage.models import BackupRun
print([each.key for each in problems.find_problems()])
"""
_DRILL_AS_DUE = """
import django
django.setup()
from storage.backups import plans, runs
plans.change_plan(drill_every_days=1)
runs.continue_runs()
from storage.models import BackupRun
print(BackupRun.objects.filter(kind="drill", fault="", ended_at__isnull=False).count())
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A server with engines of its owner's own and two files."""
    target, folder = Path(tempfile.mkdtemp(prefix="homeport-backups-")), make_data_folder()
    pair = Pair(folder, alone=True)
    try:
        with serve_second_s3(tmp_path_factory.mktemp("own") / "s3") as s3, making_servers() as make:
            server = make(DATABASE_URL=pair.leader_url(), **s3).start()
            server.wait_ready(LONG_SECONDS)
            made = World(server, target)
            for name, content in FILES.items():
                made.put_file(name, content)
            yield made
    finally:
        pair.stop()
        remove_data_folder(folder)
        shutil.rmtree(target)


# All objects are gone from the bucket, or those of one size; how many these were.
_LOSE = """
import django
django.setup()
from storage.s3 import blobs
lost = [each.id for each in blobs.list_blobs() if {0} in (None, each.size_bytes)]
blobs.delete(lost)
print(len(lost))
"""


def test_a_backup_has_files_and_secrets_and_says_what_to_use_for_the_database(world: World) -> None:
    said = world.back_up(str(world.target))
    assert "The database is one of your own (DATABASE_URL) and is not in it" in said
    assert "pgBackRest" in said
    assert "(files and secrets)" in said
    assert f"{len(FILES)} new files" in said
    assert {path.name for path in world.target.iterdir() if path.is_dir()} >= {"blobs", "data", "manifests"}
    assert not (world.target / "postgres").exists()
    assert not (world.target / "wal").exists()
    world.put_file("c", b"later")
    assert "1 new files" in world.back_up()
    with world.http() as http:
        http.request("DELETE", "/drive/files", json={"names": ["c"]}).raise_for_status()


def test_a_drill_reads_all_of_it_and_names_what_is_damaged(world: World, tmp_path: Path) -> None:
    world.back_up(str(world.target))
    assert "is good: all of it was read and compared." in run(world.server, "drill")
    assert world.server.run_code(_DRILL_AS_DUE) != "0"
    assert world.server.run_code(_PROBLEMS) == "[]"
    copy = world.copy_target(tmp_path)
    blob = max(copy.glob("blobs/*/*/*"), key=lambda path: path.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    done = try_to(world.server, "drill", str(copy))
    assert done.returncode == 1
    assert blob.name in done.stderr


def test_files_that_the_bucket_lost_come_back_from_there(world: World) -> None:
    world.back_up(str(world.target))
    with world.http() as http:
        assert files_of(http) == FILES
        assert int(world.server.run_code(_LOSE.format(None))) >= len(FILES)
        assert http.get("/drive/files/download", params={"name": "a"}).status_code >= 500
        before = try_to(world.server, "reconcile")
        assert before.returncode == 1
        assert "missing objects" in before.stdout
        said = run(world.server, "reconcile", "--from-backups", str(world.target))
        assert "; 0 are not in the backups either" in said
        assert "0 missing objects" in said
        assert files_of(http) == FILES


def test_what_the_backups_lack_too_is_counted(world: World, tmp_path: Path) -> None:
    world.back_up(str(world.target))
    new = b"in no backup yet"
    world.put_file("new", new)
    try:
        assert world.server.run_code(_LOSE.format(len(new))) == "1"
        copy = world.copy_target(tmp_path)
        # New files come there four times a minute, so it may be there by now.
        for path in copy.glob("blobs/*/*/*"):
            if path.read_bytes() == new:
                path.unlink()
        done = try_to(world.server, "reconcile", "--from-backups", str(copy))
        assert done.returncode == 1
        assert "0 blobs brought back; 1 are not in the backups either" in done.stdout
    finally:
        with world.http() as http:
            http.request("DELETE", "/drive/files", json={"names": ["new"]}).raise_for_status()


def test_no_server_is_restored_from_it_and_it_says_what_to_do(world: World, tmp_path: Path) -> None:
    world.back_up(str(world.target))
    refused = try_to(world.server, "restore", str(world.target))
    assert "unset DATABASE_URL and S3_ENDPOINT_URL" in refused.stderr
    bundled = Server(tmp_path / "new", 1, 2)
    done = try_to(bundled, "restore", str(world.target))
    assert (refused.returncode, done.returncode) == (1, 1)
    assert "These backups have files and secrets, and no database" in done.stderr
    assert "`reconcile --from-backups` then brings back the files" in done.stderr
