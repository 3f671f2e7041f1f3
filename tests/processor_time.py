"""Bounds on processor time. They hold however busy the machine is, as nobody else's time counts."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import LONG_SECONDS

ROOT = Path(__file__).resolve().parent.parent

_PROGRAM = """
import os, pickle, resource, sys
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "console.settings"
import django
django.setup()
function, arguments, seconds = pickle.load(sys.stdin.buffer)
used = int(sum(os.times()[:2]))
resource.setrlimit(resource.RLIMIT_CPU, (used + 1 + seconds, used + 1 + seconds))
made = function(*arguments)
sys.stdout.buffer.write(pickle.dumps(made))
"""


def call_within(seconds: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of ours returns, in a process of its own that the system ends after so many seconds of its work."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=pickle.dumps((function, arguments, seconds)),
        cwd=ROOT,
        capture_output=True,
        timeout=LONG_SECONDS,
    )
    assert done.returncode == 0, f"{function.__qualname__}: {done.returncode}\n{done.stderr.decode()[-2_000:]}"
    return pickle.loads(done.stdout)


def used_by(processes: list[psutil.Process]) -> float:
    """The seconds of processor time that these have used, without their children's."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
