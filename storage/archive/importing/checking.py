"""The dry run of an import: everything is read, counted and checked against the rules, and nothing is stored.

Bytes are counted as they are unpacked, not as the archive claims.
"""

import hashlib
import string
from collections.abc import Callable

from storage import exact_json, limits, names
from storage.archive import sql as archive_sql
from storage.archive.importing.plans import Plan, Portion, Reading
from storage.archive.importing.sources import FileSource, FoundFile, ItemSource, MicroSource, Source
from storage.archive.reading.columns import Type, type_of_json
from storage.archive.reading.documents import JsonItems
from storage.archive.reading.json_stream import Broken
from storage.archive.reading.key_candidates import Candidates
from storage.archive.reading.parsed_items import Read
from storage.archive.reading.tables import CsvItems
from storage.base.items import PreparedItem, prepare_item
from storage.errors import EmptyAttributeName, InvalidInput
from storage.models import Base
from storage.postgres.database import run, run_one
from storage.zip_reader import Damaged, Problem

_DIGITS = string.digits + string.ascii_lowercase

Note = Callable[[Problem], None]
Progress = Callable[[int], None]


class Fault(Exception):
    """An item or file that cannot be stored: `reason` is the same for a group of them, `what` describes this one."""

    def __init__(self, reason: str, what: str) -> None:
        super().__init__(what)
        self.reason, self.what = reason, what


def check_source(source: Source, plan: Plan, *, here: "Here", note: Note, progress: Progress) -> None:
    """Read everything, fill in the plan's counts and record each problem. `progress` gets the number of bytes read."""
    for problem in source.problems:
        note(problem)
    portions = iter(plan.portions)
    for base in source.bases:
        reading = plan.readings.get(base.name) or plan.readings.get("*") or Reading()
        _check_base(base, next(portions), reading, here.base(base.name), note, progress)
    for drive in source.drives:
        _check_drive(drive, next(portions), note, progress)
    for micro in source.micros:
        check_micro(micro, next(portions), note, progress)


class Here:
    """What the collection has already of what an import brings."""

    def __init__(self, collection_id: str) -> None:
        self._collection_id = collection_id

    def base(self, name: str) -> "BaseHere":
        found = Base.objects.filter(collection_id=self._collection_id, name=name).values_list("id", flat=True).first()
        return BaseHere(found)


class BaseHere:
    """A Base, if it is there."""

    def __init__(self, base_id: int | None) -> None:
        self._id = base_id

    def column_types(self) -> dict[str, Type]:
        """The type of each attribute that has one type in the items that are looked at."""
        kinds: dict[str, list[str]] = {}
        for row in run(archive_sql.count_attribute_types(self._id, limits.IMPORT_TYPES_LOOK_ITEMS)) if self._id else []:
            kinds.setdefault(row.name, []).append(row.type)
        found = {name: type_of_json(held) for name, held in kinds.items()}
        return {name: kind for name, kind in found.items() if kind is not None}

    def count(self, keys: list[str]) -> int:
        """How many of these keys it has."""
        return run_one(archive_sql.count_known_items(self._id, keys)).total if self._id and keys else 0


def _check_base(
    base: ItemSource, portion: Portion, reading: Reading, here: BaseHere, note: Note, progress: Progress
) -> None:
    if not portion.is_legal:
        note(Problem(base.entry, f"“{base.name}” is not a valid name for a Base: choose another"))
    keys: list[str] = []
    candidates = Candidates()
    if isinstance(base, JsonItems):
        base.candidates = candidates
    try:
        _apply(reading, base, portion, here)
        for read in base.read():
            portion.count += 1
            portion.bytes += read.size_bytes
            progress(read.size_bytes)
            try:
                keys.append(prepare(read).key)
                portion.keyless += (read.value or {}).get("key") is None
            except Fault as fault:
                portion.faults += 1
                note(Problem(base.entry, fault.what, read.spot, key_of(read)))
            if len(keys) == limits.ARCHIVE_BATCH_ITEMS:
                portion.known += here.count(keys)
                keys = []
    except (Broken, Damaged) as error:
        portion.broken = tell_broken(error)
        note(Problem(base.entry, f"The rest cannot be read: {error}", getattr(error, "spot", "")))
    portion.known += here.count(keys)
    portion.told = base.told
    portion.candidates = candidates.list()


def _apply(reading: Reading, base: ItemSource, portion: Portion, here: BaseHere) -> None:
    """Read it as somebody wants it; the columns of a table are told from all of it. Raises Broken."""
    if isinstance(base, CsvItems | JsonItems):
        base.key = portion.key = reading.key
    if isinstance(base, CsvItems):
        known = {} if reading.is_text else here.column_types()
        base.survey(known=known, chosen=reading.types, default="text" if reading.is_text else None)
        portion.columns = base.columns
        if reading.key != "key" and reading.key not in {column.name for column in base.columns}:
            raise Broken("line 1", f"no column is called “{reading.key}”, which is to be the key")


def _check_drive(drive: FileSource, portion: Portion, note: Note, progress: Progress) -> None:
    if not portion.is_legal:
        note(Problem(portion.entry, f"“{drive.name}” is not a valid name for a Drive: choose another"))
    seen: set[int] = set()
    for file in drive.files:
        portion.count += 1
        try:
            check_file(file, seen)
            for chunk in file.read():
                portion.bytes += len(chunk)
                progress(len(chunk))
        except Fault as fault:
            portion.faults += 1
            note(Problem(file.entry, fault.what))
        except Damaged as error:
            portion.faults += 1
            note(Problem(file.entry, str(error)))


def check_micro(micro: MicroSource, portion: Portion, note: Note, progress: Progress) -> None:
    """Read all of its code; one that lacks any of it, or holds it changed, is not to be imported."""
    if not portion.is_legal:
        note(Problem(portion.entry, f"“{micro.name}” is not a valid name for a Micro: choose another"))
    portion.faults += len(micro.about.listing) - len(micro.files)
    for file in micro.files:
        portion.count += 1
        try:
            for chunk in file.read():
                portion.bytes += len(chunk)
                progress(len(chunk))
        except Damaged as error:
            portion.faults += 1
            note(Problem(file.entry, str(error)))
    if micro.about.variables:
        note(
            Problem(
                portion.entry, f"It had variables, whose values no archive holds: {', '.join(micro.about.variables)}"
            )
        )


def prepare(read: Read) -> PreparedItem:
    """The row of an item; an item without a key gets one. Raises Fault."""
    if read.value is None:
        raise Fault(read.fault.split(":")[0], read.fault)
    value = {**read.value, "key": make_key(read)} if read.value.get("key") is None else read.value
    try:
        return prepare_item(value)
    except EmptyAttributeName as error:
        raise Fault(error.args[0], error.messages[0]) from None
    except InvalidInput as error:
        raise Fault(error.args[0].split(":")[0], ". ".join(error.messages)) from None


def check_file(file: FoundFile, seen: set[int]) -> None:
    """Raises Fault for an invalid name, or one that another file of this Drive has."""
    try:
        names.check_file_name(file.name)
    except InvalidInput as error:
        raise Fault("Bad file name", error.messages[-1]) from None
    if hash(file.name) in seen:
        raise Fault("Another file of that name", "another file of this Drive has this name")
    seen.add(hash(file.name))


def tell_broken(error: Exception) -> str:
    spot = getattr(error, "spot", "")
    return f"{spot}: {error}" if spot else str(error)


def make_key(read: Read) -> str:
    """A key for an item that has none: the same for the same item in the same place, so that importing again adds nothing.

    Its first five characters count, so the items stay in their order.
    """
    digest = int.from_bytes(hashlib.sha256(exact_json.dump(read.value)).digest()[:8], "big")
    return _base36(read.number).rjust(5, "0") + _base36(digest).rjust(7, "0")[-7:]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def key_of(read: Read) -> str:
    """An item's key for people, if it has one."""
    key = read.key or (read.value or {}).get("key", "")
    return key if isinstance(key, str) else ""
