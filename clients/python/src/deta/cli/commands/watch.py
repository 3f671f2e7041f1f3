"""`deta watch`."""

from __future__ import annotations

from pathlib import Path

import click

from deta.cli.deploying import deploy_changes
from deta.cli.errors import CliError, ServerError
from deta.cli.micro import Micro, with_micro
from deta.cli.project_files import STATE_FOLDER
from deta.cli.says import say, warn

# Editors write a file in several steps, and checking out a branch changes many.
_DEBOUNCE_MS = 1_600
_QUIET_MS = 200
# What no later change can help: signed out, no right to it, or gone.
_FINAL = (401, 403, 404)


@click.command(epilog="Example: deta watch")
@with_micro
def command(micro: Micro) -> None:
    """Deploy at once what is changed in a folder, until Ctrl-C. A version that fails is told of, and the next one is awaited."""
    from watchfiles import DefaultFilter, watch

    class Filter(DefaultFilter):
        ignore_dirs = (*DefaultFilter.ignore_dirs, STATE_FOLDER)

    # What is wrong with the server, or the right to be there, is not mended by a change.
    micro.details()
    _deploy(micro)
    say("Watching changes")
    is_first = True
    for changes in watch(
        Path(micro.folder).resolve(),
        watch_filter=Filter(),
        debounce=_DEBOUNCE_MS,
        step=_QUIET_MS,
        rust_timeout=1_000,
        yield_on_timeout=True,
        raise_interrupt=True,
    ):
        # The first turn is for what was changed while the watch began.
        if changes or is_first:
            _deploy(micro)
        is_first = False


def _deploy(micro: Micro) -> None:
    try:
        deploy_changes(micro)
    except CliError as error:
        if isinstance(error, ServerError) and error.status in _FINAL:
            raise
        warn(f"Error: {error}")
