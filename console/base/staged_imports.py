"""Rows that are pasted or imported in the table, as changes to stage: new rows, and edits of rows that are stored.

The values are JSON texts, as everywhere in the table.
"""

from typing import Any

from storage.archive.importing.updating import find_changes
from storage.archive.reading.pasted import ReadRow, ReadRows
from storage.base import edits
from storage.exact_json import dump, parse, split
from storage.postgres.caller import Access


def describe(read: ReadRows, *, access: Access, base: str) -> dict[str, Any]:
    """`{"rows", "problems", "told", "columns", "unchanged"}`.

    A row is `{"key", "item", "stored"}`. `stored` is None for a new row, else `{"revision", "values"}` of the item with this key:
    `item` then holds only what differs, and `values` what is stored of that, None for a missing attribute. Rows that would change
    nothing are only counted, under `unchanged`.
    """
    keys = {row.key for row in read.rows if row.key is not None}
    states = edits.get_states(access=access, base=base, keys=keys) if keys else {}
    rows, unchanged = [], 0
    for row in read.rows:
        state = states.get(row.key or "")
        told = _describe_row(row, state.json, state.revision, is_table=bool(read.columns)) if state else _new(row)
        if told is None:
            unchanged += 1
        else:
            rows.append(told)
    return {
        "rows": rows,
        "problems": [problem._asdict() for problem in read.problems],
        "told": read.told,
        "columns": [{"name": column.name, "type": column.type, "samples": column.samples} for column in read.columns],
        "unchanged": unchanged,
    }


def _new(row: ReadRow) -> dict[str, Any]:
    return {"key": row.key, "item": row.item, "stored": None}


def _describe_row(row: ReadRow, stored_json: str, revision: int, *, is_table: bool) -> dict[str, Any] | None:
    stored = split(stored_json)
    given = {name: parse(text.encode()) for name, text in row.item.items()}
    before = {name: parse(text.encode()) for name, text in stored.items() if name in given}
    changes = find_changes(given, before, is_table=is_table)
    if not changes:
        return None
    return {
        "key": row.key,
        "item": {name: dump(value).decode() for name, value in changes.items()},
        "stored": {"revision": str(revision), "values": {name: stored.get(name) for name in changes}},
    }
