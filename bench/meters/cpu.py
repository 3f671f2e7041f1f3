"""How much processor time a process tree has used.

Unlike a rate it hardly depends on what else the machine is doing, so it tells what an answer costs even on a busy one.
"""

import time
from collections.abc import Callable

import psutil

IDLE_SHARE, IDLE_LOOK_S, IDLE_TIMEOUT_S = 0.1, 0.3, 60.0


def used_s(processes: list[psutil.Process]) -> float:
    """User and system time of the processes in seconds, and of those children of theirs that have ended.

    So a difference of a whole tree misses nothing that came and went meanwhile, such as a connection's process of Postgres.
    """
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def wait_until_idle(tree: Callable[[], list[psutil.Process]]) -> None:
    """Return once the processes take a tenth of a processor at most, or after a minute."""
    ends_at = time.monotonic() + IDLE_TIMEOUT_S
    while time.monotonic() < ends_at:
        before_s = used_s(tree())
        time.sleep(IDLE_LOOK_S)
        if used_s(tree()) - before_s <= IDLE_SHARE * IDLE_LOOK_S:
            return
