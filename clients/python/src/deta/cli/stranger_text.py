"""Text that comes from an app or from its visitors, on its way to a person's terminal.

A terminal obeys control characters: they could clear what is there, retype it, or have it answer as if somebody had typed.
"""

from __future__ import annotations

import re

# Colours are welcome.
_CONTROL = re.compile(r"(\x1b\[[0-9;]{0,32}m)|[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def harmless(text: str) -> str:
    """The text with its lines, tabs and colours, and every other control character replaced."""
    return _CONTROL.sub(lambda found: found[1] or "\ufffd", text)
