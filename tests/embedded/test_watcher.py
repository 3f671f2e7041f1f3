"""What the watcher does beside watching never ends it: logs on a full disk, children that cannot be started, whatever raises."""

import io
import logging
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from console.management.commands import serve
from storage.embedded import ports, process
from storage.embedded.process import Child
from storage.embedded.reserve import Reserve
from storage.embedded.stuck_journal import StuckJournal
from storage.embedded.upkeep import Upkeep
from tests.embedded.disks import MB, SmallDisk, mounted, needs_small_disk
from tests.embedded.servers import serving_on_small_disk
from tests.serving import Server
from tests.waiting import eventually

LOG_BYTES = process._LOG_SIZE_BYTES


def make_child(folder: Path, command: list[str] | None = None) -> Child:
    return Child(
        name="Something",
        command=command or [sys.executable, "-c", "import time; time.sleep(3600)"],
        environment=dict(os.environ),
        folder=folder,
        log=folder / "something.log",
    )


@needs_small_disk
def test_a_log_is_bounded_on_a_disk_without_a_free_byte(tmp_path: Path) -> None:
    with mounted(tmp_path, "size=24m"):
        disk, child = SmallDisk(tmp_path), make_child(tmp_path)
        assert child.log
        child.log.write_bytes(b"x" * LOG_BYTES + b"the last line\n")
        disk.leave(0)
        assert disk.free_bytes == 0
        child.bound_log()
        assert child.log.stat().st_size == 0
        kept = child.log.with_name("something.log.1")
        assert kept.read_bytes().endswith(b"xthe last line\n")
        assert kept.stat().st_size == LOG_BYTES
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("outlived_seconds", [0.0, 3_600.0])
def test_what_a_child_started_outlives_it_for_its_time_alone(tmp_path: Path, outlived_seconds: float) -> None:
    child = make_child(tmp_path, ["sh", "-c", "sleep 3600 & echo $! >> started; wait"])
    child.outlived_seconds = outlived_seconds
    started = tmp_path / "started"

    def pids(number: int) -> list[int]:
        eventually(lambda: started.exists() and started.read_text().count("\n") == number)
        return [int(pid) for pid in started.read_text().split()]

    def lives(pid: int) -> bool:
        return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE

    def is_back() -> bool:
        child.tick()
        return child.is_running()

    child.start()
    assert child.process
    (first,) = pids(1)
    child.process.kill()
    child.process.wait()
    child.tick()
    eventually(is_back)
    first, second = pids(2)
    if outlived_seconds:
        assert lives(first)
    else:
        eventually(lambda: not lives(first))
    assert lives(second)
    child.stop()
    eventually(lambda: not lives(first) and not lives(second))


def test_last_words_are_not_read_through_a_link(tmp_path: Path) -> None:
    """The engines' user could have root show what only root may read."""
    child = make_child(tmp_path)
    assert child.log
    child.log.write_text("the last line")
    assert child.last_words() == "the last line"
    child.log.rename(tmp_path / "elsewhere")
    child.log.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        child.last_words()


def test_a_log_that_burst_keeps_its_end_alone(tmp_path: Path) -> None:
    child = make_child(tmp_path)
    assert child.log
    child.log.write_bytes(b"a" * 2 * LOG_BYTES + b"b" * LOG_BYTES)
    child.bound_log()
    assert child.log.with_name("something.log.1").read_bytes() == b"b" * LOG_BYTES


def test_a_child_that_cannot_be_started_again_is_tried_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    child = make_child(tmp_path)
    child.start()
    fails = [OSError(28, "No space left on device")] * 3

    def prepare() -> None:
        if fails:
            raise fails.pop()

    child.prepare = prepare
    try:
        assert child.process
        child.process.kill()
        child.process.wait()

        def is_back() -> bool:
            child.tick()
            return child.is_running()

        eventually(is_back)
    finally:
        child.stop()
    assert not fails
    assert sum("could not be started again" in record.message for record in caplog.records) == 1


def test_what_fails_is_told_once_and_the_rest_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    upkeep = Upkeep()
    for _ in range(3):
        upkeep.attempt("The log of Something", fail)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    upkeep.attempt("The log of Something", lambda: None)
    upkeep.attempt("The log of Something", fail)
    assert len(caplog.records) == 2

    broken, child = make_child(tmp_path), make_child(tmp_path)
    broken.log = tmp_path  # a folder, whose size is not asked
    broken.bound_log = fail  # type: ignore[method-assign]
    assert child.log
    child.log.write_bytes(b"x" * (LOG_BYTES + 1))
    Upkeep().maintain([broken, child])
    assert child.log.stat().st_size == 0


@needs_small_disk
def test_the_reserve_goes_when_the_disk_is_full_and_comes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mounted(tmp_path, "size=64m"):
        disk, file = SmallDisk(tmp_path), tmp_path / "reserve"
        reserve = Reserve(tmp_path, size_bytes=8 * MB, keep_free_bytes=16 * MB)
        reserve.tend()
        assert file.stat().st_blocks * 512 == 8 * MB
        disk.leave(10 * MB)
        reserve.tend()
        assert file.exists()
        assert "10 MB left" in caplog.text
        disk.leave(0)
        reserve.tend()
        assert not file.exists()
        assert disk.free_bytes == 8 * MB
        reserve.tend()
        assert disk.free_bytes == 8 * MB, "what was given back is not taken again"
        disk.free()
        reserve.tend()
        assert file.exists()
        assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


@needs_small_disk
def test_a_disk_that_is_nearly_full_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with mounted(tmp_path, "size=64m"):
        disk = SmallDisk(tmp_path)
        reserve = Reserve(tmp_path, size_bytes=0, keep_free_bytes=16 * MB)
        for left_mb in (15, 17, 15, 17):
            disk.leave(left_mb * MB)
            reserve.tend()
            disk.free()
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        reserve.tend()
        assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]


@needs_small_disk
def test_a_copied_reserve_that_takes_no_room_is_made_again(tmp_path: Path) -> None:
    with mounted(tmp_path, "size=64m"):
        file = tmp_path / "reserve"
        with file.open("wb") as sparse:
            sparse.truncate(8 * MB)
        Reserve(tmp_path, size_bytes=8 * MB, keep_free_bytes=16 * MB).tend()
        assert file.stat().st_blocks * 512 == 8 * MB
        Reserve(tmp_path, size_bytes=0, keep_free_bytes=0).tend()
        assert not file.exists()


REFUSED = "E1129 filer store delete: write /x/engines/seaweedfs/filerldb2/05/000001.log: no space left on device"


@needs_small_disk
@pytest.mark.parametrize(
    "said, is_stuck", [(REFUSED, True), ("write /x/engines/seaweedfs/homeport_3.cpd: no space left on device", False)]
)
def test_seaweedfs_is_started_again_when_its_journal_is_stuck_and_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, said: str, is_stuck: bool
) -> None:
    with mounted(tmp_path, "size=64m"):
        disk, child = SmallDisk(tmp_path), make_child(tmp_path)
        assert child.log
        child.log.write_text(REFUSED)  # of the process before
        disk.leave(8 * MB)
        watcher = make_watcher(child)
        journal = StuckJournal(child)
        child.start()
        try:
            first = child.process
            journal.look()
            with child.log.open("a") as log:
                log.write(f"\n{said}\n")
            journal.look()
            assert child.is_running(), "there is no room to start in"
            disk.free()
            journal.look()
            assert first
            if is_stuck:
                first.wait()
            watcher._tick()
            assert child.is_running()
            assert (child.process is not first) == is_stuck
            assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2 * is_stuck
            again = child.process
            with child.log.open("a") as log:
                log.write(f"{said}\n")
            journal.look()
            assert child.process is again
            assert child.is_running(), "not again and again"
        finally:
            child.stop()


def test_serve_goes_on_when_nobody_can_read_what_it_says() -> None:
    """The terminal is closed, or the disk with the file that it writes to is full."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    serve.Command(stdout=Gone())._say("Homeport is ready")


def make_watcher(*children: Child) -> serve.Command:
    watcher = serve.Command(stdout=io.StringIO())
    watcher.children, watcher.upkeep = list(children), Upkeep()
    watcher.stop_asked, watcher.is_up = False, True
    return watcher


def test_no_fault_in_a_tick_ends_the_watcher(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device")

    broken, child = make_child(tmp_path), make_child(tmp_path)
    broken.tick = broken.bound_log = fail  # type: ignore[method-assign]
    assert child.log
    child.log.write_bytes(b"x" * (LOG_BYTES + 1))
    make_watcher(broken, child)._tick()
    assert child.log.stat().st_size == 0
    assert len(caplog.records) == 2


def test_what_serve_waits_for_keeps_it_from_no_upkeep(tmp_path: Path) -> None:
    child = make_child(tmp_path)
    assert child.log
    child.log.write_bytes(b"x" * (LOG_BYTES + 1))
    found: list[int] = []

    def find_fault() -> str | None:
        assert child.log
        found.append(child.log.stat().st_size)
        return "does not answer" if len(found) == 1 else None

    make_watcher(child)._wait("Something", find_fault)
    assert found == [LOG_BYTES + 1, 0]


def test_a_disk_that_keeps_no_room_is_told_once_and_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As ZFS does it, or whatever packs what it stores: the file is there, and takes nothing."""
    asked: list[int] = []

    def pretend(descriptor: int, start: int, size_bytes: int) -> None:
        asked.append(size_bytes)
        os.truncate(descriptor, size_bytes)

    monkeypatch.setattr(os, "posix_fallocate", pretend)
    reserve = Reserve(tmp_path, size_bytes=8 * MB, keep_free_bytes=0)
    for _ in range(3):
        reserve.tend()
    assert asked == [8 * MB]
    assert not (tmp_path / "reserve").exists()
    assert ["No room can be kept" in record.message for record in caplog.records] == [True]


@pytest.mark.slow
def test_logs_are_bounded_while_serve_still_waits(make_server: Callable[..., Server]) -> None:
    (nobody,) = ports.free_ports(1)
    server = make_server(DATABASE_URL=f"postgres://a:b@127.0.0.1:{nobody}/c").start()
    eventually(lambda: "does not answer yet" in server.log)
    log = server.data / "engines" / "seaweedfs.log"
    with log.open("ab") as file:
        file.write(b"x" * (LOG_BYTES + 1))
    eventually(lambda: log.stat().st_size < LOG_BYTES)
    kept = log.with_name("seaweedfs.log.1")
    eventually(lambda: kept.is_file() and kept.stat().st_size == LOG_BYTES)


@pytest.mark.slow
@needs_small_disk
def test_a_full_disk_under_its_logs_does_not_end_serve() -> None:
    with serving_on_small_disk() as (server, disk):
        log = server.data / "engines" / "seaweedfs.log"
        with log.open("ab") as file:
            file.write(b"x" * (LOG_BYTES + 1))
        disk.leave(0)
        eventually(lambda: log.stat().st_size < LOG_BYTES)
        for word in ("weed", "postgres"):
            # One that ended for want of room is being started again.
            for child in server.children(word, at_any_depth=False):
                with suppress(psutil.NoSuchProcess):
                    child.kill()
        disk.leave(0)
        eventually(lambda: "MB left: nothing new is stored" in server.log)
        disk.free()
        server.wait_ready()
        eventually(lambda: "has room again" in server.log)
        assert server.process
        assert server.process.poll() is None
        eventually((server.data / "engines" / "reserve").exists)
