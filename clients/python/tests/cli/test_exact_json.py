"""JSON as the command reads and writes it: no digit changes."""

import json

import pytest

from deta.cli import exact_json
from deta.cli.exact_json import BadJson, Number

DIGITS = '{"a":1.10,"b":123456789012345678901234567890.123,"c":1e125,"d":-0.0,"e":[0.1,100000000000000000001]}'


def test_digits_survive() -> None:
    assert exact_json.dump(exact_json.parse(DIGITS)) == DIGITS


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"a": {}, "b": []},
        [1, [2, {"c": None}], True, False],
        {"ü": '\n\t"\\ \x7f ☂'},
        "",
        "a",
        {"a": ["", " "]},
    ],
)
@pytest.mark.parametrize("indent", [None, "\t", "  "])
def test_text_is_what_the_standard_library_writes(value: object, indent: "str | None") -> None:
    separators = (",", ":") if indent is None else None
    expected = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    assert exact_json.dump(value, indent=indent) == expected
    assert exact_json.dump(exact_json.parse(expected), indent=indent) == expected


def test_number_is_no_text() -> None:
    number, text = exact_json.parse('[1, "1"]')
    assert isinstance(number, Number)
    assert not isinstance(text, Number)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,\n"b": }', "Expecting value, at line 2, column 6"),
        ("", "Expecting value, at line 1, column 1"),
        ("[NaN]", "NaN is not a JSON number"),
        ("[" * 100_000, "It is nested too deeply"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadJson) as raised:
        exact_json.parse(text)
    assert str(raised.value) == said


def test_half_a_character_is_refused() -> None:
    with pytest.raises(BadJson, match="half of a character"):
        exact_json.encode(exact_json.parse(r'"\ud800"'))
