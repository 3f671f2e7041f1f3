"""What is wrong with the processes that `serve` keeps running on this machine."""

import time
from collections.abc import Mapping

from storage.counting import counted
from storage.embedded.process import RESTARTED
from storage.findings import Finding

# So often within an hour is no accident any more.
_OFTEN = 3


def find_problems() -> list[Finding]:
    """Processes that are down, and those that were started again and again within the last hour."""
    up = {labels[0]: numbers[0] for labels, numbers in counted.read().get("homeport_process_up", {}).items()}
    since = int(time.time()) // 60 - 60
    restarts = {
        name: sum(amounts[0] for minute, amounts in minutes.items() if minute > since)
        for name, minutes in RESTARTED.read().items()
    }
    return judge(up, restarts)


def judge(up: Mapping[str, float], restarts: Mapping[str, float]) -> list[Finding]:
    """What is wrong, of which processes are up (1) or down (0), and how often each was started again within the hour."""
    found = [
        Finding(
            "process_down",
            "bad",
            f"{name} is not running.",
            "It is started again by itself; if it does not come back, the log of “serve” says why.",
        )
        for name, is_up in up.items()
        if not is_up
    ]
    return found + [
        Finding(
            "process_restarts",
            "warn",
            f"{name} was started again {times:.0f} times within the last hour.",
            "Look in the log for why it ends: no memory left is the most frequent reason.",
        )
        for name, times in restarts.items()
        if times >= _OFTEN
    ]
