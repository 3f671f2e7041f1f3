"""What several processes count is whole: whoever reads it, and whatever becomes of those that counted."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from storage.counting import counted
from storage.counting.memory import PLACE_BYTES, Memory
from tests.serving import ROOT
from tests.waiting import eventually

COUNTING = """
import sys
from storage.counting import counted
counted.Counter("requests").add("api", by=float(sys.argv[1]))
counted.Gauge("busy").set("web", to=1)
counted.Latest("ended").set("sweep", to=float(sys.argv[1]))
counted.Histogram("took").observe("get", seconds=0.003)
print("counted", flush=True)
sys.stdin.read()
"""


@contextmanager
def counting(by: int) -> Iterator["subprocess.Popen[str]"]:
    """A child of this process, which has counted."""
    descriptor, variables = counted.share(places=4)
    child = subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(by)],
        cwd=ROOT,
        env={**os.environ, **variables},
        pass_fds=[descriptor],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "counted\n"
        yield child


def total(name: str, *labels: str) -> float:
    return counted.read().get(name, {}).get(labels, [0.0])[0]


def test_killed_processes_lose_nothing_and_leave_their_place_to_the_next() -> None:
    with counting(3) as first, counting(4) as second:
        assert total("requests", "api") == 7
        assert total("busy", "web") == 2
        first.send_signal(signal.SIGKILL)
        first.wait()
        # It is gone, and what it said of the moment; what it counted stays.
        assert eventually(lambda: total("busy", "web") == 1)
        assert (total("requests", "api"), total("ended", "sweep")) == (7, 4)
        for _ in range(6):
            # More in a row than there are places.
            with counting(1) as third:
                assert total("busy", "web") == 2
                third.kill()
        assert total("requests", "api") == 13
        assert total("ended", "sweep") == 4
        took = counted.read()["took"][("get",)]
        assert round(took[0], 3) == 0.024
        assert took[1:4] == [0, 0, 8]
        second.kill()


def test_threads_count_together() -> None:
    counter = counted.Counter("together")
    threads = [threading.Thread(target=lambda: [counter.add() for _ in range(2_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert total("together") == 8_000


def test_a_forked_child_counts_in_a_place_of_its_own() -> None:
    counted.share(places=4)
    counter = counted.Counter("forked")
    counter.add()
    child = os.fork()
    if not child:
        for _ in range(500):
            counter.add()
        os._exit(0)
    for _ in range(500):
        counter.add()
    os.waitpid(child, 0)
    assert total("forked") == 1_001


def test_when_there_is_no_room_counting_goes_on_for_nobody() -> None:
    memory = Memory.make(1)
    place = memory.take()
    for number in range(PLACE_BYTES // 8):
        place.find(("series", str(number)), 1)[0] += 1
    kept = sum(1 for _ in place.read())
    assert 1_000 < kept < PLACE_BYTES // 8
    assert all(numbers == [1.0] for _, numbers in place.read())
