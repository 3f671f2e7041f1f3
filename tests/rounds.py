"""How often what breaks something does so, and how much of what takes hours is tried in one run.

HOMEPORT_TEST_ROUNDS=50  how often each process is killed; ten times in `make test-all`, fifty in `make soak`
HOMEPORT_TEST_SLICE=3    which twelfth of the odd values is sent: that of the day unless set; `all` sends them all
"""

import datetime
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

ROUNDS = int(os.environ.get("HOMEPORT_TEST_ROUNDS", "10"))
SLICES = 12
# The processes of one run go by the same day.
os.environ.setdefault("HOMEPORT_TEST_SLICE", str(datetime.date.today().toordinal() % SLICES))
SLICE = os.environ["HOMEPORT_TEST_SLICE"]


def told() -> str:
    """What to say of a run at its beginning, so that it can be made again."""
    of = "all odd values" if SLICE == "all" else f"slice {SLICE} of {SLICES} of the odd values"
    return f"Slow tests: {ROUNDS} rounds (HOMEPORT_TEST_ROUNDS={ROUNDS}), {of} (HOMEPORT_TEST_SLICE={SLICE})"


def slice_of(things: Iterable[T]) -> Iterator[T]:
    """Those of this run: each is among those of one of so many days."""
    return iter(things) if SLICE == "all" else islice(things, int(SLICE) % SLICES, None, SLICES)
