"""`deta visor`: the requests that are recorded."""

from __future__ import annotations

import json
from typing import Optional

import click

from deta.cli.options import as_json
from deta.cli.place import Place, with_place
from deta.cli.says import say
from deta.cli.visor import following


@click.group(epilog="Example: deta visor tail --status 5xx")
def command() -> None:
    """Look at recorded requests."""


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
