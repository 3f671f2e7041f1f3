"""The person's browser, where there is one with a window."""

from __future__ import annotations

import os
import sys
import webbrowser


def open_page(address: str) -> None:
    """Open a page. In a terminal without windows nothing happens: a browser in there would cover what it shows."""
    has_windows = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if has_windows:
        webbrowser.open(address)
