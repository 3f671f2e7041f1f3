"""`deta projects`."""

from __future__ import annotations

import click

from deta.cli.options import with_server
from deta.cli.says import say_json
from deta.cli.server import Server


@click.command(epilog="Example: deta projects")
@with_server
def command(server: Server) -> None:
    """List your collections, which the original called projects."""
    say_json(server.get("collections")["collections"])
