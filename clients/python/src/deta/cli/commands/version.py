"""`deta version`."""

from __future__ import annotations

import platform

import click

from deta.cli.says import say
from deta.transport import VERSION


@click.command(epilog="Example: deta version")
def command() -> None:
    """Show the version of this command."""
    say(f"deta {VERSION} {platform.system().lower()}-{platform.machine()}")
