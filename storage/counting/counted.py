"""What processes count: numbers that only grow, numbers of this moment, and how long things took.

Counting takes less than a microsecond and never fails. What is counted stands in memory that the processes of a server share
(`memory.py`); `read` adds up what all of them counted. Names and labels are Prometheus' (`docs/monitoring.md` lists them); labels
are from fixed sets, never made of data.
"""

import math
import os
import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from storage.counting.memory import PASSING, Key, Memory, Place

# What a key begins with of which the latest counts, whichever process said it.
_LATEST = ">"
# What it begins with that is of one minute.
_MINUTES = "~"

VARIABLE = "HOMEPORT_SHARED_COUNTS"
# The upper ends of a histogram's buckets, in seconds; one more is for what took longer.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HISTOGRAM_SIZE = 1 + len(BUCKETS) + 1


class _State:
    """This process's place in the memory, and where in it its series stand."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.begin()

    def begin(self) -> None:
        """Also after a fork: the child takes a place of its own when it counts something."""
        self.memory.begin()
        self.lock = threading.Lock()
        self.series: dict[Key, memoryview[float]] = {}
        self.place: Place | None = None

    def find(self, key: Key, size: int) -> "memoryview[float]":
        """The caller holds the lock."""
        if self.place is None:
            self.place = self.memory.take()
        found = self.series[key] = self.place.find(key, size)
        return found


def _inherit() -> Memory:
    """The memory that `serve` has handed to this process. Its children are not to take another file's descriptor for it."""
    said = os.environ.pop(VARIABLE, "")
    try:
        descriptor, device, inode = map(int, said.split(":"))
        about = os.fstat(descriptor)
        if (about.st_dev, about.st_ino) == (device, inode):
            return Memory(descriptor)
    except (ValueError, OSError):
        pass
    return Memory()


_state = _State(_inherit())
os.register_at_fork(after_in_child=lambda: _state.begin())


def share(places: int) -> tuple[int, dict[str, str]]:
    """Make the memory of this server, once: its descriptor, and the variable by which a child that inherits that finds it."""
    global _state
    if _state.memory.descriptor is None:
        _state = _State(Memory.make(places))
    descriptor = _state.memory.descriptor or 0
    about = os.fstat(descriptor)
    return descriptor, {VARIABLE: f"{descriptor}:{about.st_dev}:{about.st_ino}"}


class Counter:
    """A number that only grows."""

    def __init__(self, name: str) -> None:
        self.name = name

    def add(self, *labels: str, by: float = 1.0) -> None:
        """Count one, or so many."""
        state, key = _state, (self.name, *labels)
        with state.lock:
            (state.series.get(key) or state.find(key, 1))[0] += by


class Gauge:
    """A number of this moment. Those of all processes that live are added up."""

    _mark = PASSING

    def __init__(self, name: str) -> None:
        self.name = name

    def set(self, *labels: str, to: float) -> None:
        """Say what it is now."""
        state, key = _state, (self._mark + self.name, *labels)
        with state.lock:
            (state.series.get(key) or state.find(key, 1))[0] = to


class Latest(Gauge):
    """When something was last so, in seconds since 1970. The latest of all processes counts, those that are gone included."""

    _mark = _LATEST


class Histogram:
    """How long things took, in seconds."""

    def __init__(self, name: str) -> None:
        self.name = name

    def observe(self, *labels: str, seconds: float) -> None:
        """Count one that took so long."""
        numbers = self.series(*labels)
        with _state.lock:
            add(numbers, seconds)

    def series(self, *labels: str) -> "memoryview[float]":
        """The numbers of these labels, for a thread that alone counts in them, by `add` and at half the cost."""
        state, key = _state, (self.name, *labels)
        with state.lock:
            return state.series.get(key) or state.find(key, _HISTOGRAM_SIZE)


def add(numbers: "memoryview[float]", seconds: float) -> None:
    """Count one that took so long in a series of a histogram."""
    numbers[0] += seconds
    numbers[1 + bisect_left(BUCKETS, seconds)] += 1.0


class Minutes:
    """What came in each of the last minutes, as `size` numbers by a label."""

    def __init__(self, name: str, *, size: int, kept: int) -> None:
        self._name, self._size, self._kept = _MINUTES + name, size, kept

    def add(self, label: str, amounts: Sequence[float], *, minute: int) -> None:
        """Add to what came in this minute since 1970."""
        state, key = _state, (self._name, label, str(minute % self._kept))
        with state.lock:
            numbers = state.series.get(key) or state.find(key, 1 + self._size)
            if numbers[0] != minute:
                for place in range(1 + self._size):
                    numbers[place] = 0.0
                numbers[0] = minute
            for place, amount in enumerate(amounts, 1):
                numbers[place] += amount

    def read(self) -> dict[str, dict[int, list[float]]]:
        """By label, the minutes in which something came, as all processes counted it."""
        found: dict[str, dict[int, list[float]]] = {}
        for record in _state.memory.read():
            if record.key[0] == self._name:
                minute, *amounts = record.numbers
                of_label = found.setdefault(record.key[1], {})
                sums = of_label.get(int(minute), [0.0] * len(amounts))
                of_label[int(minute)] = [a + b for a, b in zip(sums, amounts, strict=True)]
        return found


Counts = Mapping[Key, list[float]]


def read() -> dict[str, Counts]:
    """What all processes counted, by name and labels: one number each, or of a histogram the sum of seconds and how many fell
    into each bucket."""
    found: dict[str, dict[Key, list[float]]] = {}
    for record in _state.memory.read():
        name, labels = record.key[0], record.key[1:]
        is_passing, is_latest = name.startswith(PASSING), name.startswith(_LATEST)
        if name.startswith(_MINUTES) or (is_passing and not record.is_live) or math.isnan(record.numbers[0]):
            continue
        of_name = found.setdefault(name.lstrip(PASSING + _LATEST), {})
        sums = of_name.setdefault(labels, [0.0] * len(record.numbers))
        for place, number in enumerate(record.numbers):
            sums[place] = max(sums[place], number) if is_latest else sums[place] + number
    return dict(found)
