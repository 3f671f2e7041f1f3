"""`deta pull`."""

from __future__ import annotations

import sys

import click

from deta.cli.errors import CliError
from deta.cli.fetching import fetch_code
from deta.cli.micro import Micro, with_micro
from deta.cli.says import say


@click.command(epilog="Example: deta pull --force")
@click.option("-f", "--force", is_flag=True, help="Overwrite files without asking.")
@with_micro
def command(micro: Micro, force: bool) -> None:
    """Fetch the code that serves into the folder. Files that it does not have are left alone."""
    if not force:
        say("Files already present may be overwritten. Continue? [y/n]")
        answer = sys.stdin.readline()
        if not answer:
            raise CliError("There is nobody to ask: `deta pull --force` overwrites without asking")
        if answer.strip().lower() not in ("y", "yes"):
            say("Pull aborted")
            return
    fetch_code(micro)
    say("Successfully pulled latest deployed code")
