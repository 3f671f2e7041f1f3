"""`deta cron set` and `deta cron remove`."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import click

from deta.cli import project
from deta.cli.errors import CliError
from deta.cli.options import open_server
from deta.cli.project import State
from deta.cli.says import say, warn
from deta.cli.server import segment


@click.group(epilog="Example: deta cron set 5 minutes")
def command() -> None:
    """Have the cron functions of the Micro in this folder run on a schedule."""


@command.command("set", epilog='Example: deta cron set "0 10 * * ? *"')
@click.argument("words", nargs=-1, required=True, metavar="[PATH] EXPRESSION")
@click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
@click.option("--timeout", type=click.IntRange(1, 3600), metavar="SECONDS", help="How long a run may take, up to 3600.")
def set_schedule(words: tuple[str, ...], server_url: Optional[str], timeout: Optional[int]) -> None:
    """Set the schedule: a rate such as `5 minutes`, or a cron expression of six fields. Times are in UTC."""
    folder, rest = _folder_of(words)
    if not rest:
        raise CliError('Say when it runs: deta cron set "5 minutes"')
    state = project.load(folder)
    with open_server(server_url, noted=state.server) as server:
        say("Scheduling micro...")
        asked = {"expression": " ".join(rest), "limit_seconds": timeout}
        made = server.put(schedule_path(state), asked)["schedule"]
    say(f"Successfully set micro to schedule for '{made['expression']}'")
    if made["next_times"]:
        warn("Next, in UTC: " + ", ".join(at[:16].replace("T", " ") for at in made["next_times"]))


@command.command("remove", epilog="Example: deta cron remove")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
def remove_schedule(path: Path, server_url: Optional[str]) -> None:
    """Remove the schedule. What runs already goes on."""
    state = project.load(path)
    with open_server(server_url, noted=state.server) as server:
        server.delete(schedule_path(state))
    say("Successfully removed schedule from micro")


def schedule_path(state: State) -> str:
    """Where the server has a Micro's schedule."""
    return f"collections/{segment(state.collection_id)}/micros/{segment(state.micro_id)}/schedule"


def _folder_of(words: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """The folder that the first word names, if it is one with a Micro, and the others."""
    first = Path(words[0])
    if len(words) > 1 and project.state_path(first).exists():
        return first, words[1:]
    return Path(), words
