"""The plan of an import: what was found, what was chosen for each Base and Drive, and the result.

These are kept with the import as JSON; the order of the portions is that of the source, which is the same each time it is read.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from storage import limits, names
from storage.archive.importing.sources import Source
from storage.archive.reading.columns import Column, Type
from storage.archive.reading.documents import JsonItems
from storage.archive.reading.key_candidates import Candidate
from storage.archive.reading.tables import CsvItems
from storage.errors import InvalidInput
from storage.micros.micros import check_micro_name

Kind = Literal["base", "drive", "micro"]
Do = Literal["update", "merge", "add", "replace", "rename", "skip"]
WAYS: tuple[Do, ...] = ("update", "merge", "add", "replace", "rename", "skip")


class Reading(msgspec.Struct):
    """How somebody wants a Base of a file read: which column or attribute is the key, and of which types its columns are."""

    key: str = "key"
    types: dict[str, Type] = {}
    is_text: bool = False  # every cell, whatever it looks like


class Portion(msgspec.Struct):
    """A Base, Drive or Micro of the source. `count` is of its items or files, `faults` of those that cannot be stored."""

    kind: Kind
    name: str
    entry: str
    count: int = 0
    bytes: int = 0
    faults: int = 0
    broken: str = ""  # where and why it cannot be read to its end
    told: str = ""  # what it was taken for
    is_table: bool = False  # of cells, in columns
    columns: list[Column] = []
    candidates: list[Candidate] = []  # attributes of JSON that could be the key
    key: str = "key"  # the column, or attribute, whose values are the keys
    known: int = 0  # items whose key the Base has already
    keyless: int = 0  # items that get a key made for them

    @property
    def good(self) -> int:
        """Items or files that can be stored."""
        return self.count - self.faults

    @property
    def new(self) -> int:
        return self.good - self.known

    @property
    def key_names(self) -> list[str]:
        """The columns, or attributes, one of which is the key."""
        return (
            [each.name for each in self.columns] if self.is_table else ["key", *(each.name for each in self.candidates)]
        )

    @property
    def is_legal(self) -> bool:
        """Whether the name is valid for what it is."""
        return is_legal(self.kind, self.name)


class Plan(msgspec.Struct):
    """What the check found."""

    made_by: str
    portions: list[Portion]
    ignored: int = 0
    junk: int = 0  # what systems leave in zips
    into: str = ""  # the Base that a file of items is for
    readings: dict[str, Reading] = {}  # by the name of the Base in the file; "*" is for all

    @property
    def counts(self) -> dict[str, int]:
        """`bases`, `items`, `drives`, `files` (of Drives), `micros`; `bytes` of all portions."""
        bases = [each for each in self.portions if each.kind == "base"]
        drives = [each for each in self.portions if each.kind == "drive"]
        return {
            "bases": len(bases),
            "items": sum(each.count for each in bases),
            "drives": len(drives),
            "files": sum(each.count for each in drives),
            "micros": sum(each.kind == "micro" for each in self.portions),
            "bytes": sum(each.bytes for each in self.portions),
        }


class Choice(msgspec.Struct):
    """What to do with a portion. A Micro is created ("merge"), under another name ("rename"), or left out.

    "update": of items with the same key the attributes that the file has are set, others are new. "merge": items (files) with the
    same key (name) are replaced whole. "add": items whose key is there are left as they are. "replace": like "merge", and at the
    end all that is older than the import goes. "rename": a table's "update", all else's "merge" into another Base or Drive,
    `name`. "skip": nothing.
    """

    do: Do
    name: str = ""


class PortionReport(msgspec.Struct):
    """The result of a portion. `read` is the sum of `new`, `replaced`, `unchanged` and all `skipped` by reason."""

    kind: Kind
    name: str
    into: str
    do: Do
    read: int = 0
    new: int = 0
    replaced: int = 0  # or updated
    unchanged: int = 0  # said only what is stored already
    removed: int = 0
    bytes: int = 0
    skipped: dict[str, int] = {}
    broken: str = ""

    @property
    def stored(self) -> int:
        return self.new + self.replaced + self.unchanged

    @property
    def skipped_total(self) -> int:
        return sum(self.skipped.values())

    def skip(self, reason: str) -> None:
        self.read += 1
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def make_plan(source: Source, *, into: str = "", readings: Mapping[str, Reading] | None = None) -> Plan:
    """A plan with nothing counted yet."""
    bases = [
        Portion("base", each.name, each.entry, told=each.told, is_table=isinstance(each, CsvItems))
        for each in source.bases
    ]
    drives = [Portion("drive", each.name, f"drives/{each.name}/") for each in source.drives]
    micros = [Portion("micro", each.name, each.entry) for each in source.micros]
    return Plan(source.made_by, bases + drives + micros, source.ignored, source.junk, into, dict(readings or {}))


def prepare_to_read(source: Source, plan: Plan) -> None:
    """Have the source read as the check found it: its keys, and its columns with their types."""
    for base, portion in zip(source.bases, plan.portions, strict=False):
        if isinstance(base, CsvItems | JsonItems):
            base.key = portion.key
        if isinstance(base, CsvItems):
            base.columns = portion.columns


def is_legal(kind: Kind, name: str) -> bool:
    """Whether something of this kind may have this name."""
    if kind != "micro":
        return names.is_name(name)
    try:
        return check_micro_name(name) == name
    except InvalidInput:
        return False


def read_plan(kept: dict[str, Any]) -> Plan:
    return msgspec.convert(kept, Plan)


def read_choices(kept: dict[str, Any]) -> list[Choice]:
    return msgspec.convert(kept.get("portions", []), list[Choice])


def read_readings(kept: dict[str, Any]) -> dict[str, Reading]:
    """What somebody asked for, of the plan of an import that is to be checked."""
    return msgspec.convert(kept.get("readings", {}), dict[str, Reading])


def read_report(kept: dict[str, Any]) -> list[PortionReport]:
    return msgspec.convert(kept.get("portions", []), list[PortionReport])


def keep(*portions: Any) -> dict[str, Any]:
    """As JSON, for a column."""
    return {"portions": [msgspec.to_builtins(portion) for portion in portions]}


def suggest_choice(portion: Portion, *, exists: bool = False) -> Choice:
    """The default choice for a portion, of whose name there is something already or not.

    A damaged one is not imported unless somebody asks, and neither is a second Micro of one name: two would do everything twice.
    """
    if portion.broken or (portion.kind == "micro" and (exists or portion.faults)):
        return Choice("skip")
    if portion.is_table and portion.is_legal:
        return Choice("update")
    return Choice("merge") if portion.is_legal else Choice("rename", suggest_name(portion.name))


def suggest_name(name: str) -> str:
    """A valid name similar to this one."""
    kept = "".join(each if each.isascii() and (each.isalnum() or each in "_-.") else "-" for each in name)
    return kept.strip("-.")[: limits.NAME_MAX_CHARACTERS] or "imported"


def check_choices(plan: Plan, choices: list[Choice]) -> None:
    """Raises InvalidInput when there is not one good choice for each portion, or two portions would go into one by `replace`."""
    if len(choices) != len(plan.portions):
        raise InvalidInput(f"There are {len(plan.portions)} Bases, Drives and Micros, and {len(choices)} choices")
    targets: dict[tuple[str, str], Do] = {}
    for portion, choice in zip(plan.portions, choices, strict=True):
        if choice.do == "skip":
            continue
        into = target_name(portion, choice)
        if portion.kind == "drive" and choice.do in ("update", "add"):
            raise InvalidInput(f"Files are merged or replaced, not updated or added: choose another way for “{into}”")
        if portion.kind == "micro":
            _check_micro(into, choice, targets)
        elif not names.is_name(into):
            raise InvalidInput(
                f"“{into}” is not a valid name for a {portion.kind.title()}: letters, digits, “_”, “-” and “.”"
            )
        before = targets.get((portion.kind, into))
        targets[portion.kind, into] = choice.do
        if before and "replace" in (before, choice.do):
            raise InvalidInput(
                f"Two of them go into “{into}”, and one of these is set to replace it: choose another name"
            )


def _check_micro(into: str, choice: Choice, targets: dict[tuple[str, str], Do]) -> None:
    if not is_legal("micro", into):
        raise InvalidInput(f"“{into}” is not a valid name for a Micro: it has 1 to 128 characters, all of them visible")
    if choice.do in ("replace", "update", "add"):
        raise InvalidInput(f"No Micro is replaced by an import: choose another name for “{into}”, or leave it out")
    if ("micro", into) in targets:
        raise InvalidInput(f"Two Micros would be called “{into}”: choose another name")


def target_name(portion: Portion, choice: Choice) -> str:
    """The Base or Drive that a portion goes into, or the Micro that it becomes."""
    return choice.name if choice.do == "rename" else portion.name
