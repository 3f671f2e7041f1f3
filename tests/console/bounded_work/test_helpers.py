"""Work in helpers: it is ended in time, whatever it does, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from console.bounded_work.helpers import Busy, Helpers, Stopped
from storage import limits
from tests.processes import lives, living_children
from tests.waiting import eventually

TASKS = "tests.console.bounded_work.tasks"
ROOT = Path(__file__).resolve().parent.parent.parent.parent


@pytest.fixture
def helpers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Helpers]:
    """Their answers may take as long as a busy machine needs."""
    monkeypatch.setattr(limits, "WORK_WAIT_SECONDS", 120.0)
    made = Helpers(TASKS)
    yield made
    made.end()


def test_work_is_done_and_its_answer_comes_back(helpers: Helpers) -> None:
    assert helpers.run("echo", 1, "é", b"\x00\xff", [None, True]) == [1, "é", b"\x00\xff", [None, True]]
    assert helpers.run("echo", b"x" * 4_000_000) == [b"x" * 4_000_000]


def test_a_helper_is_kept_for_the_next_piece_of_work(helpers: Helpers) -> None:
    assert helpers.run("helper") == helpers.run("helper")


@pytest.mark.parametrize(
    "task, arguments",
    [
        ("match_slowly", [60]),
        ("count_up", []),
        ("fill_memory", [4 * limits.WORK_MEMORY_BYTES]),
        ("answer_at_length", [limits.WORK_ANSWER_MAX_BYTES]),
        ("abort", []),
        ("write_a_file", ["/tmp/homeport-written-by-a-helper"]),
        ("nothing of this name", []),
    ],
)
def test_work_beyond_its_bounds_is_stopped_and_the_helper_goes_on(
    helpers: Helpers, task: str, arguments: list[object]
) -> None:
    helper = helpers.run("helper")
    with pytest.raises(Stopped):
        helpers.run(task, *arguments)
    assert helpers.run("helper") == helper


def test_stopped_work_has_used_the_processor_for_its_budget_alone(helpers: Helpers) -> None:
    helper = psutil.Process(helpers.run("helper"))
    before = helper.cpu_times()
    with pytest.raises(Stopped):
        helpers.run("match_slowly", 60)
    after = helper.cpu_times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    assert limits.WORK_CPU_SECONDS / 2 < used < 4 * limits.WORK_CPU_SECONDS


def test_work_that_waits_too_long_is_given_up(helpers: Helpers, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = psutil.Process(helpers.run("helper"))
    monkeypatch.setattr(limits, "WORK_WAIT_SECONDS", 0.5)
    with pytest.raises(Busy):
        helpers.run("sleep", 600)
    monkeypatch.setattr(limits, "WORK_WAIT_SECONDS", 120.0)
    assert not lives(helper)
    assert psutil.Process(helpers.run("helper")) != helper


def test_a_helper_that_dies_is_replaced(helpers: Helpers) -> None:
    with pytest.raises(Busy):
        helpers.run("die")
    assert helpers.run("echo", 1) == [1]
    helper = psutil.Process(helpers.run("helper"))
    helpers.run("leave_a_dying_helper")
    eventually(lambda: not lives(helper))
    assert helpers.run("echo", 1) == [1]


def test_a_helper_that_cannot_start_is_no_error_of_the_caller() -> None:
    with pytest.raises(Busy):
        Helpers("tests.console.bounded_work.no_such_module").run("echo")


def test_only_a_few_work_at_once(helpers: Helpers, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(limits.WORKS_AT_ONCE) as threads:
        sleeping = [threads.submit(helpers.run, "sleep", 600) for _ in range(limits.WORKS_AT_ONCE)]
        eventually(lambda: len(working(os.getpid())) == limits.WORKS_AT_ONCE)
        monkeypatch.setattr(limits, "WORK_WAIT_SECONDS", 0.2)
        with pytest.raises(Busy):
            helpers.run("echo")
        for helper in {piece.parent() for piece in working(os.getpid())}:
            assert helper
            os.killpg(helper.pid, signal.SIGKILL)
        for each in sleeping:
            with pytest.raises(Busy):
                each.result()


def test_many_threads_get_their_own_answers(helpers: Helpers) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda n: helpers.run("echo", n), range(200))) == [[n] for n in range(200)]


def test_a_helper_has_nothing_of_the_server(helpers: Helpers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://secret")
    monkeypatch.setenv("S3_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HOMEPORT_SECRET_KEY", "secret")
    reading, writing = os.pipe()
    try:
        os.set_inheritable(writing, True)
        assert not any("secret" in value for value in helpers.run("environment").values())
        files = helpers.run("open_files")
    finally:
        os.close(reading)
        os.close(writing)
    # The socket is its input, its output and its log are ours, and the last is the folder that was read.
    assert len(files) <= 4


def test_helpers_go_with_their_web_worker() -> None:
    program = (
        "import sys\nfrom console.bounded_work.helpers import Helpers\n"
        f"helpers = Helpers('{TASKS}')\nprint(helpers.run('helper'), flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        assert worker.stdout
        helper = psutil.Process(int(worker.stdout.readline()))
        assert lives(helper)
        worker.send_signal(signal.SIGKILL)
    eventually(lambda: not lives(helper))


def test_a_helper_without_work_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WORK_WAIT_SECONDS", 120.0)
    helpers = Helpers("tests.console.bounded_work.impatient")
    helper = psutil.Process(helpers.run("helper"))
    eventually(lambda: not lives(helper))
    helpers.end()
    assert not helper.is_running()


def working(worker: int) -> list[psutil.Process]:
    """The processes that do a piece of work for this one, which may have a server too."""
    helpers = living_children(psutil.Process(worker), TASKS)
    return [piece for helper in helpers for piece in living_children(helper)]
