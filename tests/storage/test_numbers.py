"""Numbers in headers and query strings: ASCII digits alone."""

import pytest

from storage.numbers import BEYOND, read_number


@pytest.mark.parametrize(
    "text, number",
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("0" * 5000 + "7", 7),
        ("9" * 18, 10**18 - 1),
        ("1" + "0" * 18, BEYOND),
        ("9" * 5000, BEYOND),
    ],
)
def test_a_number_is_read(text: str, number: int) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\u00b2",
        "\u0661",
        "1\u00b2",
        "1\u0661",
        "\uff11",
        " 1",
        "1 ",
        "1\n",
        "+1",
        "-1",
        "1_0",
        "1e1",
        "1.0",
        "0x1",
    ],
)
def test_anything_else_is_no_number(text: str) -> None:
    assert read_number(text) is None
