"""Files and pasted text as people bring them: each with the right value, or the right refusal. The one parser alone."""

import json
from typing import Any

import pytest

from storage.archive.importing.updating import find_changes
from storage.archive.reading.pasted import read_rows
from storage.errors import InvalidInput
from storage.exact_json import parse

NAMELESS = [{"n": 1}, {"n": 2}]


def rows_of(content: "str | bytes", name: str = "", **types: str) -> "list[Any]":
    read = read_rows(content.encode() if isinstance(content, str) else content, file_name=name, types=types)
    assert read.problems == []
    return [
        ({"key": row.key} if row.key is not None else {}) | {n: parse(t.encode()) for n, t in row.item.items()}
        for row in read.rows
    ]


def column(cells: "list[str]", separator: str = ",") -> "list[Any]":
    """The values of a column of these cells, as JSON texts, between a column of texts and one of numbers."""
    lines = [f"x{separator}{cell}{separator}1" for cell in cells]
    read = read_rows("\n".join([f"a{separator}b{separator}c", *lines]).encode())
    assert read.problems == []
    return [row.item.get("b") for row in read.rows]


TYPES: dict[str, "tuple[list[str], list[str | None]]"] = {
    "whole numbers": (["1", "-2", "0"], ["1", "-2", "0"]),
    "every digit": (["12345678901234567890", "0.10"], ["12345678901234567890", "0.10"]),
    "hex colours": (["314e59", "7E90", "12E5"], ['"314e59"', '"7E90"', '"12E5"']),
    "one code among numbers": (["12", "12E5"], ['"12"', '"12E5"']),
    "beyond what a number may be": (["1e1000", "1"], ['"1e1000"', '"1"']),
    "a spreadsheet's exponent": (["1.5E+10", "2", "-3.25E-07"], ["1.5E+10", "2", "-3.25E-7"]),
    "small e": (["1.5e+10", "2"], ['"1.5e+10"', '"2"']),
    "exponent of one digit": (["1.5E+1", "2"], ['"1.5E+1"', '"2"']),
    "exponent without a sign": (["1.5E10", "2"], ['"1.5E10"', '"2"']),
    "exponent beyond what is stored": (["1.5E+999", "2"], ['"1.5E+999"', '"2"']),
    "leading zeros": (["01067", "80331"], ['"01067"', '"80331"']),
    "leading zeros after a sign": (["-01", "5"], ['"-01"', '"5"']),
    "long digits": (["1" * 39, "2"], [f'"{"1" * 39}"', '"2"']),
    "telephone numbers": (["+49 351 1", "110"], ['"+49 351 1"', '"110"']),
    "thousands": (['"1,234"', "5"], ['"1,234"', '"5"']),
    "dates": (["2024-01-02", "2024"], ['"2024-01-02"', '"2024"']),
    "versions": (["1.10", "1.2.3"], ['"1.10"', '"1.2.3"']),
    "other scripts' digits": (["٣", "1"], ['"٣"', '"1"']),
    "spaces around numbers": ([" 1 ", "2"], ["1", "2"]),
    "spaces around texts": ([" x ", "2"], ['" x "', '"2"']),
    "a gap": (["1", "", "3"], ["1", None, "3"]),
    "spaces for a gap": (["1", "  ", "3"], ["1", None, "3"]),
    "booleans": (["true", "false"], ["true", "false"]),
    "booleans of a spreadsheet": (["TRUE", "False"], ["true", "false"]),
    "words beside booleans": (["true", "yes"], ['"true"', '"yes"']),
    "null among numbers": (["1", "null"], ["1", "null"]),
    "somebody called null": (["null", "Smith"], ['"null"', '"Smith"']),
    "none": (["None", "NaN"], ['"None"', '"NaN"']),
    "not a number among numbers": (["1", "NaN"], ['"1"', '"NaN"']),
    "objects": (['"{""a"": 1.0}"', '"[1, 2]"'], ['{"a":1.0}', "[1,2]"]),
    "brackets that are no JSON": (["[x]", '"[1]"'], ['"[x]"', '"[1]"']),
    "texts among numbers, marked": (["1", '"""1"""'], ["1", '"1"']),
    "quotation marks in texts": (['"""hi"""', "ho"], ['"\\"hi\\""', '"ho"']),
    "an empty text, marked": (['""""""', "x"], ['""', '"x"']),
    "a formula": (["=1+1", "2"], ['"=1+1"', '"2"']),
    "a line break": (['"a\nb"', "c"], ['"a\\nb"', '"c"']),
}


@pytest.mark.parametrize("case", TYPES)
def test_a_column_has_one_type(case: str) -> None:
    cells, values = TYPES[case]
    assert column(cells) == values


COMMAS: "dict[str, tuple[list[str], list[str]]]" = {
    "decimal": (["1,5", "2"], ["1.5", "2"]),
    "decimal exponent": (["1,5E+10", "2"], ["1.5E+10", "2"]),
    "points too": (["1.5", "2"], ["1.5", "2"]),
    "thousands or not": (["1.234", "5,6"], ['"1.234"', '"5,6"']),
    "thousands and decimals": (["1.234,50", "5,6"], ['"1.234,50"', '"5,6"']),
}


@pytest.mark.parametrize("case", COMMAS)
def test_a_comma_is_decimal_between_semicolons(case: str) -> None:
    cells, values = COMMAS[case]
    assert column(cells, ";") == values


def test_a_comma_is_never_decimal_elsewhere() -> None:
    assert column(["1,5", "2"], "\t") == ['"1,5"', '"2"']
    assert column(['"1,5"', "2"]) == ['"1,5"', '"2"']


TEXTS: "dict[str, tuple[str | bytes, list[Any]]]" = {
    "commas": ("a,b\n1,x", [{"a": 1, "b": "x"}]),
    "semicolons": ("a;b\n1;x,y", [{"a": 1, "b": "x,y"}]),
    "tabs": ("a\tb\n1\tx, y", [{"a": 1, "b": "x, y"}]),
    "bars": ("a|b\n1|x", [{"a": 1, "b": "x"}]),
    "said by Excel": ("sep=;\r\na;b\r\n1;x\r\n", [{"a": 1, "b": "x"}]),
    "said against the rest": ("sep=|\na,b|c\n1,2|3", [{"a,b": "1,2", "c": 3}]),
    "semicolons in the names alone": ("a;b,c\n1,2\n", [{"a;b": 1, "c": 2}]),
    "commas in the names alone": ("a, b;c\nx;1\ny;2", [{"a, b": "x", "c": 1}, {"a, b": "y", "c": 2}]),
    "a tie of the names": ("a,b;c\n1,2;3", [{"a,b": parse(b"1.2"), "c": 3}]),
    "spaces behind commas": ('a, b, c\n1, "x, y", true', [{"a": 1, "b": "x, y", "c": True}]),
    "spaces around names": (" a , b\n1,2", [{"a": 1, "b": 2}]),
    "commas in one column": ("note\nHello, world\nfoo", [{"note": "Hello, world"}, {"note": "foo"}]),
    "commas at the ends": ("a,b,\n1,2,\n", [{"a": 1, "b": 2}]),
    "a row that is shorter": ("a,b\n1\n2,3", [{"a": 1}, {"a": 2, "b": 3}]),
    "empty lines": ("n\n\n1\n \n2\n\n", NAMELESS),
    "empty cells": ("n,m\n1,\n,\n \t,\n2,", NAMELESS),
    "old Macintosh lines": ("n,m\r1,\r2,\r", NAMELESS),
    "UTF-8 with a mark": ("\ufeffn,m\n1,ü\n2,".encode(), [{"n": 1, "m": "ü"}, {"n": 2}]),
    "UTF-16": ("n;m\n1,5;ü".encode("utf-16"), [{"n": parse(b"1.5"), "m": "ü"}]),
    "UTF-16 the other way": (b"\xfe\xff" + "n\tm\n1\tü".encode("utf-16-be"), [{"n": 1, "m": "ü"}]),
    "UTF-16 without a mark": ("n,m\n1,ü".encode("utf-16-le"), [{"n": 1, "m": "ü"}]),
    "Windows-1252": ("n;m\n1,5;Jürgen: 5 €".encode("cp1252"), [{"n": parse(b"1.5"), "m": "Jürgen: 5 €"}]),
    "Windows-1252 far behind": (b"n,m\n" + b" ,\n" * 40_000 + b"1,\xe9", [{"n": 1, "m": "é"}]),
    "JSON in UTF-16": ('[{"n": 1}, {"n": 2}]'.encode("utf-16"), NAMELESS),
    "JSON in Windows-1252": ('[{"m": "é"}]'.encode("cp1252"), [{"m": "é"}]),
    "JSON with a mark": ('\ufeff[{"n": 1}, {"n": 2}]', NAMELESS),
    "an item to a line": ('{"n": 1}\n\n{"n": 2}\r\n', NAMELESS),
    "objects over several lines": ('{\n "n": 1\n}\n{\n "n": 2\n}', NAMELESS),
    "objects on one line": ('{"n": 1}{"n": 2}', NAMELESS),
    "lists one after another": ('[{"n": 1}]\n[{"n": 2}]', NAMELESS),
    "one object": ('{"n": 1}', [{"n": 1}]),
    "a fetch result": ('{"items": [{"n": 1}, {"n": 2}], "count": 2, "last": null}', NAMELESS),
    "a fetch result on many lines": ('{\n "paging": {"size": 2},\n "items": [\n{"n": 1},\n{"n": 2}]}', NAMELESS),
    "pages one after another": ('{"items": [{"n": 1}], "last": "x"}\n{"items": [{"n": 2}]}', NAMELESS),
    "data": ('{"data": [{"n": 1}, {"n": 2}]}', NAMELESS),
    "data with links": ('{"links": {"next": null}, "meta": {}, "data": [{"n": 1}, {"n": 2}]}', NAMELESS),
    "an order is no envelope": (
        '{"key": "o1", "items": [{"n": 1}]}\n{"key": "o2", "items": []}',
        [{"key": "o1", "items": [{"n": 1}]}, {"key": "o2", "items": []}],
    ),
    "records of a person are no envelope": ('{"name": "a", "records": [{"n": 1}]}', [{"name": "a", "records": [{"n": 1}]}]),
    "DynamoDB": (
        '{"Items": [{"key": {"S": "a"}, "n": {"N": "1.50"}, "s": {"NS": ["1"]}, "m": {"M": {"b": {"BOOL": true}}},'
        ' "l": {"L": [{"NULL": true}]}}], "Count": 1, "ScannedCount": 1}',
        [{"key": "a", "n": parse(b"1.50"), "s": [1], "m": {"b": True}, "l": [None]}],
    ),
    "DynamoDB's export": ('{"Item": {"n": {"N": "1"}}}\n{"Item": {"n": {"N": "2"}}}\n', NAMELESS),
    "Items without types": ('{"Items": [{"n": 1}, {"n": 2}], "Count": 2}', NAMELESS),
    "Firestore": (
        '{"documents": [{"name": "projects/p/databases/(default)/documents/c/id1", "createTime": "x", "fields": '
        '{"n": {"integerValue": "12345678901234567"}, "t": {"timestampValue": "2024-01-02T03:04:05Z"}, "z": {"nullValue": null},'
        ' "m": {"mapValue": {"fields": {"a": {"arrayValue": {"values": [{"booleanValue": true}]}}}}}}}], "nextPageToken": "y"}',
        [{"key": "id1", "n": 12345678901234567, "t": "2024-01-02T03:04:05Z", "z": None, "m": {"a": [True]}}],
    ),
    "mongoexport": (
        '{"_id":{"$oid":"65a"},"n":{"$numberLong":"12345678901234567"},"d":{"$date":"2024-01-02T03:04:05Z"}}\n'
        '{"_id":{"$oid":"65b"},"n":{"$numberDecimal":"1.50"},"d":{"$date":{"$numberLong":"1704164645000"}}}\n',
        [
            {"key": "65a", "n": 12345678901234567, "d": "2024-01-02T03:04:05Z"},
            {"key": "65b", "n": parse(b"1.50"), "d": "2024-01-02T03:04:05Z"},
        ],
    ),
    "mongoexport as a list": ('[{"_id":{"$oid":"65a"},"n":1},\n{"_id":7,"n":2}]', [{"key": "65a", "n": 1}, {"key": "7", "n": 2}]),
    "null": ('[{"test": null}]', [{"test": None}]),
    "digits of JSON": ('[{"n": 12345678901234567890.10}]', [{"n": parse(b"12345678901234567890.10")}]),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_a_text_is_read_in_any_form(case: str) -> None:
    text, rows = TEXTS[case]
    assert rows_of(text) == rows


@pytest.mark.parametrize(
    "content, told",
    [
        ("a;b\n1;2".encode("cp1252"), "CSV, semicolons between cells, UTF-8"),
        ("a;b\nä;2".encode("cp1252"), "CSV, semicolons between cells, Windows-1252"),
        ("a\tb\nä\t2".encode("utf-16"), "TSV, tabs between cells, UTF-16"),
        (b'{"items": [{"n": 1}], "count": 1}', "JSON, an answer with its items under “items”"),
        (b'{"Items": [{"n": {"N": "1"}}]}', "JSON, an answer with its items under “Items”, as DynamoDB writes them"),
        (b'[{"_id": {"$oid": "1"}}]', "JSON, a list of items, as MongoDB writes them"),
        (b'{"a": 1}\n{"a": 2}', "JSON, an item to a line"),
        (b'{"a": 1}', "JSON, one item"),
    ],
)
def test_what_a_text_was_taken_for_is_said(content: bytes, told: str) -> None:
    assert read_rows(content).told == told


PROBLEMS: "dict[str, tuple[str | bytes, list[int], int, str]]" = {
    "NaN": ('[{"n": 1},\n{"n": NaN},\n{"n": 3}]', [1, 3], 2, "Item 2 is left out. NaN is not a JSON number"),
    "NaN in an envelope": ('{"data": [{"n": NaN},\n{"n": 3}]}', [3], 1, "Item 1 is left out. NaN is not a JSON number"),
    "infinity in a line": ('{"n": -Infinity}\n{"n": 3}', [3], 1, "The line is left out. -Infinity is not a JSON number"),
    "half a character": ('[{"n": "\\ud800"},\n{"n": 3}]', [3], 1, "Item 1 is left out. A text holds a lone surrogate"),
    "too large a number": ('[{"n": 1e400},\n{"n": 3}]', [3], 1, "Item 1 is left out. A number's exponent is beyond"),
    "too many digits": (f'[{{"n": {"1" * 50}}},\n{{"n": 3}}]', [3], 1, "Item 1 is left out. A number has more than 38"),
    "a number in the list": ('[7,\n{"n": 3}]', [3], 1, "Item 1 is left out. An item is not an object"),
    "a key that is none": ('[{"key": 5},\n{"n": 3}]', [3], 1, "Item 1 is left out. A key is not a string"),
    "a broken line": ('{"n": 1}\n{"n": }\n{"n": 3}', [1, 3], 2, "The line is left out. JSON is malformed"),
    "JSON that breaks off": ('[{"n": 1},\n{"n": 2}, {"n"', [1, 2], 3, "The rest cannot be read: the text ends in the middle"),
    "too many cells": ("n,m\n1,\n2,x,y\n3,", [1, 3], 3, "The line is left out. The row has 3 cells, and the first row 2"),
    "a cell that goes on": ('n,m\n1,"x"y\n3,', [3], 2, "The line is left out. A quotation mark ends in the middle of a cell"),
    "a quotation mark without end": ('n,m\n1,\n3,"x\n4,y', [1], 3, "The rest cannot be read: a quotation mark that opens"),
    "a broken byte": (
        "n,m\n1,ü\n2,\n".encode() + b"9,a\xfcb\n3,x",
        [1, 2, 3],
        4,
        "The line is left out. The byte 0xFC is no character (line 4, column 4)",
    ),
    "a byte that no Windows has": (b"n,m\n1,\xe9\n2,\x81\n", [1], 3, "The line is left out. The byte 0x81 is no character"),
    "a line of a row of lines": ('n,m\n1,"a\nb"\n2,"x\ny",3\n', [1], 4, "The line is left out. The row has 3 cells"),
    "a NUL": ("n,m,longer than a mark\n1,\n2,a\x00b", [1], 3, "The line is left out. A text holds the character \\u0000"),
}  # fmt: skip


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_cannot_be_stored_is_left_out_and_listed(case: str) -> None:
    text, kept, line, message = PROBLEMS[case]
    read = read_rows(text.encode() if isinstance(text, str) else text)
    assert [json.loads(row.item["n"]) for row in read.rows] == kept
    (problem,) = read.problems
    assert problem.line == line
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    "text, message",
    [
        ("a,b,a\n1,2,3", "Line 1: two columns are called “a”: 1, 3"),
        ("a, a \n1,2", "Line 1: two columns are called “a”: 1, 2"),
        ("a,,c\n1,2,3", "Line 1: column 2 has no name"),
        (",a\n0,1", "Line 1: column 1 has no name"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "This is neither a table nor JSON"),
        (
            b"PK\x03\x04xl/workbook.xml",
            "This is a zip or a workbook: save the sheet as CSV, or import it on the page of imports",
        ),
    ],
)
def test_what_is_no_table_is_refused(text: "str | bytes", message: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        read_rows(text.encode() if isinstance(text, str) else text)
    assert raised.value.messages[0] == message


def test_types_of_a_table_decide() -> None:
    types = {"key": "string", "zip": "string", "n": "number", "ok": "boolean", "o": "object", "mix": "mixed"}
    text = 'key,zip,n,ok,o,mix\nk,80331,1e21,TRUE,"{""a"":1}",5\nl,1.50,old,no,x,6'
    assert rows_of(text, **types) == [
        {"key": "k", "zip": "80331", "n": parse(b"1e21"), "ok": True, "o": {"a": 1}, "mix": 5},
        {"key": "l", "zip": "1.50", "n": "old", "ok": "no", "o": "x", "mix": 6},
    ]


@pytest.mark.parametrize(
    "given, stored, changes",
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}),
        ({"a": 1.5}, {"a": parse(b"1.50")}, {}),
        ({"a": "12"}, {"a": 12}, {}),
        ({"a": 12}, {"a": "12"}, {}),
        ({"a": "TRUE"}, {"a": True}, {}),
        ({"a": "null"}, {"a": None}, {}),
        ({"a": '{"x": 1}'}, {"a": {"x": 1}}, {}),
        ({"a": 7}, {"a": "007"}, {"a": 7}),
        ({"a": "x", "b": 2}, {"a": "y", "b": 2}, {"a": "x"}),
        ({"c": 1}, {"a": 1}, {"c": 1}),
    ],
)
def test_a_cell_that_says_what_is_stored_changes_nothing(given: Any, stored: Any, changes: Any) -> None:
    exact = {name: parse(b"1.5") if value == 1.5 else value for name, value in given.items()}
    assert find_changes(exact, stored, is_table=True) == changes
    assert find_changes({"a": 1}, {"a": "1"}, is_table=False) == {"a": 1}
