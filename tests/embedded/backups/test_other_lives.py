"""Backups of a server whose database lives another life than before: upgraded, or put back from a copy of the data folder.

Those from before stay as they are, and what comes after begins anew.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.embedded import accounts, leftovers, paths, postgres, state, upgrade
from tests.embedded.backups.worlds import World, items_of, restored, run, write_moment
from tests.engines import remove_data_folder
from tests.serving import Server
from tests.waiting import LONG_SECONDS

pytestmark = pytest.mark.slow


def upgrade_to_itself(data: Path) -> None:
    """What `upgrade` does, from the version here to itself: of an older one there were no incremental backups yet."""
    made = state.load(data)
    assert made
    account = accounts.engine_account(accounts.OWN)
    binaries, marks = paths.binaries(account), leftovers.marks(made.instance_id, data)
    of = upgrade.Installation(made.home(data).resolve(), made.postgres, binaries, account, marks)
    upgrade._clear(of)
    upgrade._make_new(of, binaries.postgres, print)
    upgrade._try_new(of)
    shutil.rmtree(of.work)
    of.unfinished.rename(upgrade._incoming(of.home))
    upgrade._swap(of.home)
    assert postgres.major_of(of.used) == paths.POSTGRES_MAJOR


@pytest.fixture
def target() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="homeport-backups-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def empty() -> Iterator[Path]:
    """A folder for a server to be restored into."""
    folder = Path(tempfile.mkdtemp(prefix="homeport-test-")).resolve()
    folder.rmdir()
    paths.make_data_folder(folder)
    yield folder
    remove_data_folder(folder)


def assert_comes_back(world: World, empty: Path, keys: str, *options: str) -> None:
    """Restore it, and compare the items."""
    back = restored(world.server, empty, str(world.target), *options)
    try:
        with world.http(back) as http:
            assert items_of(http) == set(keys)
    finally:
        back.stop()
        remove_data_folder(empty)
        paths.make_data_folder(empty)


def test_the_first_backup_after_an_upgrade_is_a_whole_one(
    make_server: Callable[..., Server], target: Path, empty: Path
) -> None:
    server = make_server().start()
    server.wait_ready(LONG_SECONDS)
    world = World(server, target)
    world.put("a")
    assert "(whole)" in world.back_up(str(target))
    assert "(incremental)" in world.back_up()
    world.put("b")
    before = world.let_time_pass()
    server.stop()
    upgrade_to_itself(server.data)
    server.start().wait_ready(LONG_SECONDS)
    world.put("c")
    world.back_up()
    first, second, *others = world.catalogue().restorable()
    assert (second.parent, second.line) == (first.id, first.line)
    # Whether it was due by itself before, or is the one that was asked for.
    assert others[0].is_full
    assert {each.line for each in others} == {others[-1].line} != {first.line}
    assert "is good" in run(server, "drill")
    assert_comes_back(world, empty, "ab", "--at", write_moment(before))
    assert_comes_back(world, empty, "abc")


def test_the_first_backup_of_a_data_folder_that_was_put_back_is_a_whole_one(
    make_server: Callable[..., Server], target: Path, empty: Path, tmp_path: Path
) -> None:
    """What the target has of the time after the copy is another life's, and can still be restored."""
    server = make_server().start()
    server.wait_ready(LONG_SECONDS)
    world = World(server, target)
    world.put("a")
    assert "(whole)" in world.back_up(str(target))
    server.stop()
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-aL", server.data, copy], check=True)
    server.start().wait_ready(LONG_SECONDS)
    world.put("b")
    assert "(incremental)" in world.back_up()
    world.put("c")
    lost = world.let_time_pass()
    server.stop()
    remove_data_folder(server.data)
    subprocess.run(["cp", "-a", copy, server.data], check=True)
    server.start().wait_ready(LONG_SECONDS)
    world.put("d")
    world.back_up()
    first, second, *others = world.catalogue().restorable()
    assert (second.parent, second.line) == (first.id, first.line)
    assert others[0].is_full
    assert {each.line for each in others} == {others[-1].line} != {first.line}
    assert "is good" in run(server, "drill")
    assert_comes_back(world, empty, "abc", "--at", write_moment(lost))
    assert_comes_back(world, empty, "ad")
