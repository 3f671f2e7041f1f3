"""Bounds on processor time: nobody else's time counts, so they hold on a busy machine as well.

The same work takes more of it on a slower processor, or on one whose core and memory others use: the same reading of a gigabyte
was seen to take 1.4 times as long a minute later. So there is room, which what is not linear goes far beyond.
"""

import multiprocessing
import os
import resource
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from tests.waiting import LONG_SECONDS

ROOT = Path(__file__).resolve().parent.parent
_ROOM = 4

# Its processes are forked from one that has loaded Django, so that each costs what its work costs.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.ready_for_work"])


def call_within(seconds: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of ours returns. It should need no more than these seconds; it is ended after four times as many."""
    return call_ended_after(_ROOM * seconds, function, *arguments)


def call_ended_after(seconds: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of ours returns, in a process of its own that the system ends after so many seconds of its work."""
    ours, theirs = _processes.Pipe(duplex=False)
    worker = _processes.Process(target=_work, args=(theirs, seconds, function, arguments))
    worker.start()
    theirs.close()
    try:
        assert ours.poll(LONG_SECONDS), f"{function.__qualname__} does not end"
        made, fault = ours.recv()
    except EOFError:
        made, fault = None, "it was ended"
    finally:
        ours.close()
        worker.join()
    assert fault is None, f"{function.__qualname__}: {worker.exitcode}\n{fault}"
    return made


def _work(answer: Connection, seconds: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    used = int(sum(os.times()[:2]))
    resource.setrlimit(resource.RLIMIT_CPU, (used + 1 + seconds, used + 1 + seconds))
    try:
        answer.send((function(*arguments), None))
    except BaseException:
        answer.send((None, traceback.format_exc()[-2_000:]))


def used_by(processes: list[psutil.Process]) -> float:
    """The seconds of processor time that these have used, without their children's."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
