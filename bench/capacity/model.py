"""The model of docs/scaling.md: what a server takes, computed from figures that were measured.

What is in bytes, milliseconds or seconds says so in its name. GB and TB are 1,000 of what is below.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

GB, TB = 1e9, 1e12
_FIGURES = Path(__file__).parent / "figures.json"

# A month, as the tables reckon, and what is left free.
SECONDS = 2_600_000
_BUSY = 0.5
_NOT_YET_TAKEN_BACK = 1.3
_WITHOUT_GARBAGE = 0.7
_WAL_KEEP_BYTES = 1e9
_COPIED_A_SECOND = 100e6

# Bytes: an item in the table with its key, in the equality index at a million items, a changed version, log of a put, rows of
# a file.
ROW, INDEX, VERSION, WAL, OBJECT = 435, 400, 560, 2_500, 1_200
# Of a million requests.
GETS, PUTS, QUERIES = 0.80, 0.15, 0.05
PEAK = 5
DAYS = 30
_HISTORY_BYTES = 1e9

# The benchmark's name of each operation, and ours of what it costs.
OPERATIONS = {"get": "cpu_get", "put": "cpu_put", "put 25": "cpu_put25", "equality, 10 hits": "cpu_query"}


class UnreadableRun(Exception):
    """What was given is not what `python -m bench` prints; the message says what is missing."""


@dataclass(frozen=True)
class Figures:
    """Milliseconds of processor time for each operation, and of which run they are, as people read it."""

    cpu_get: float
    cpu_put: float
    cpu_put25: float
    cpu_query: float
    where: str

    @property
    def request_ms(self) -> float:
        """The mean of the mixture."""
        return GETS * self.cpu_get + PUTS * self.cpu_put + QUERIES * self.cpu_query


def read_figures() -> Figures:
    """Those that the documentation stands on."""
    return Figures(**json.loads(_FIGURES.read_text()))


def write_figures(figures: Figures) -> None:
    """Make the documentation stand on these."""
    _FIGURES.write_text(json.dumps(figures.__dict__, indent=2) + "\n")


def figures_of_run(printed: str, *, where: str) -> Figures:
    """From what a run of the benchmark printed: Homeport's column of its table of processor time. Raises UnreadableRun."""
    lines = printed.splitlines()
    begins = next((number for number, line in enumerate(lines) if "processor ms per answer" in line), None)
    if begins is None:
        raise UnreadableRun("There is no table “processor ms per answer” in it.")
    columns = _cells(lines[begins])
    if "Homeport" not in columns:
        raise UnreadableRun("The table of processor time has no column “Homeport”.")
    place = columns.index("Homeport")
    found: dict[str, float] = {}
    for line in lines[begins + 1 :]:
        cells = _cells(line)
        if not cells:
            break
        if len(cells) > place and (name := OPERATIONS.get(cells[0])):
            found[name] = float(cells[place])
    if missing := [title for title, name in OPERATIONS.items() if name not in found]:
        raise UnreadableRun(f"The table of processor time lacks: {', '.join(missing)}.")
    return Figures(**found, where=where)


def _cells(line: str) -> list[str]:
    """Of a table as text, whose columns are two spaces apart at least, or in Markdown."""
    if line.startswith("|"):
        return [cell.strip() for cell in line.strip().strip("|").split("|")]
    return [cell for cell in re.split(r" {2,}", line.strip()) if cell]


class World(NamedTuple):
    """What somebody wants stored and asked, in a month."""

    name: str
    items: float
    requests: float
    file_bytes: float
    files: float
    collections: int
    machines: int


WORLDS = (
    World("a small machine", 1e6, 10e6, 50 * GB, 100_000, 1, 1),
    World("a hundred apps", 50e6, 300e6, 1 * TB, 2e6, 100, 3),
    World("a thousand tenants, a million items each", 1_000e6, 5_200e6, 20 * TB, 40e6, 1_000, 3),
)


@dataclass(frozen=True)
class Needs:
    """What a world takes."""

    world: World
    figures: Figures

    @property
    def cores(self) -> float:
        """For all nodes together, half of them left free in the busiest hour."""
        return self.world.requests * self.figures.request_ms / 1000 / SECONDS * PEAK / _BUSY

    @property
    def item_bytes(self) -> float:
        """Without indexes of attributes."""
        return self.world.items * (ROW + INDEX)

    @property
    def index_bytes(self) -> float:
        """The equality index alone."""
        return self.world.items * INDEX

    @property
    def changes_a_second(self) -> float:
        """In the mean: every put is one."""
        return self.world.requests * PUTS / SECONDS

    @property
    def history_bytes(self) -> float:
        """Of 30 days."""
        return min(self.world.requests * PUTS * VERSION, _HISTORY_BYTES * self.world.collections)

    @property
    def postgres_bytes(self) -> float:
        """On each machine that has a PostgreSQL."""
        kept = self.item_bytes + self.history_bytes + self.world.files * OBJECT
        return kept * _NOT_YET_TAKEN_BACK + _WAL_KEEP_BYTES

    @property
    def disk_bytes(self) -> float:
        """For files, on all machines: on two of several each."""
        return self.world.file_bytes * min(self.world.machines, 2) / _WITHOUT_GARBAGE

    @property
    def log_bytes_a_second(self) -> float:
        """To each standby in the busiest hour."""
        return self.changes_a_second * PEAK * WAL

    @property
    def standby_seconds(self) -> float:
        """Until a new standby has a copy."""
        return self.postgres_bytes / _COPIED_A_SECOND
