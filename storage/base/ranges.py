"""Which indexes of attributes can answer a query, and which attributes one would have to have an index of. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage.base.query import ORDERED, Condition, Predicate
from storage.base.sql.queries import has_equality

Path = tuple[str, ...]
RANGES = (*ORDERED, "r", "pfx")
# ORed ones that are looked up together.
_GROUPS_MAX = 32


@dataclass(frozen=True, slots=True)
class IndexedRange:
    """The conditions of one group that one index answers together."""

    index_id: int
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class RangePlan:
    """For each ORed group of a query the indexes that each find all its matches, and others beside them.

    A group without one has a condition that the equality index finds.
    """

    groups: tuple[tuple[IndexedRange, ...], ...]

    @property
    def index_ids(self) -> list[int]:
        return sorted({found.index_id for group in self.groups for found in group})


def plan_ranges(predicate: Predicate, ready: Mapping[Path, int], *, equality_too: bool = True) -> RangePlan | None:
    """How indexes find every match; None when some group has no condition that one of them answers.

    Without `equality_too` each group must have a range.
    """
    if not 1 <= len(predicate.any_of) <= _GROUPS_MAX:
        return None
    groups = []
    for group in predicate.any_of:
        paths = dict.fromkeys(condition.path for condition in group if is_range(condition) and condition.path in ready)
        found = tuple(
            IndexedRange(ready[path], tuple(each for each in group if each.path == path and is_range(each)))
            for path in paths
        )
        if not found and not (equality_too and has_equality(group)):
            return None
        groups.append(found)
    return RangePlan(tuple(groups)) if any(groups) else None


def wanted_paths(predicate: Predicate) -> list[Path]:
    """The attributes whose indexes would have answered a query that had none: of every group that equality does not answer.

    Empty where some group would have to be looked for in the whole Base all the same.
    """
    wanted: dict[Path, None] = {}
    for group in predicate.any_of:
        if has_equality(group):
            continue
        paths = dict.fromkeys(condition.path for condition in group if is_range(condition))
        if not paths:
            return []
        wanted |= paths
    return list(wanted)


def has_range(predicate: Predicate) -> bool:
    """Whether any condition is one that an index of an attribute can answer."""
    return any(is_range(condition) for group in predicate.any_of for condition in group)


def is_range(condition: Condition) -> bool:
    """A condition on the order of an attribute's values."""
    return condition.operator in RANGES and condition.path != ("key",)
