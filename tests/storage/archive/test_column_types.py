"""The server's half of `tests/column_types.json`. For what goes over cells, `tests/js/column_types.test.mjs` is the browser's.

A case is the cells of a column, the type that the Base has for it (`known`) or that it is taken for, and the JSON of each value.
"""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from storage.archive.reading.pasted import read_rows
from storage.exact_json import dump, parse

CASES = json.loads((Path(__file__).parents[2] / "column_types.json").read_text())
_BY_JSON = {"text": "string", "number": "number", "boolean": "boolean", "json": "object"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.get('known', 'new')} {ascii(case['cells'])[:60]}")
def test_a_column_is_read_as_the_browser_reads_it(case: dict[str, Any]) -> None:
    written = io.StringIO()
    csv.writer(written, delimiter="\t").writerows(
        [["key", "x"], *([f"k{n}", cell] for n, cell in enumerate(case["cells"]))]
    )
    types = {"x": _BY_JSON[case["known"]]} if "known" in case else {}
    read = read_rows(written.getvalue().encode(), types={"key": "string", **types})
    assert read.problems == []
    assert {column.name: column.type for column in read.columns}["x"] == case["type"]
    wanted = [dump(parse(value.encode())).decode() if value else None for value in case["values"]]
    assert [row.item.get("x") for row in read.rows] == wanted
