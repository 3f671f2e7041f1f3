"""Memory, descriptors and rows of a server while it is used, and whether they grow.

What is flat moves around a level; what grows climbs for as long as it is watched. So a line is laid through the samples after the
warm-up, and what that line climbs until the end is held against a bound (`Bound`). Descriptors are few and go by ones, so that a
pool which opens late, or load that comes and goes, makes such a line climb as well: of them it counts only if each quarter of the
time has more than the one before. Twelve in forty minutes is what it takes; one a minute is forty, whoever has how many. The
shorter a run, the steeper the lines that chance lays: ten minutes of it tell a leak of twenty a minute, and not of one.
"""

import itertools
import threading
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil
from django.db import connection

from tests.serving import Server

MB = 1_048_576
SAMPLE_SECONDS = 5.0
# Rows are counted each so many samples: that reads the tables.
_ROWS_EVERY = 4
# Which process is whose, by a word of its command line; the first that is found counts. What runs in the sandbox is the Micro.
_GROUPS = {
    "postgres": "postgres:",
    "postgres itself": "/postgres",
    "seaweedfs": "weed",
    "web": "console.listener",
    "jobs": "procrastinate",
    "micros": "storage.micros",
    "serve": "serve",
}
# Each process of PostgreSQL keeps open what it has ever read, up to all files of the database, and SeaweedFS two files of each
# volume, of which there are more with each 64 MB until garbage goes, after an hour: so files don't count there, and sockets,
# pipes and the like do.
KEEPING_FILES_OPEN = {"postgres", "seaweedfs"}
# One process for each connection, which come and go with the load: what counts is the mean of each.
EACH_PROCESS = {"postgres"}
# Grow by what they are for, until a day or a size is reached which no hour does.
GROWING = {
    "storage_itemversion": "the history, kept for 30 days and up to a size",
    "storage_eventblock": "recorded requests, kept up to a size",
    "storage_auditentry": "the audit log, kept for a year",
    "storage_savereceipt": "saves, which may be sent again for a day",
    "storage_upload": "uploads that ended, which may be ended again for a day",
    "storage_blob": "garbage is kept for an hour",
    "storage_microline": "what Micros print, kept up to a number of lines",
    "storage_microrun": "runs, kept up to a number",
    "storage_eventminute": "figures of each minute",
    "storage_microminute": "figures of each minute",
}


# So many samples are enough for `at_least`, where chance is reckoned with: forty minutes.
_ENOUGH_SAMPLES = 480
# An even climb adds a quarter of it in each quarter; so much of that is asked of each.
_OF_AN_EVEN_CLIMB = 0.25


class Bound(NamedTuple):
    """It grows when the line through its samples climbs by more than both: so much of the mean, and so many.

    `in_each_quarter`: and if it climbs from each quarter of the time to the next; of few samples `at_least` is more.
    """

    of_mean: float
    at_least: float
    in_each_quarter: bool = False

    def allowed(self, mean: float, samples: int) -> float:
        """How much so many samples may climb."""
        few = max(1.0, _ENOUGH_SAMPLES / max(1, samples)) if self.in_each_quarter else 1.0
        return max(self.at_least * few, self.of_mean * mean)


MEMORY = Bound(0.10, 24 * MB)
MEMORY_OF_EACH = Bound(0.10, 0.5 * MB)
DESCRIPTORS = Bound(0.0, 12, in_each_quarter=True)
PROCESSES = Bound(0.10, 6)
ROWS = Bound(0.10, 50)


class Line(NamedTuple):
    """A line through samples: how much it climbs from the first to the last, and their mean."""

    climbed: float
    mean: float


def line_through(samples: Sequence[float]) -> Line:
    """By least squares; samples come at equal times."""
    count = len(samples)
    mean = sum(samples) / count
    middle = (count - 1) / 2
    spread = sum((place - middle) ** 2 for place in range(count))
    slope = sum((place - middle) * (value - mean) for place, value in enumerate(samples)) / spread if spread else 0.0
    return Line(slope * (count - 1), mean)


@dataclass
class Series:
    """What was seen of one thing, sample after sample."""

    bound: Bound
    samples: list[float] = field(default_factory=list)

    def line(self, warm_up: float) -> Line:
        """After that part of the time."""
        return line_through(self._watched(warm_up))

    def quarters(self, warm_up: float) -> list[float]:
        """The means of the four quarters of that time, which tell what levels off from what climbs on."""
        samples = self._watched(warm_up)
        size = max(1, len(samples) // 4)
        return [
            line_through(samples[place : place + size]).mean for place in range(0, 4 * size, size) if samples[place:]
        ]

    def has_grown(self, warm_up: float) -> bool:
        is_more = self.line(warm_up).climbed > self.allowed(warm_up)
        return is_more and (not self.bound.in_each_quarter or self._climbs_on(warm_up))

    def allowed(self, warm_up: float) -> float:
        """How much the line may climb."""
        return self.bound.allowed(self.line(warm_up).mean, len(self._watched(warm_up)))

    def _watched(self, warm_up: float) -> list[float]:
        return self.samples[int(len(self.samples) * warm_up) :]

    def _climbs_on(self, warm_up: float) -> bool:
        least = self.line(warm_up).climbed / 4 * _OF_AN_EVEN_CLIMB
        return all(after - before >= least for before, after in itertools.pairwise(self.quarters(warm_up)))


class Watch(threading.Thread):
    """Looks at a server again and again between `with` and its end."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._over = threading.Event()
        self.memory: dict[str, Series] = defaultdict(lambda: Series(MEMORY))
        self.shared: dict[str, float] = {}
        self.descriptors: dict[str, Series] = defaultdict(lambda: Series(DESCRIPTORS))
        self.processes: dict[str, Series] = defaultdict(lambda: Series(PROCESSES))
        self.rows: dict[str, Series] = defaultdict(lambda: Series(ROWS))
        self.failure: BaseException | None = None

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        try:
            for turn in itertools.count():
                if self._over.wait(SAMPLE_SECONDS):
                    break
                self._look()
                if turn % _ROWS_EVERY == 0:
                    for table, rows in count_rows().items():
                        self.rows[table].samples.append(rows)
        except BaseException as failure:
            self.failure = failure
        finally:
            connection.close()

    def _look(self) -> None:
        memory: dict[str, float] = defaultdict(float)
        shared: dict[str, float] = defaultdict(float)
        descriptors: dict[str, float] = defaultdict(float)
        processes: dict[str, float] = defaultdict(float)
        assert self._server.process
        root = psutil.Process(self._server.process.pid)
        for process in [root, *root.children(recursive=True)]:
            with suppress(psutil.Error, OSError):
                group = _group_of(process)
                own, common = _memory_bytes(process.pid)
                memory[group] += own
                shared[group] += common
                descriptors[group] += count_descriptors(process.pid, with_files=group not in KEEPING_FILES_OPEN)
                processes[group] += 1
        for group in memory:
            if group in EACH_PROCESS:
                self.memory.setdefault(f"{group}, each", Series(MEMORY_OF_EACH)).samples.append(
                    memory[group] / processes[group]
                )
            else:
                self.memory[group].samples.append(memory[group])
            self.processes[group].samples.append(processes[group])
            self.descriptors[group].samples.append(descriptors[group])
        self.shared = shared


def _group_of(process: psutil.Process) -> str:
    command = " ".join(process.cmdline())
    return next((group for group, word in _GROUPS.items() if word in command), "the Micro and its sandbox")


def count_descriptors(pid: int, *, with_files: bool) -> int:
    """What a process has open: sockets, pipes and the like, and files. Raises OSError when it is gone."""
    found = 0
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            # A socket is called `socket:[1234]`.
            found += with_files or not str(path.readlink()).startswith("/")
    return found


def _memory_bytes(pid: int) -> tuple[int, int]:
    """A process's share of what it keeps in memory: without, and of, what processes share on purpose (PostgreSQL's buffers, which
    fill up to their size).
    """
    found = {"Pss": 0, "Pss_Shmem": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split()[:2]
        found[name.rstrip(":")] = int(value) * 1024
    return found["Pss"] - found["Pss_Shmem"], found["Pss_Shmem"]


def count_rows() -> dict[str, int]:
    """The rows of each table."""
    tables = connection.introspection.table_names()
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            (found[table],) = cursor.fetchone()
    return found


def has_tracebacks(logs: Sequence[Path]) -> list[str]:
    """Lines of logs in which one begins."""
    lines = [line for log in logs for line in log.read_text(errors="replace").splitlines()]
    return [line for line in lines if "Traceback" in line or "panicked" in line]
