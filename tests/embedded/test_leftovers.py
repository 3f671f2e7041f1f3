"""What a killed serve leaves: its processes are ended, and nobody else's, whatever pid a file names."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from storage.embedded import leftovers
from tests.embedded.micros.sandboxes import making_yard
from tests.embedded.micros.stand import is_alive
from tests.waiting import MOMENT_SECONDS, eventually

Sleeper = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """Start a process that does nothing, with marks in its environment or a working folder of choice."""
    started: list[subprocess.Popen[bytes]] = []

    def start(marks: dict[str, str] | None = None, **options: Any) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-c", "import time; print(flush=True); time.sleep(3600)"]
        process = subprocess.Popen(command, env={**os.environ, **(marks or {})}, stdout=subprocess.PIPE, **options)
        assert process.stdout
        process.stdout.readline()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


def test_clear_ends_what_carries_the_marks(tmp_path: Path, sleeper: Sleeper) -> None:
    ours = [sleeper(leftovers.marks("one", tmp_path)) for _ in range(2)]
    assert leftovers.clear("one", tmp_path, tmp_path / "postgres") == 2
    assert all(process.wait(timeout=MOMENT_SECONDS) != 0 for process in ours)


def test_clear_ends_a_sandbox_that_outlived_its_server(tmp_path: Path) -> None:
    """One whose parents were all killed in an order in which the kernel ended nothing: its own group of processes, no parent."""
    with making_yard(f"homeport-test-{os.getpid()}") as yard:
        marked = replace(yard, means=replace(yard.means, marks=leftovers.sandbox_marks("one", tmp_path), cgroups=None))
        with marked.start("/bin/sh", "-c", "echo up; sleep 3600") as running:
            assert running.sandboxed.stdout.read(2) == b"up"
            below = [
                psutil.Process(running.sandboxed.pid),
                *psutil.Process(running.sandboxed.pid).children(recursive=True),
            ]
            assert leftovers.clear("other", tmp_path, tmp_path / "postgres") == 0
            assert leftovers.clear("one", tmp_path / "copy", tmp_path / "postgres") == 0
            assert running.sandboxed.popen.poll() is None
            assert leftovers.clear("one", tmp_path, tmp_path / "postgres") >= 1
            running.sandboxed.popen.wait(timeout=MOMENT_SECONDS)
            eventually(lambda: not any(map(is_alive, below)))


def test_clear_spares_other_instances_and_copies_of_the_folder(tmp_path: Path, sleeper: Sleeper) -> None:
    others = [
        sleeper(leftovers.marks("other", tmp_path)),
        sleeper(leftovers.marks("one", tmp_path / "copy")),
        sleeper(),
    ]
    assert leftovers.clear("one", tmp_path, tmp_path / "postgres") == 0
    assert all(process.poll() is None for process in others)


def test_clear_does_not_believe_a_pid_file(tmp_path: Path, sleeper: Sleeper) -> None:
    folder = tmp_path / "postgres"
    folder.mkdir()
    stranger = sleeper(cwd=folder)
    (folder / "postmaster.pid").write_text(f"{stranger.pid}\n{folder}\n")
    assert leftovers.clear("one", tmp_path, folder) == 0
    assert psutil.Process(stranger.pid).is_running()
    assert stranger.poll() is None


def test_clear_spares_the_process_that_calls_it(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from storage.embedded import leftovers as l; p = Path(sys.argv[1]);"
    code += "sys.exit(l.clear('one', p, p))"
    environment = {**os.environ, **leftovers.marks("one", tmp_path)}
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment).returncode == 0
