"""The order of sorted pages: nulls, strings by bytes, numbers, booleans, lists, objects; items without the attribute last."""

from collections.abc import Sequence
from typing import NamedTuple

from storage.postgres.statements import Params


class SortStep(NamedTuple):
    """An attribute to sort by, and which way."""

    attribute: str
    descending: bool = False


# What PostgreSQL compares of a value: its type alone would put empty lists first and strings in the order of a language.
_PARTS = {
    "kind": "storage_entry_kind({value})",
    "number": "storage_entry_number({value})",
    "text": "(CASE WHEN jsonb_typeof({value}) = 'string' THEN {value} #>> '{{}}' END) COLLATE \"C\"",
    "whole": "CASE WHEN jsonb_typeof({value}) IN ('array', 'object') THEN {value} END",
}


def sort_columns(order: Sequence[SortStep], params: Params) -> str:
    """What to compare of the item `i`. The names of these columns are ours; those of the attributes are bound."""
    columns = []
    for number, step in enumerate(order):
        value = f"(i.value -> {params.add(step.attribute)}::text)"
        columns += [f"{part.format(value=value)} AS {name}{number}" for name, part in _PARTS.items()]
    return ", ".join(columns)


def sort_names(order: Sequence[SortStep]) -> str:
    """The names of those columns."""
    return ", ".join(f"{name}{number}" for number in range(len(order)) for name in _PARTS)


def ordered(table: str, order: Sequence[SortStep]) -> str:
    """The order of a table that has these columns and `key`. Equal items go by key, backwards if one attribute alone does."""
    by = []
    for number, step in enumerate(order):
        way = "DESC" if step.descending else "ASC"
        by += [f"({table}.kind{number} = 9)", *(f"{table}.{name}{number} {way}" for name in _PARTS)]
    return ", ".join([*by, f"{table}.key {'DESC' if is_backwards(order) else 'ASC'}"])


def is_backwards(order: Sequence[SortStep]) -> bool:
    """Whether equal items go by key from the last to the first."""
    return len(order) == 1 and order[0].descending
