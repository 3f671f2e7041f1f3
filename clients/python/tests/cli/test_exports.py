"""Items as JSON lines, a list and CSV. What is written is read by the server, so by the parser that it has."""

import json

import pytest
from storage.archive.reading.pasted import read_rows
from storage.exact_json import join

from deta.cli.bases import exports
from deta.cli.bases.exports import Format
from deta.cli.exact_json import parse

CSV_ITEMS = [
    {"key": "1", "text": "12", "number": 12, "exact": "007", "empty": "", "list": [1, "a"], "none": None, "yes": True},
    {"key": "a,b", "text": 'say "hi"\nthere', "truth": "true", "object": {"a": {"b": 1}}, "brackets": "[x"},
    {"key": "=1+1", "text": "null", "quoted": '"x"', "space": " 1 ", "minus": "-", "ü": "ü"},
    {"key": "d", "number": "12", "exact": "", "brackets": "[1]", "ü": "é"},
]


def read(text: str) -> "list[object]":
    found = read_rows(text.encode())
    assert found.problems == []
    return [{"key": row.key, **json.loads(join(row.item))} for row in found.rows]


def test_csv_that_was_exported_is_the_same_when_it_is_read() -> None:
    texts = [json.dumps(item, ensure_ascii=False) for item in CSV_ITEMS]
    written = "".join(exports.write(iter([parse(text) for text in texts]), "csv"))
    assert read(written) == CSV_ITEMS


def test_what_does_not_fit_a_late_column_has_a_column_together() -> None:
    items = [{"key": str(number), "a": "x"} for number in range(10_001)]
    late = [{"key": "y", "a": parse("7")}, {"key": "z", "late": [1]}]
    lines = "".join(exports.write(iter([*items, *late]), "csv")).splitlines()
    assert lines[0] == "key,a,other attributes"
    assert read("\n".join([lines[0], *lines[-3:]])) == [
        {"key": "10000", "a": "x"},
        {"key": "y", "a": 7},
        {"key": "z", "late": [1]},
    ]


def test_attribute_that_is_called_as_the_column_is_comes_back() -> None:
    items = [{"key": "a", "other attributes": 1, "b": "x"}, {"key": "c", "other attributes": {"b": 2}}, {"key": "d"}]
    written = "".join(exports.write(iter([parse(json.dumps(item)) for item in items]), "csv"))
    assert written.startswith("key,b,other attributes\n")
    assert read(written) == items


@pytest.mark.parametrize(
    ("kind", "end"), [("jsonl", '{"key":"a"}\n'), ("json", '[\n{"key":"a"}\n]\n'), ("csv", "key\na\n")]
)
def test_exports_have_their_form(kind: Format, end: str) -> None:
    assert "".join(exports.write(iter([{"key": "a"}]), kind)) == end
