"""What is wrong with the recording of requests."""

import time

from storage.events.queue import LOST_LATELY
from storage.findings import Finding


def find_problems() -> list[Finding]:
    """Whether requests were lost within the last quarter of an hour, on this machine."""
    since = int(time.time()) // 60 - 15
    lost = sum(
        amounts[0] for minutes in LOST_LATELY.read().values() for minute, amounts in minutes.items() if minute > since
    )
    if not lost:
        return []
    return [
        Finding(
            "recorder_loses",
            "warn",
            f"{lost:,.0f} requests were not recorded within the last quarter of an hour, as storing them could not keep up.",
            "Nothing else is affected; if it goes on, switch recording off for the busiest collections, or look at the disk.",
        )
    ]
