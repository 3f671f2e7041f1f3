"""The plan of an import: what was found, what was chosen for each Base and Drive, and the result.

These are kept with the import as JSON; the order of the portions is that of the source, which is the same each time it is read.
"""

from typing import Any, Literal

import msgspec

from storage import limits, names
from storage.archive.sources import Source
from storage.errors import InvalidInput

Kind = Literal["base", "drive"]
Do = Literal["merge", "replace", "rename", "skip"]


class Portion(msgspec.Struct):
    """A Base or Drive of the source. `count` is of its items or files, `faults` of those that cannot be stored."""

    kind: Kind
    name: str
    entry: str
    count: int = 0
    bytes: int = 0
    faults: int = 0
    broken: str = ""  # where and why it cannot be read to its end

    @property
    def is_legal(self) -> bool:
        """Whether the name is valid for a Base or Drive."""
        return names.is_name(self.name)


class Plan(msgspec.Struct):
    """What the check found."""

    made_by: str
    portions: list[Portion]
    ignored: int = 0
    is_typed: bool = True  # whether a CSV's cells are taken for numbers and JSON

    @property
    def counts(self) -> dict[str, int]:
        """`bases`, `items`, `drives`, `files`, `bytes` of all portions."""
        bases = [each for each in self.portions if each.kind == "base"]
        drives = [each for each in self.portions if each.kind == "drive"]
        return {
            "bases": len(bases),
            "items": sum(each.count for each in bases),
            "drives": len(drives),
            "files": sum(each.count for each in drives),
            "bytes": sum(each.bytes for each in self.portions),
        }


class Choice(msgspec.Struct):
    """What to do with a portion.

    "merge": its items (files) are stored, those with the same key (name) are replaced, the others stay. "replace": the same,
    and at the end all that is older than the import goes. "rename": "merge" into another Base or Drive, `name`. "skip": nothing.
    """

    do: Do
    name: str = ""


class PortionReport(msgspec.Struct):
    """The result of a portion. `read` is the sum of `new`, `replaced` and all `skipped` by reason."""

    kind: Kind
    name: str
    into: str
    do: Do
    read: int = 0
    new: int = 0
    replaced: int = 0
    removed: int = 0
    bytes: int = 0
    skipped: dict[str, int] = {}
    broken: str = ""

    @property
    def stored(self) -> int:
        return self.new + self.replaced

    @property
    def skipped_total(self) -> int:
        return sum(self.skipped.values())

    def skip(self, reason: str) -> None:
        self.read += 1
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def make_plan(source: Source, *, is_typed: bool) -> Plan:
    """A plan with nothing counted yet."""
    bases = [Portion("base", each.name, each.entry) for each in source.bases]
    drives = [Portion("drive", each.name, f"drives/{each.name}/") for each in source.drives]
    return Plan(source.made_by, bases + drives, source.ignored, is_typed)


def read_plan(kept: dict[str, Any]) -> Plan:
    return msgspec.convert(kept, Plan)


def read_choices(kept: dict[str, Any]) -> list[Choice]:
    return msgspec.convert(kept.get("portions", []), list[Choice])


def read_report(kept: dict[str, Any]) -> list[PortionReport]:
    return msgspec.convert(kept.get("portions", []), list[PortionReport])


def keep(*portions: Any) -> dict[str, Any]:
    """As JSON, for a column."""
    return {"portions": [msgspec.to_builtins(portion) for portion in portions]}


def suggest_choice(portion: Portion) -> Choice:
    """The default choice for a portion. A damaged one is not imported unless somebody asks."""
    if portion.broken:
        return Choice("skip")
    return Choice("merge") if portion.is_legal else Choice("rename", suggest_name(portion.name))


def suggest_name(name: str) -> str:
    """A valid name similar to this one."""
    kept = "".join(each if each.isascii() and (each.isalnum() or each in "_-.") else "-" for each in name)
    return kept.strip("-.")[: limits.NAME_MAX_CHARACTERS] or "imported"


def check_choices(plan: Plan, choices: list[Choice]) -> None:
    """Raises InvalidInput when there is not one good choice for each portion, or two portions would go into one by `replace`."""
    if len(choices) != len(plan.portions):
        raise InvalidInput(f"There are {len(plan.portions)} Bases and Drives, and {len(choices)} choices")
    targets: dict[tuple[str, str], Do] = {}
    for portion, choice in zip(plan.portions, choices, strict=True):
        if choice.do == "skip":
            continue
        into = target_name(portion, choice)
        if not names.is_name(into):
            raise InvalidInput(
                f"“{into}” is not a valid name for a {portion.kind.title()}: letters, digits, “_”, “-” and “.”"
            )
        before = targets.get((portion.kind, into))
        targets[portion.kind, into] = choice.do
        if before and "replace" in (before, choice.do):
            raise InvalidInput(
                f"Two of them go into “{into}”, and one of these is set to replace it: choose another name"
            )


def target_name(portion: Portion, choice: Choice) -> str:
    """The Base or Drive that a portion goes into."""
    return choice.name if choice.do == "rename" else portion.name
