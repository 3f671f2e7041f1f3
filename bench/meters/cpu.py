"""How much processor time a process tree has used.

Unlike a rate it hardly depends on what else the machine is doing, so it tells what an answer costs even on a busy one.
"""

import psutil


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
