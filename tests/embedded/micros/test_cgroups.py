"""Control groups of both versions, as far as this machine has them to write."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storage.embedded.micros import cgroups
from storage.embedded.micros.cgroups import Cgroups
from tests.embedded.micros.sandboxes import Yard, making_yard
from tests.waiting import eventually

MB = 1024 * 1024


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    with making_yard(f"homeport-test-groups-{os.getpid()}") as yard:
        yield yard


@pytest.fixture
def found() -> Iterator[Cgroups]:
    groups = cgroups.find(f"homeport-test-{os.getpid()}")
    if groups is None:
        pytest.skip("there are no control groups to write here")
    yield groups
    groups.remove()


@pytest.fixture
def unified() -> Iterator[Path]:
    """A group of version 2, which may have no controllers: those of version 1 are its own."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    folder = next((Path(fields[1]) for fields in mounts if fields[2] == "cgroup2"), None)
    if folder is None or not os.access(folder, os.W_OK):
        pytest.skip("version 2 is not there to write")
    made = folder / f"homeport-test-{os.getpid()}"
    made.mkdir()
    yield made
    Cgroups({"memory": made}, is_unified=True).remove()
    assert not made.exists()


def test_a_group_has_the_limits_it_is_given(found: Cgroups) -> None:
    group = found.make("one", memory_bytes=200 * MB, processes=50)
    name = "memory.max" if found.is_unified else "memory.limit_in_bytes"
    assert (group.folders["memory"] / name).read_text().strip() == str(200 * MB)
    assert (group.folders["pids"] / "pids.max").read_text().strip() == "50"
    assert not group.ran_out_of_memory()
    assert group.remove()
    assert not any(folder.exists() for folder in group.folders.values())


def test_removing_a_group_ends_what_is_in_it(found: Cgroups) -> None:
    group = found.make("one", memory_bytes=200 * MB, processes=50)
    with subprocess.Popen(["sleep", "600"]) as sleeper:
        for folder in group.folders.values():
            (folder / "cgroup.procs").write_text(str(sleeper.pid))
        eventually(group.remove)
        assert sleeper.wait() == -9


def test_what_a_run_that_was_killed_left_is_gone_at_the_next_start(found: Cgroups) -> None:
    group = found.make("left", memory_bytes=200 * MB, processes=50)
    again = cgroups.find(f"homeport-test-{os.getpid()}")
    assert again == found
    assert not any(folder.exists() for folder in group.folders.values())


def test_a_sandbox_joins_a_group_of_version_2(yard: Yard, unified: Path) -> None:
    groups = Cgroups({"memory": unified, "pids": unified}, is_unified=True)
    within = replace(yard, means=replace(yard.means, cgroups=groups))
    with within.start("/bin/sh", "-c", "cat /proc/self/cgroup; echo; sleep 600", name="joined") as running:
        lines = iter(running.sandboxed.stdout.readline, b"\n")
        assert [line for line in lines if line.startswith(b"0::") and line.endswith(b"/joined\n")]
        assert (unified / "joined" / "cgroup.procs").read_text().split()
        assert running.sandboxed.memory_bytes() > 0
        assert not running.sandboxed.ran_out_of_memory()
    assert not (unified / "joined").exists()


def test_without_a_count_of_memory_version_2_is_not_used(unified: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if "memory" in (unified / "cgroup.controllers").read_text().split():
        pytest.skip("it is counted here")
    monkeypatch.setattr(cgroups, "_MOUNT", unified.parent)
    assert cgroups._find_v2([("0", "", f"/{unified.name}")], "none") is None
    assert not list(unified.glob("none"))


def test_a_service_that_systemd_left_its_group_makes_room_in_it(unified: Path) -> None:
    assert not cgroups._is_delegated(unified)
    os.setxattr(unified, "user.delegate", b"1")
    assert cgroups._is_delegated(unified)
    with subprocess.Popen(["sleep", "600"]) as sleeper:
        (unified / "cgroup.procs").write_text(str(sleeper.pid))
        cgroups._move_down(unified)
        assert (unified / "cgroup.procs").read_text() == ""
        assert (unified / "server" / "cgroup.procs").read_text().split() == [str(sleeper.pid)]
        sleeper.kill()
