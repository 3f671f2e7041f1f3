"""How often a process tree asks the system to sync to the disk, counted by strace, which Linux alone has.

What a file was opened with (`O_DSYNC`) is not seen; none of the systems here opens files so.
"""

import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil

CALLS = ("fsync", "fdatasync", "sync_file_range", "msync", "sync", "syncfs")
ATTACH_TIMEOUT_S = 30.0
# A call that another thread interrupts in the log is told twice; its second line says so.
_BEGINNING = re.compile(rf"^\d+ +(?:{'|'.join(CALLS)})\(", re.MULTILINE)


def find_strace() -> str | None:
    """The path of strace, or None when it is not installed."""
    return shutil.which("strace")


def count_syncs(tree: list[psutil.Process], run: Callable[[], None], log: Path) -> int | None:
    """How many such calls the processes make while `run` runs; None where strace is missing or may not look.

    `log` is written anew.
    """
    strace = find_strace()
    if strace is None:
        return None
    pids = ",".join(str(process.pid) for process in tree)
    command = [strace, "-f", "-qq", "-e", f"trace={','.join(CALLS)}", "-e", "signal=none", "-o", str(log), "-p", pids]
    watcher = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        ends_at = time.monotonic() + ATTACH_TIMEOUT_S
        while not all(_is_traced(process.pid) for process in tree if process.is_running()):
            if watcher.poll() is not None or time.monotonic() > ends_at:
                return None
            time.sleep(0.05)
        run()
    finally:
        if watcher.poll() is None:
            watcher.send_signal(signal.SIGINT)
        watcher.wait()
    return count_calls(log.read_text(encoding="utf-8", errors="replace"))


def count_calls(log: str) -> int:
    """The calls in what strace wrote."""
    return len(_BEGINNING.findall(log))


def _is_traced(pid: int) -> bool:
    """Whether all threads of a process are watched; one that has ended is not waited for."""
    try:
        statuses = [(thread / "status").read_text() for thread in Path(f"/proc/{pid}/task").iterdir()]
    except OSError:
        return True
    return all("TracerPid:\t0\n" not in status for status in statuses)
