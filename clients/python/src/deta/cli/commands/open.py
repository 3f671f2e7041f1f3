"""`deta open`."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import click

from deta.cli import browser, collections, options
from deta.cli import project as projects
from deta.cli.errors import CliError
from deta.cli.says import say
from deta.cli.server import segment

_KINDS = ("collection", "base", "drive", "micro", "visor")


@click.command(epilog="Example: deta open base friends")
@click.argument("what", type=click.Choice(_KINDS), required=False)
@click.argument("name", required=False)
@collections.with_project
@click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
@click.option("--print", "is_printed", is_flag=True, help="Only print the address.")
def command(
    what: Optional[str], name: Optional[str], project: Optional[str], server_url: Optional[str], is_printed: bool
) -> None:
    """Open the console's page of a collection, or of a Base, Drive, Micro or the Visor in it.

    In a project's folder it is the Micro's, unless you say what.
    """
    state = projects.find(Path()) if project is None else None
    if what in (None, "micro") and name is None and state is not None:
        what, name = "micro", state.micro_id
    if what in ("base", "drive", "micro") and not name:
        raise CliError(f"Which one? Write for example `deta open {what} NAME`")
    if what in ("collection", "visor") and name:
        project, name, state = name, None, None
    with options.open_server(server_url, noted=state.server if state else None) as server:
        collection_id = state.collection_id if state else collections.find(server, project)["id"]
        asked = {what: name or "1"} if what not in (None, "collection") else {}
        page = server.get(f"collections/{segment(collection_id)}/page", **asked)["page"]
    say(page)
    if not is_printed:
        browser.open_page(page)
