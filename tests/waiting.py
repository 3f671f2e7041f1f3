"""How long tests wait: as long as a machine needs that has much else to do. No test measures speed.

These are the only bounds; what goes well never comes near them, so they cost nothing.
"""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

# For what takes a moment: an answer, a page, a line in a log, the end of a process.
MOMENT_SECONDS = 120.0
# For what keeps a machine busy for a while even when it does nothing else: thousands of rows, a build, a whole run of tests.
LONG_SECONDS = 1_800.0
# For promises of up to 5 seconds, such as a 503 when an engine is away. They hold on a machine that has nothing else to do;
# here they get four times that. It still tells what is held from what hangs, which does so for 30 seconds and more.
PROMISED_SECONDS = 20.0
# For a switch of recording to be known in every process, which is promised within 2 seconds.
SWITCH_SECONDS = 4.0
# For what must not happen, since nothing tells when it would have.
NOTHING_SECONDS = 0.5


def eventually(
    find: Callable[[], Found], *, seconds: float = MOMENT_SECONDS, what: object = "it did not come"
) -> Found:
    """What `find` finds, as soon as that is something."""
    started = time.monotonic()
    while not (found := find()):
        assert time.monotonic() - started < seconds, what
        time.sleep(0.05)
    return found


def seconds_until(is_so: Callable[[], object]) -> float:
    """How long that takes, for promises."""
    started = time.monotonic()
    eventually(is_so)
    return time.monotonic() - started
