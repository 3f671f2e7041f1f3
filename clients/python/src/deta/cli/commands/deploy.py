"""`deta deploy`."""

from __future__ import annotations

import click

from deta.cli.deploying import UP_TO_DATE, deploy_changes
from deta.cli.micro import Micro, with_micro
from deta.cli.says import say


@click.command(epilog="Example: deta deploy micros/my-micro")
@with_micro
def command(micro: Micro) -> None:
    """Deploy the files of a folder, and install what they ask for.

    Files and folders that begin with a dot, node_modules, __pycache__ and virtual environments are left out. The lines of
    .detaignore are regular expressions that leave out more; `!` before one takes in what it fits.
    """
    if not deploy_changes(micro):
        say(UP_TO_DATE)
