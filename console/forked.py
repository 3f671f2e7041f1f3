"""Work of a moment that loads much: a copy of this process does it, and takes the memory it needed along when it ends.

`serve` runs for months and does little. What it prepares before loads every model's history, every route and every static file,
and Python gives hardly any of that back.
"""

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import Any

from django.core.management import CommandError
from django.db import connections

from storage.embedded.process import death_signal_setter
from storage.postgres.connections import pool


def in_fork(work: Callable[[], Any]) -> Any:
    """What `work` returns in a process of its own, which is JSON.

    What it changes in memory stays there, and no other thread of this process is there, so none may hold a lock that it needs.
    Elsewhere than on Linux it is done here, as libraries of macOS refuse to work in a fork.
    Raises CommandError where it does; RuntimeError, with where it was, for any other error; ChildProcessError when it is killed.
    """
    if sys.platform != "linux":
        done = work()
        connections.close_all()
        return done
    connections.close_all()
    pool.forget_idle()
    set_death_signal = death_signal_setter(signal.SIGKILL)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            if set_death_signal:
                set_death_signal()
            with os.fdopen(writing, "w") as pipe:
                json.dump(_outcome(work), pipe)
        finally:
            # Nothing of the parent may run here: not its `finally`, not what it would do at its end.
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, status = os.waitpid(pid, 0)
    if not told:
        raise ChildProcessError(f"a process that was to help ended: {os.waitstatus_to_exitcode(status)}")
    outcome = json.loads(told)
    if "refusal" in outcome:
        raise CommandError(outcome["refusal"])
    if "error" in outcome:
        raise RuntimeError(outcome["error"])
    return outcome["value"]


def _outcome(work: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"value": work()}
    except CommandError as refusal:
        return {"refusal": str(refusal)}
    except Exception:
        return {"error": traceback.format_exc()}
