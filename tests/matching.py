"""Looks for what must be in a text."""

import re


def search(pattern: str, text: str, flags: int = 0) -> re.Match[str]:
    """The first match of it; a test fails where there is none."""
    found = re.search(pattern, text, flags)
    assert found is not None, f"nothing in the text is like {pattern}"
    return found
