"""How much processor time a process tree has used.

Unlike a rate it hardly depends on what else the machine is doing, so it tells what an answer costs even on a busy one.
"""

import psutil


def used_s(processes: list[psutil.Process]) -> float:
    """User and system time of the processes in seconds; those that have ended count as nothing."""
    total = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system
    return total
