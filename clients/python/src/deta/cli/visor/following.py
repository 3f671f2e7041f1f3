"""`deta visor tail`: recorded requests as they come in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Optional

import click

from deta.cli.errors import CliError, ServerError
from deta.cli.place import Place
from deta.cli.says import warn
from deta.cli.visor.seen import Seen, line_of

_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 15.0


def follow(place: Place, filters: dict[str, str], *, lines: int) -> Iterator[dict[str, Any]]:
    """The last `lines` requests, and then each as it comes, for good; none is left out while the server was away.

    Raises CliError for what the server refuses.
    """
    seen = Seen()
    first = _page(place, filters, limit=max(lines, 1))
    if not first["recording"]:
        warn(f"Nothing of “{place.name}” is recorded: switch recording on, on its Visor page")
    known = seen.take_new(first["events"])
    yield from known[len(known) - lines :] if lines else []
    pause = _PAUSE_SECONDS
    while True:
        time.sleep(pause)
        try:
            found = _all_pages(place, filters, seen.after)
        except CliError as error:
            if isinstance(error, ServerError) and error.status < 500:
                raise
            if pause == _PAUSE_SECONDS:
                warn(f"{error} Waiting for it...")
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
        else:
            if pause != _PAUSE_SECONDS:
                warn("Connected again")
            pause = _PAUSE_SECONDS
            yield from seen.take_new(found)


def show(event: dict[str, Any]) -> None:
    """A line for people, coloured by its status on a terminal."""
    text, colour = line_of(event)
    click.secho(text, fg=colour)


def _all_pages(place: Place, filters: dict[str, str], after: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    before: Optional[str] = ""
    while before is not None:
        page = _page(place, filters, after=after, before=before)
        found += page["events"]
        before = page["older"]
    return found


def _page(place: Place, filters: dict[str, str], **more: Any) -> dict[str, Any]:
    asked = {name: value for name, value in {**filters, **more}.items() if value}
    return place.server.get(place.path("events"), **asked)
