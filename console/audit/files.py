"""The audit log as a file: CSV or JSON lines, a line for each entry, as they are read. Pure."""

import csv
import io
from collections.abc import Iterator

from storage.audit.log import Entry
from storage.exact_json import dump

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_COLUMNS = (*Entry._fields[1:-1], "details")  # but for the id, and with the details as what they are
# A spreadsheet takes a text that begins with one of these for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(entries: Iterator[Entry]) -> Iterator[str]:
    """The names of the columns, then the entries. What a spreadsheet would run stands behind an apostrophe."""
    yield _line(_COLUMNS)
    for entry in entries:
        yield _line([_field(value) for value in _told(entry).values()])


def write_lines(entries: Iterator[Entry]) -> Iterator[str]:
    """Each entry as a JSON object on a line of its own."""
    for entry in entries:
        yield dump(_told(entry)).decode() + "\n"


def _told(entry: Entry) -> dict[str, object]:
    told = {name: getattr(entry, name) for name in _COLUMNS}
    return told | {"at": f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}"}


def _field(value: object) -> str:
    if isinstance(value, dict):
        return dump(value).decode() if value else ""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _line(fields: "list[str] | tuple[str, ...]") -> str:
    written = io.StringIO()
    csv.writer(written).writerow(fields)
    return written.getvalue()
