"""What an app prints can't play with the terminal of who reads its log."""

import pytest

from deta.cli.stranger_text import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, Grüße 🎉", "plain, Grüße 🎉"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("\x1b[2J\x1b[H", "\ufffd[2J\ufffd[H"),
        ("\x1b]0;title\x07", "\ufffd]0;title\ufffd"),
        ("over\rwritten", "over\ufffdwritten"),
        ("\x9b6n\x00\x7f", "\ufffd6n\ufffd\ufffd"),
    ],
)
def test_control_characters_are_replaced_and_colours_stay(text: str, shown: str) -> None:
    assert harmless(text) == shown
