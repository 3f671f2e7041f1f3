"""What differs between two answers, line by line."""

import pytest

from console.visor.comparing import compare_all
from console.visor.line_diff import DiffLine, compare, compare_roughly, pretty
from tests.processor_time import call_within


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
        ("[" * 900 + "1," * 30_000 + "1" + "]" * 900, "[" * 900 + "1," * 30_000 + "1" + "]" * 900),
        ('["[[[[", "\\"]"]', '[\n  "[[[[",\n  "\\"]"\n]'),
        ("", ""),
    ],
)
def test_pretty_leaves_numbers_and_other_texts_alone(text: str, expected: str) -> None:
    assert pretty(text) == expected


def spelled(lines: list[DiffLine]) -> str:
    return "".join({"old": "-", "new": "+", "same": "=", "gap": "…"}[line.kind] for line in lines)


# Each line that both have can be matched with a hundred others, and every match splits the rest anew.
SLOW = (
    "\n".join(f"l{number % 100}" if number % 2 else f"u{number}" for number in range(3_000)),
    "\n".join(f"l{number % 100}" if number % 2 else f"v{number}" for number in range(3_000)),
)


def test_what_takes_too_long_to_compare_is_compared_roughly() -> None:
    (slow,) = compare_all([SLOW])
    assert slow == compare_roughly(*SLOW)
    assert spelled(slow) == "-" * 2_999 + "+" * 2_999 + "="
    call_within(2, compare_all, [SLOW])


def test_long_texts_are_compared_exactly_where_that_is_quick() -> None:
    lines = [f"line {number}" for number in range(2_000)]
    changed = [*lines[:500], "other", *lines[501:1_500], *lines[1_501:]]
    pairs = [("\n".join(lines), "\n".join(changed)), ("a", "b")]
    assert [spelled(each) for each in compare_all(pairs)] == ["…===-+===…===-===", "-+"]


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ("a", "a", ""),
        ("", "a", "+"),
        ("a\nb\nc", "a\nx\nc", "=-+="),
        ("1\n2\n3\n4\n5\n6\n7", "1\n2\n3\n4\nx\n6\n7", "…===-+=="),
        ("a\na", "a\na\na", "==+"),
        ("a\nb", "b", "-="),
    ],
)
def test_rough_comparisons(old: str, new: str, expected: str) -> None:
    assert spelled(compare_roughly(old, new)) == expected


@pytest.mark.parametrize("text", ["[" * 1_000_000, '"' * 1_000_000, "1," * 500_000, '"\\' * 500_000])
def test_pretty_takes_little_time(text: str) -> None:
    call_within(2, pretty, text)
