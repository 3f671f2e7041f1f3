"""Tables as a terminal and as a Markdown page show them. It owns the layout alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- figures of `make bench`, which writes them here -->", "<!-- end of the figures -->"


@dataclass(frozen=True)
class Table:
    """A head and lines of equally many cells, and sentences that stand below it."""

    title: str
    head: Sequence[str]
    lines: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def as_text(table: Table) -> str:
    """Columns as wide as they need to be: the first and one without a head to the left, the others to the right."""
    rows = [table.head, *table.lines]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    text = [
        "  ".join(
            cell.ljust(width) if number == 0 or not head else cell.rjust(width)
            for number, (cell, width, head) in enumerate(zip(row, widths, table.head, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join([table.title, "", text[0], "-" * max(map(len, text)), *text[1:], *table.notes])


def as_markdown(table: Table) -> str:
    """The same as a section of a page."""
    marks = ["---" if number == 0 or not head else "--:" for number, head in enumerate(table.head)]
    rows = [table.head, marks, *table.lines]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    notes = ["", *(f"- {note}" for note in table.notes)] if table.notes else []
    return "\n".join([f"### {table.title}", "", *lines, *notes])


def write_markdown(path: Path, text: str) -> None:
    """Put the text between the page's two marks; a page without them, or a new one, gets it at its end."""
    page = path.read_text(encoding="utf-8") if path.exists() else ""
    before, begin, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not begin and before and not before.endswith("\n"):
        before += "\n"
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after or chr(10)}", encoding="utf-8")


def rate_text(per_s: float) -> str:
    return f"{per_s:,.0f}" if per_s >= 10 else f"{per_s:.1f}"
