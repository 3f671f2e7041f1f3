"""Texts as they are shown: Markdown laid out, JSON indented, code with colours. Pure, and run in a helper.

Each of these can be made to take long or to grow without bound: Markdown by what it looks for the end of, colours by the patterns
of Pygments, JSON by nesting, as every line of it is indented.
"""

import msgspec

from console.drive.highlight import highlight
from console.drive.markdown import render_markdown


def lay_out(kind: str, text: str, name: str, content_type: str, is_whole: bool) -> tuple[str, list[str]]:
    """The text as safe HTML, and what has to be said of it."""
    notes: list[str] = []
    if kind == "markdown":
        return render_markdown(text), notes
    if kind == "json" and is_whole:
        try:
            # Digits and the order of attributes stay as they are.
            text = msgspec.json.format(text.encode(), indent=2).decode()
        except (msgspec.DecodeError, RecursionError):
            notes.append("This is not valid JSON, so it is shown as plain text.")
    shown_as = "application/json" if kind == "json" else content_type
    return highlight(text, name=name, content_type=shown_as), notes
