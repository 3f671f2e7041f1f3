"""`deta update`."""

from __future__ import annotations

from typing import Optional

import click

from deta.cli.errors import CliError
from deta.cli.micro import Micro, with_micro
from deta.cli.says import say, warn


@click.command(epilog="Example: deta update -e .env")
@click.option("-n", "--name", help="The Micro's new name. Its address stays.")
@click.option("-e", "--env", metavar="FILE", help="A file of NAME=value lines; variables that it lacks are removed.")
@click.option("-r", "--runtime", help="Such as python3.11 or nodejs20; counts from the next deployment on.")
@with_micro
def command(micro: Micro, name: Optional[str], env: Optional[str], runtime: Optional[str]) -> None:
    """Change a Micro's name, environment variables or runtime."""
    if name is None and env is None and runtime is None:
        raise click.UsageError("Say what to update: --name, --env or --runtime")
    lines = None if env is None else _read(micro, env)
    if name is not None:
        warn("Updating the name...")
        micro.state.name = micro.change({"name": name})["name"]
        micro.save()
        say("Successfully updated micro's name")
    if lines is not None:
        warn("Updating environment variables...")
        micro.server.put(micro.path("variables"), {"lines": lines})
        say("Successfully updated micro's environment variables")
    if runtime is not None:
        warn("Updating runtime...")
        micro.state.runtime = micro.change({"runtime": runtime})["runtime"]
        micro.save()
        say("Successfully updated micro's runtime")


def _read(micro: Micro, env: str) -> str:
    path = micro.folder / env
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise CliError(f"'{path}' is not in UTF-8") from None
    except OSError as error:
        raise CliError(f"'{path}' can't be read: {error.strerror}") from None
