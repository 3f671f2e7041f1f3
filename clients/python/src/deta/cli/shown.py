"""How lists are shown to people: columns, sizes, and items one to a line."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Optional

import click

from deta.cli import exact_json
from deta.cli.errors import CliError
from deta.cli.says import say


def say_item(item: Any) -> None:
    """An item as indented JSON, its digits as they are."""
    say(exact_json.dump(item, indent="\t"))


def say_line(item: Any) -> None:
    """An item as a line of JSON."""
    say(exact_json.dump(item))


def say_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows below their heads, each column as wide as it has to be; nothing at all where there are no rows."""
    if not rows:
        return
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    for row in (heads, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def amount(number: Optional[int]) -> str:
    """A number with its thousands apart; what is not counted yet is a dash."""
    return "-" if number is None else f"{number:,}"


def size(size_bytes: Optional[int]) -> str:
    """Bytes as people say them: `12.3 MB`."""
    if size_bytes is None:
        return "-"
    number, unit = float(size_bytes), "bytes"
    for larger in ("KB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{size_bytes} bytes" if unit == "bytes" else f"{number:.1f} {unit}"


def confirm(question: str, *, is_sure: bool) -> None:
    """Ask, unless `--yes` was given. Raises click's Abort for no, and CliError where nobody can answer."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise CliError(f"{question} Nobody is here to ask: say --yes if so")
    click.confirm(question, abort=True, err=True)
