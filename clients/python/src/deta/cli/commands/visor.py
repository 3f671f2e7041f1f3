"""`deta visor`: whether a Micro's requests are recorded, and the page that shows them."""

from __future__ import annotations

import webbrowser

import click

from deta.cli.micro import Micro, with_micro
from deta.cli.says import say, warn


@click.group(epilog="Example: deta visor open")
def command() -> None:
    """Record a Micro's requests, and look at them."""


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
def open_page(micro: Micro) -> None:
    """Open the Micro's recorded requests in the browser."""
    page = micro.page(f"visor/?micro={micro.state.micro_id}")
    say("Opening visor in the browser...")
    if not webbrowser.open(page):
        warn(f"No browser opens here: {page}")
