"""`deta collection`: what holds Bases, Drives and Micros."""

from __future__ import annotations

import click

from deta.cli.errors import CliError, ServerError
from deta.cli.options import as_json, with_server
from deta.cli.says import say, say_json, warn
from deta.cli.server import Server
from deta.cli.shown import say_table


@click.group(epilog="Example: deta collection create letters")
def command() -> None:
    """List your collections, which the original called projects, and make one."""


@command.command("ls", epilog="Example: deta collection ls")
@as_json
@with_server
def list_(is_json: bool, server: Server) -> None:
    """List the collections that you may see, with your role in each."""
    found = server.get("collections")["collections"]
    if is_json:
        say_json(found)
    else:
        say_table(("ID", "NAME", "ROLE"), [(each["id"], each["name"], each["role"]) for each in found])


@command.command(epilog="Example: deta collection create letters")
@click.argument("name")
@as_json
@with_server
def create(name: str, is_json: bool, server: Server) -> None:
    """Make a collection; owners of the server may. Prints its id."""
    try:
        made = server.post("collections", {"name": name})
    except ServerError as error:
        if error.status == 404 and error.errors:
            raise CliError("Only owners of the server make collections: ask one of them") from None
        raise
    if is_json:
        say_json(made)
    else:
        say(made["id"])
        warn(f"Collection “{made['name']}” created")
