"""`deta logs`."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import click

from deta.cli.micro import Micro, with_micro
from deta.cli.patience import Patience
from deta.cli.says import say, warn
from deta.cli.stranger_text import harmless

_PAUSE_SECONDS = 1.0


@click.command(epilog="Example: deta logs -f")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is printed from now on.")
@with_micro
def command(micro: Micro, follow: bool) -> None:
    """Show what a Micro printed, and what the server has to say of it: the newest 500 lines."""
    lines = _ask(micro)
    _print(lines)
    if follow:
        warn("Listening for logs...")
        _follow(micro, last=lines[-1]["id"] if lines else 0)


def _follow(micro: Micro, *, last: int) -> None:
    """What comes behind the last line, for ever. Lines are known by ids that grow, so none comes twice, and none is missed."""
    patience = Patience()
    while True:
        lines = patience.ask(lambda: {"lines": _ask(micro, after=last)})["lines"]  # noqa: B023
        _print(lines)
        if lines:
            last = lines[-1]["id"]
        else:
            time.sleep(_PAUSE_SECONDS)


def _ask(micro: Micro, **place: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = micro.server.get(micro.path("logs"), **place)["lines"]
    return found


def _print(lines: list[dict[str, Any]]) -> None:
    for line in lines:
        at = datetime.fromisoformat(line["at"]).astimezone().isoformat(timespec="seconds")
        say(f"[{at[:-6] + 'Z' if at.endswith('+00:00') else at}] {harmless(line['text'])}")
