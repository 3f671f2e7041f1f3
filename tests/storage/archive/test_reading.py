"""Files and pasted text as people bring them: each with the right value, or the right refusal. The one parser alone."""

import json
from typing import Any

import pytest

from storage.archive.importing.updating import find_changes
from storage.archive.reading.kinds import open_items
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
    "booleans of a German spreadsheet": (["WAHR", "FALSCH"], ["true", "false"]),
    "booleans of a French one, with a gap": (["VRAI", "", "FAUX"], ["true", None, "false"]),
    "one such word alone": (["WAHR", "WAHR"], ['"WAHR"', '"WAHR"']),
    "such words beside others": (["VERO", "FALSO", "Nero"], ['"VERO"', '"FALSO"', '"Nero"']),
    "such words as people write them": (["Wahr", "Falsch"], ['"Wahr"', '"Falsch"']),
    "git hashes": (["1e10", "12e5", "0000000"], ['"1e10"', '"12e5"', '"0000000"']),
    "an exponent without a point": (["1E+05", "2"], ['"1E+05"', '"2"']),
    "a plus sign": (["+5", "7"], ['"+5"', '"7"']),
    "no digit before the point": ([".5", "7"], ['".5"', '"7"']),
    "no digit behind the point": (["5.", "7"], ['"5."', '"7"']),
    "a typographic minus": (["\u22125", "7"], ['"\u22125"', '"7"']),
    "an accountant's minus": (["(5.00)", "7.00"], ['"(5.00)"', '"7.00"']),
    "Swiss thousands": (["1'234.50", "99.00"], ['"1\'234.50"', '"99.00"']),
    "Indian thousands": (['"12,34,567.00"', "99.00"], ['"12,34,567.00"', '"99.00"']),
    "French thousands": (["1\u202f234", "5"], ['"1\u202f234"', '"5"']),
    "percent": (["5%", "7 %"], ['"5%"', '"7 %"']),
    "currency": (["$5.00", "€7"], ['"$5.00"', '"€7"']),
    "hex colours with their sign": (["#ff0000", "#00ff00"], ['"#ff0000"', '"#00ff00"']),
    "IBANs": (["DE89370400440532013000", "GB29 NWBK 6016"], ['"DE89370400440532013000"', '"GB29 NWBK 6016"']),
    "times": (["12:30", "8"], ['"12:30"', '"8"']),
    "infinity": (["Infinity", "1"], ['"Infinity"', '"1"']),
    "errors of a spreadsheet": (["#N/A", "#DIV/0!", "1"], ['"#N/A"', '"#DIV/0!"', '"1"']),
    "ids of 19 digits": (["1445078208190291973", "1"], ["1445078208190291973", "1"]),
    "hard spaces around numbers": (["\u00a05", "6\u00a0"], ["5", "6"]),
    "yes and no": (["yes", "no"], ['"yes"', '"no"']),
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
    "spaces on both sides of bars": ("a | b | c\n1 | x y | 3\n", [{"a": 1, "b": "x y", "c": 3}]),
    "marks of byte order in the middle": ("\ufeff\ufeffn,\ufeffm\n1,\n2,", NAMELESS),
    "a space that nobody sees": ("\u200bn,m\n1,\n2,", NAMELESS),
    "Excel's line behind a mark": ("\ufeffsep=;\r\nn;m\r\n1;\r\n2;\r\n", NAMELESS),
    "commas in each row of one column": ("note\nHello, world\nBye, moon", [{"note": "Hello, world"}, {"note": "Bye, moon"}]),
    "decimal commas in one column": ("n\n1,5\n2,5", [{"n": "1,5"}, {"n": "2,5"}]),
    "more at the ends than names": ("n,m\n1,,\n2,,,", NAMELESS),
    "a name on two lines": ('"full\nname",n\nx,1', [{"full\nname": "x", "n": 1}]),
    "moments of expiry that are none": (
        "n,__expires\n1,1900000000\n2,soon",
        [{"n": 1, "__expires": 1900000000}, {"n": 2, "__expires": "soon"}],
    ),
    "commas in one column": ("note\nHello, world\nfoo", [{"note": "Hello, world"}, {"note": "foo"}]),
    "commas at the ends": ("a,b,\n1,2,\n", [{"a": 1, "b": 2}]),
    "a row that is shorter": ("a,b\n1\n2,3", [{"a": 1}, {"a": 2, "b": 3}]),
    "empty lines": ("n\n\n1\n \n2\n\n", NAMELESS),
    "empty cells": ("n,m\n1,\n,\n \t,\n2,", NAMELESS),
    "old Macintosh lines": ("n,m\r1,\r2,\r", NAMELESS),
    "UTF-8 with a mark": ("\ufeffn,m\n1,ü\n2,".encode(), [{"n": 1, "m": "ü"}, {"n": 2}]),
    "UTF-16": ("n;m\n1,5;ü".encode("utf-16"), [{"n": parse(b"1.5"), "m": "ü"}]),
    "UTF-16 the other way": (b"\xfe\xff" + "n\tm\n1\tü".encode("utf-16-be"), [{"n": 1, "m": "ü"}]),
    "UTF-16 of other letters, without a mark": ("名,n\n東京,1".encode("utf-16-be"), [{"名": "東京", "n": 1}]),
    "UTF-16 of Greek, without a mark": ("δδ,n\nθθ,1\n".encode("utf-16-le"), [{"δδ": "θθ", "n": 1}]),
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
    "objects with commas between lines": ('{"n": 1},\n{"n": 2},\n', NAMELESS),
    "a comma behind the last": ('[{"n": 1}, {"n": 2},]', NAMELESS),
    "lists in a list": ('[[{"n": 1}], [], [{"n": 2}]]', NAMELESS),
    "pages in a list": ('[{"items": [{"n": 1}], "last": "x"}, {"items": [{"n": 2}], "last": null}]', NAMELESS),
    "pages of DynamoDB": ('[{"Items": [{"n": {"N": "1"}}], "Count": 1}, {"Items": [{"n": {"N": "2"}}], "Count": 1}]', NAMELESS),
    "a page without any": ('[{"items": [{"n": 1}, {"n": 2}], "count": 2}, {"items": null, "count": 0}]', NAMELESS),
    "orders in a list are no pages": (
        '[{"status": "paid", "total": 5, "items": [{"n": 1}]}]',
        [{"status": "paid", "total": 5, "items": [{"n": 1}]}],
    ),
    "an envelope in another": ('{"status": 200, "data": {"items": [{"n": 1}, {"n": 2}], "count": 2}}', NAMELESS),
    "OData": ('{"@odata.context": "x", "value": [{"n": 1}, {"n": 2}]}', NAMELESS),
    "a value is no envelope": ('{"timestamp": 1, "value": [{"n": 1}]}', [{"timestamp": 1, "value": [{"n": 1}]}]),
    "data with a request's id": ('{"requestId": "x", "data": [{"n": 1}, {"n": 2}]}', NAMELESS),
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
    "one item of DynamoDB": ('{\n "Item": {\n  "key": {"S": "a"},\n  "n": {"N": "1"}\n }\n}', [{"key": "a", "n": 1}]),
    "DynamoDB, an empty one first": ('{"Items": [{}, {"n": {"N": "1"}}], "Count": 2}', [{}, {"n": 1}]),
    "DynamoDB's other types": (
        '[{"b": {"B": "aGk="}, "s": {"SS": ["x"]}, "bs": {"BS": ["aGk="]}, "z": {"NULL": true}, "e": {"S": ""},'
        ' "m": {"M": {"M": {"M": {}}}}}]',
        [{"b": "aGk=", "s": ["x"], "bs": ["aGk="], "z": None, "e": "", "m": {"M": {}}}],
    ),
    "tags of something else": ('[{"size": {"S": 10}}, {"M": {"L": "big"}}]', [{"size": {"S": 10}}, {"M": {"L": "big"}}]),
    "Items without types": ('{"Items": [{"n": 1}, {"n": 2}], "Count": 2}', NAMELESS),
    "Firestore": (
        '{"documents": [{"name": "projects/p/databases/(default)/documents/c/id1", "createTime": "x", "fields": '
        '{"n": {"integerValue": "12345678901234567"}, "t": {"timestampValue": "2024-01-02T03:04:05Z"}, "z": {"nullValue": null},'
        ' "m": {"mapValue": {"fields": {"a": {"arrayValue": {"values": [{"booleanValue": true}]}}}}}}}], "nextPageToken": "y"}',
        [{"key": "id1", "n": 12345678901234567, "t": "2024-01-02T03:04:05Z", "z": None, "m": {"a": [True]}}],
    ),
    "Firestore, a document without fields first": (
        '[{"name": "projects/p/databases/d/documents/c/a", "createTime": "x"},'
        ' {"name": "projects/p/databases/d/documents/c/b", "fields": {"n": {"integerValue": "1"}}}]',
        [{"key": "a"}, {"key": "b", "n": 1}],
    ),
    "mongoexport, a plain one first": (
        '{"_id":"a","n":1}\n{"_id":{"$oid":"65b"},"n":{"$numberInt":"2"}}\n',
        [{"key": "a", "n": 1}, {"key": "65b", "n": 2}],
    ),
    "mongoexport, nested": (
        '[{"_id":{"$uuid":"c8ed"},"a":[{"at":{"$date":"2024-01-02T03:04:05Z"}}],"b":{"$binary":"aGk=","$type":"00"}}]',
        [{"key": "c8ed", "a": [{"at": "2024-01-02T03:04:05Z"}], "b": "aGk="}],
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
    "NaN of MongoDB": ('[{"n": {"$numberDouble": "NaN"}},\n{"n": 3}]', [3], 1, "Item 1 is left out. NaN is not a JSON number"),
    "no document": (
        '[{"readTime": "x"},\n{"document": {"name": "p/documents/a", "fields": {"n": {"integerValue": "3"}}}, "readTime": "x"}]',
        [3],
        1,
        "Item 1 is left out. It holds no document",
    ),
    "a number that is none": ('[{"n": 01},\n{"n": 3}]', [3], 1, "Item 1 is left out. JSON is malformed: invalid number"),
    "a line break in a text": ('[{"n": "a\nb"},\n{"n": 3}]', [3], 1, "Item 1 is left out. JSON is malformed: invalid character"),
    "an item that is Python": ("[{'n': None},\n{\"n\": 3}]", [3], 1, "Item 1 is left out. JSON is malformed"),
    "a nest without end": (f'[{{"n": {"[" * 9_999}{"]" * 9_999}}},\n{{"n": 3}}]', [3], 1, "Item 1 is left out. The value is"),
    "half a line at the end": ('{"n": 1}\n{"n": 2}\n{"n": "x', [1, 2], 3, "The line is left out. Input data was truncated"),
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
    "NULs in Windows-1252": (b"n,m\n1,\xe9\n2,a\xe9b\x00x\x00", [1], 3, "The line is left out. A text holds the character"),
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
        ("\n\na,a\n1,2", "Line 3: two columns are called “a”: 1, 2"),
        ("\n\na,\n0,1", "Line 3: column 2 has no name"),
        ("", "Line 1: there is nothing here, where the columns should be named"),
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
        ({"a": "WAHR"}, {"a": True}, {}),
        ({"a": "WAHR"}, {"a": False}, {"a": "WAHR"}),
        # What a spreadsheet makes of texts that look like numbers and dates, and what it does not.
        ({"a": "1067"}, {"a": "01067"}, {}),
        ({"a": "1E+10"}, {"a": "1e10"}, {}),
        ({"a": "49351123"}, {"a": "+49351123"}, {}),
        ({"a": "4.11111E+15"}, {"a": "4111111111111111"}, {}),
        ({"a": "4111111111111110"}, {"a": "4111111111111111"}, {"a": "4111111111111110"}),
        ({"a": "1.1"}, {"a": "1.10"}, {}),
        ({"a": "1.10"}, {"a": "1.1"}, {"a": "1.10"}),
        ({"a": "01067"}, {"a": "1067"}, {"a": "01067"}),
        ({"a": "1068"}, {"a": "01067"}, {"a": "1068"}),
        ({"a": "02.01.2024"}, {"a": "2024-01-02"}, {}),
        ({"a": "1/2/2024"}, {"a": "2024-01-02"}, {}),
        ({"a": "02/01/24"}, {"a": "2024-01-02"}, {}),
        ({"a": "2024/1/2"}, {"a": "2024-01-02"}, {}),
        ({"a": "03.01.2024"}, {"a": "2024-01-02"}, {"a": "03.01.2024"}),
        ({"a": "2024-01-03"}, {"a": "2024-01-02"}, {"a": "2024-01-03"}),
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


@pytest.mark.parametrize(
    "stored, shown, edited",
    [
        (
            "12345678901234567890",
            ["1.23457E+19", "12345678901234500000", "1.23456789012346E+019"],
            "12345700000000000000",
        ),
        ("1445078208190291973", ["1.44508E+18", "1445078208190290000"], "1445078208190291974"),
        ("3.14159265358979", ["3.141592654", "3.14159265358979"], "3.14"),
        ("0.00012345678901", ["0.000123457"], "0.0001"),
        ("0.0000123456789", ["1.23457E-05"], "0.0000123"),
        ("0.30000000000000004", ["0.3"], "0.31"),
        ("1234567", ["1234567"], "1234570"),
    ],
)
def test_digits_that_a_spreadsheet_drops_change_nothing(stored: str, shown: "list[str]", edited: str) -> None:
    held = {"a": parse(stored.encode())}
    for cell in [*shown, edited]:
        given = parse(
            read_rows(f"a,b\n{cell},x".encode(), types={"a": "number", "b": "string"}).rows[0].item["a"].encode()
        )
        assert find_changes({"a": given}, held, is_table=True) == ({} if cell in shown else {"a": given})


KINDS: "dict[str, tuple[str, bytes, str | None]]" = {
    "JSON called CSV": ("x.csv", b'[{"n": 1}]', "JSON, a list of items"),
    "a table without an ending": ("people", b"a,b\n1,2\n", "CSV, commas between cells, UTF-8"),
    "a table with another's ending": ("x.dat", b"a\tb\n1\t2\n", "TSV, tabs between cells, UTF-8"),
    "a text that is no table": ("notes.md", b"# Notes\n\nHello, world\n", None),
    "a picture": ("x.gif", b"GIF89a\x01\x00\x01\x00\x00\x00\x00", None),
    "a program": ("x", b"\x7fELF\x02\x01\x01\x00\x00\x00\n,\n,", None),
    "lines of which the first is broken": ("x.jsonl", b'{"n":\n{"n": 3}\n', "JSON, an item to a line"),
    "objects over several lines, called lines": ("x.jsonl", b'{\n "n": 1\n}\n', "JSON, one item"),
    "an item of DynamoDB": ("x.json", b'{"Item": {"n": {"N": "1"}}}', "JSON, one item, as DynamoDB writes them"),
    "Firebase's list": ("x.json", b'{"users": [null, {"n": 1}]}', "JSON, items by collection"),
}


@pytest.mark.parametrize("case", KINDS)
def test_a_file_is_told_by_what_is_in_it(case: str) -> None:
    name, content, told = KINDS[case]
    found = open_items(lambda: iter([content]), file_name=name, size_bytes=len(content))
    for each in found:
        list(each.read())
    assert [each.told for each in found] == ([told] if told else [])
