"""`deta details`."""

from __future__ import annotations

import click

from deta.cli.micro import Micro, with_micro
from deta.cli.says import say_json


@click.command(epilog="Example: deta details | jq -r .endpoint")
@with_micro
def command(micro: Micro) -> None:
    """Show a Micro's address, runtime and settings, as JSON."""
    say_json(micro.details())
