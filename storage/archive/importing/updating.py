"""What a file changes of items that are there: the attributes that it has, and nothing else. Pure."""

from collections.abc import Mapping
from typing import Any

from storage.archive.reading.rewriting import says_the_same
from storage.exact_json import is_same


def find_changes(given: Mapping[str, Any], stored: Mapping[str, Any], *, is_table: bool) -> dict[str, Any]:
    """The attributes of `given` that say something else than what is stored.

    A cell of a table that only says again what is stored changes nothing, though it has lost its type or digits on its way
    through a spreadsheet: `TRUE`, `1.5` for 1.50, `12` for the text "12".
    """
    is_equal = says_the_same if is_table else is_same
    return {
        name: value
        for name, value in given.items()
        if name != "key" and (name not in stored or not is_equal(value, stored[name]))
    }
