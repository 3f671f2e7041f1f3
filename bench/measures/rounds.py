"""Measuring several things in turns, so that a machine that is slow for a while is slow for all of them."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil

from bench.meters import cpu

Tree = Callable[[], list[psutil.Process]]


@dataclass(frozen=True)
class Turn:
    """One thing to measure: `run` takes a while and says what it got; `tree` are the processes that answer."""

    name: str
    run: Callable[[], "Ran"]
    tree: Tree


class Ran(NamedTuple):
    """How many whole answers came, within how many seconds."""

    answers: float
    seconds: float


@dataclass
class Rounds:
    """Answers per second and the processor time of an answer in ms, by the turns' names, one element a round."""

    per_s: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)

    def rate(self, name: str) -> float:
        """The median of a turn's answers per second."""
        return statistics.median(self.per_s[name])

    def cpu(self, name: str) -> float:
        """The median of a turn's processor time for an answer, in ms."""
        return statistics.median(self.cpu_ms[name])

    def ratios(self, name: str, other: str) -> list[float]:
        """One turn's rate divided by another's of the same round."""
        return [one / two for one, two in zip(self.per_s[name], self.per_s[other], strict=True)]

    def ratio(self, name: str, other: str) -> float:
        """The median of the rounds' ratios, which goals are held against."""
        return statistics.median(self.ratios(name, other))


def measure_round(turns: Sequence[Turn], into: Rounds, *, number: int) -> None:
    """Each turn once; every second round in the opposite order."""
    for turn in turns if number % 2 == 0 else reversed(turns):
        before_s = cpu.used_s(turn.tree())
        ran = turn.run()
        used_s = cpu.used_s(turn.tree()) - before_s
        into.per_s.setdefault(turn.name, []).append(ran.answers / ran.seconds)
        into.cpu_ms.setdefault(turn.name, []).append(used_s * 1000 / ran.answers)
