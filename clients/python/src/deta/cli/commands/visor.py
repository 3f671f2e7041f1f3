"""`deta visor`: whether a Micro's requests are recorded, the page that shows them, and the collection's as they come in."""

from __future__ import annotations

import json
from typing import Optional

import click

from deta.cli.browser import open_page
from deta.cli.micro import Micro, with_micro
from deta.cli.options import as_json
from deta.cli.place import Place, with_place
from deta.cli.says import say, warn
from deta.cli.visor import following


@click.group(epilog="Example: deta visor open")
def command() -> None:
    """Record a Micro's requests, and look at those that are recorded."""


@command.command(epilog="Example: deta visor enable")
@with_micro
def enable(micro: Micro) -> None:
    """Record each request with its answer."""
    micro.change({"visor": "enabled"})
    say("Successfully enabled visor mode")


@command.command(epilog="Example: deta visor disable")
@with_micro
def disable(micro: Micro) -> None:
    """Record no more requests. Those that were are kept until they expire."""
    micro.change({"visor": "disabled"})
    say("Successfully disabled visor mode")


@command.command("open", epilog="Example: deta visor open")
@with_micro
def open_visor(micro: Micro) -> None:
    """Open the Micro's recorded requests in the browser."""
    page = micro.page(f"visor/?micro={micro.state.micro_id}")
    say("Opening visor in the browser...")
    warn(page)
    open_page(page)


@command.command(epilog="Example: deta visor tail --status errors --path /items")
@click.option(
    "-n", "lines", type=click.IntRange(0, 500), default=10, show_default=True, help="Begin with the last so many."
)
@click.option("--status", help="A number such as 404, or 2xx, 3xx, 4xx, 5xx, errors.")
@click.option("--method", help="Such as POST.")
@click.option("--path", help="Only where path or query string hold this.")
@click.option("--text", help="Only where a body holds this.")
@click.option("--slower", type=click.IntRange(1), metavar="MS", help="Only what took longer.")
@click.option("--key", metavar="NAME", help="Only what came with this data key.")
@click.option("--micro", metavar="NAME", help="Only what went to this Micro; `api` for none.")
@as_json
@with_place
def tail(
    lines: int,
    status: Optional[str],
    method: Optional[str],
    path: Optional[str],
    text: Optional[str],
    slower: Optional[int],
    key: Optional[str],
    micro: Optional[str],
    is_json: bool,
    place: Place,
) -> None:
    """Show the collection's requests as they come in, until you interrupt it. With --json each is a line of JSON."""
    given = {"status": status, "method": method, "path": path, "text": text, "key": key, "micro": micro}
    filters = {name: value for name, value in given.items() if value}
    if slower:
        filters["slower"] = str(slower)
    for event in following.follow(place, filters, lines=lines):
        if is_json:
            say(json.dumps(event, ensure_ascii=False))
        else:
            following.show(event)
