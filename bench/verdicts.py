"""What is said of a figure: whether it reaches its goal. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.goals import Goal
from bench.tables import Table

# A figure this near to its bound is not worth another change: the next run may find it on the other side.
NEAR = 0.05
HEAD = ("goal", "measured", "processor ms", "goal is", "syncs", "")
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Figure:
    """What was measured for a goal, in the goal's unit, and the processor time that Homeport takes for an answer, where known.

    `syncs` is how often Homeport, and the one it is compared with, sync to the disk for one write.
    """

    value: float
    cpu_ms: float | None = None
    syncs: tuple[float, float] | None = None


def judge(goal: Goal, value: float) -> str:
    """`reached`, `within 5 %` or `below`, which is also said of what is above the most that is allowed."""
    reserve = goal.bound / value if goal.is_most else value / goal.bound
    if reserve >= 1:
        return "reached"
    return f"within {NEAR:.0%}".replace("%", " %") if reserve >= 1 - NEAR else "below"


def goals_table(goals: Sequence[Goal], figures: Mapping[str, Figure]) -> Table:
    """One line for each goal, in their order; what this run left out is said to be not measured."""
    notes = [
        "processor ms: what an answer takes of Homeport's processes, engines included, in user and system time.",
        "syncs: calls that sync to the disk for one write, Homeport's : those of whom it is compared with.",
    ]
    return Table("Goals", HEAD, [_line(goal, figures.get(goal.name)) for goal in goals], notes)


def bound_text(goal: Goal) -> str:
    """The bound as text and docs show it, `>= 0.40` or `<= 720 MB`."""
    return f"{'<=' if goal.is_most else '>='} {_text(goal, goal.bound)}"


def _line(goal: Goal, figure: Figure | None) -> tuple[str, ...]:
    if figure is None:
        return goal.title, "", "", bound_text(goal), "", NOT_MEASURED
    cpu = "" if figure.cpu_ms is None else f"{figure.cpu_ms:.2f}"
    syncs = "" if figure.syncs is None else "{:.1f} : {:.1f}".format(*figure.syncs)
    return goal.title, _text(goal, figure.value), cpu, bound_text(goal), syncs, judge(goal, figure.value)


def _text(goal: Goal, value: float) -> str:
    return f"{value:,.0f} {goal.unit}" if goal.unit else f"{value:.2f}"
