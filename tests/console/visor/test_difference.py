"""What differs between two answers, line by line."""

import pytest

from console.visor.difference import compare, pretty


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ("a\nb", "a\nb", []),
        ("", "a", ["+a"]),
        ("a", "", ["-a"]),
        ("a\nb\nc", "a\nx\nc", [" a", "-b", "+x", " c"]),
        ("1\n2\n3\n4\n5\n6", "1\n2\n3\n4\n5\n7", ["…", " 3", " 4", " 5", "-6", "+7"]),
    ],
)
def test_compare(old: str, new: str, expected: list[str]) -> None:
    signs = {"old": "-", "new": "+", "same": " ", "gap": ""}

    assert [signs[line.kind] + line.text for line in compare(old, new)] == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ('{"a":1.50,"b":[]}', '{\n  "a": 1.50,\n  "b": []\n}'),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("not json", "not json"),
        ("[" * 10_000, "[" * 10_000),
        ("", ""),
    ],
)
def test_pretty_leaves_numbers_and_other_texts_alone(text: str, expected: str) -> None:
    assert pretty(text) == expected
