"""`deta run`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Optional

import click

from deta.cli import project
from deta.cli.errors import INTERRUPTED, CliError
from deta.cli.options import as_json, open_server
from deta.cli.project import State
from deta.cli.says import say, say_json, warn
from deta.cli.server import Server, segment

_UNDER_WAY = ("queued", "running")
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.1, 2.0
# A line that was printed is in the log within this time.
_LINES_SECONDS = 1.5


@click.command(epilog="Example: deta run hello -- --name Jimmy --tag a --tag b -loud")
@click.argument("words", nargs=-1, metavar="[ACTION] [-- --NAME VALUE ... -FLAG ...]")
@click.option("-l", "--logs", "with_logs", is_flag=True, help="Show what it printed as well.")
@click.option("--timeout", type=click.IntRange(1, 3600), metavar="SECONDS", help="How long it may take, up to 3600.")
@click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
@as_json
def command(
    words: tuple[str, ...], with_logs: bool, timeout: Optional[int], server_url: Optional[str], is_json: bool
) -> None:
    """Run the function of the Micro in this folder that is for an action, or the one that is for none.

    What stands behind `--` is its input: values are texts, a name that comes again makes a list, `-flag` is true.
    """
    action, rest = (words[0], words[1:]) if words and not words[0].startswith("-") else ("", words)
    asked = {"action": action, "words": rest, "limit_seconds": timeout}
    state = project.load(Path())
    with open_server(server_url, noted=state.server) as server:
        made = server.post(runs_path(state), asked)["run"]
        if not is_json:
            say("Running micro...")
        run, lines = _wait(server, f"{runs_path(state)}/{segment(made['id'])}", with_logs=with_logs)
    if is_json:
        say_json({**run, "answer": _read(run["answer"]), "lines": lines})
    else:
        _show(run, lines if with_logs else None)
    if run["state"] == "cancelled":
        raise CliError(f"The run was cancelled: {run['reason']}")
    if run["state"] != "done":
        hint = "" if with_logs else " (`deta run -l` shows what it printed)"
        raise CliError(f"The run failed: {' '.join(run['reason'].split())}{hint}")


def runs_path(state: State) -> str:
    """Where the server has a Micro's runs."""
    return f"collections/{segment(state.collection_id)}/micros/{segment(state.micro_id)}/runs"


def _wait(server: Server, path: str, *, with_logs: bool) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The run once it has ended, and what it printed."""
    pause = _FIRST_PAUSE_SECONDS
    try:
        while (answer := server.get(path))["run"]["state"] in _UNDER_WAY:
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
    except KeyboardInterrupt:
        _cancel(server, path)
        raise click.exceptions.Exit(INTERRUPTED) from None
    if not with_logs:
        return answer["run"], []
    time.sleep(_LINES_SECONDS)
    lines: list[dict[str, Any]] = []
    while more := server.get(path, after=lines[-1]["id"] if lines else 0)["lines"]:
        lines += more
    return answer["run"], lines


def _cancel(server: Server, path: str) -> None:
    """Whoever interrupts the command does not want the run any more."""
    try:
        run = server.post(f"{path}/cancel")["run"]
    except CliError as error:
        warn(f"The run could not be cancelled, and goes on: {error}")
    else:
        warn("The run is cancelled." if run["state"] == "cancelled" else "The run had ended already.")


def _show(run: dict[str, Any], lines: Optional[list[dict[str, Any]]]) -> None:
    if run["state"] == "done":
        say("\nResponse:")
        if run["is_cut"]:
            say(run["answer"])
            warn("It was longer: this is its beginning.")
        else:
            _say_answer(run["answer"])
    if lines is not None:
        say("\nLogs:")
        for line in lines:
            say(line["text"])


def _say_answer(text: str) -> None:
    try:
        say_json(json.loads(text))
    except ValueError:
        say(text)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
