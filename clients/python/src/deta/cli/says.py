"""Everything that the command prints: what a script may read on stdout, everything else on stderr.

JSON is indented with tabs and keeps the order it was given, as the original command's did.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Callable, Optional

import click


def say(text: str = "") -> None:
    """A line on stdout."""
    click.echo(text)


def say_json(value: object) -> None:
    """A value as JSON on stdout."""
    click.echo(json.dumps(value, indent="\t", ensure_ascii=False))


def warn(text: str) -> None:
    """A line on stderr, for people: what a script reads stays clean."""
    click.echo(text, err=True)


def is_watched() -> bool:
    """Whether a person looks at stderr, so that a bar may move there."""
    return sys.stderr.isatty()


@contextmanager
def progress(label: str, total: Optional[int]) -> Iterator[Callable[[int], None]]:
    """A bar on stderr for something of `total` bytes, where a person looks: tell what it gives how many more are done."""
    if not is_watched() or total is None:
        yield lambda _: None
        return
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        yield bar.update
