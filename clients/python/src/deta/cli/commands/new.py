"""`deta new`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Optional

import click

from deta.cli import collections
from deta.cli import project as projects
from deta.cli.deploying import asks_for_others, follow, send
from deta.cli.errors import CliError
from deta.cli.files import remove_empty
from deta.cli.micro import Micro
from deta.cli.options import open_server
from deta.cli.project import State
from deta.cli.project_files import find_files, is_hidden
from deta.cli.says import say, say_json, warn
from deta.cli.server import Server, segment
from deta.cli.starters import STARTERS


@click.command(epilog="Example: deta new --python first_micro")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("-n", "--node", is_flag=True, help="A Micro that Node runs.")
@click.option("-p", "--python", is_flag=True, help="A Micro that Python runs.")
@click.option("--runtime", metavar="NAME", help="Or more exactly: python3.11, nodejs20, nodejs14.x.")
@click.option("--name", help="What the Micro is called; by default as its folder.")
@click.option(
    "--project", metavar="COLLECTION", help="The collection, by its id or its name; not needed for the only one."
)
@click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
def command(
    path: Optional[Path],
    node: bool,
    python: bool,
    runtime: Optional[str],
    name: Optional[str],
    project: Optional[str],
    server_url: Optional[str],
) -> None:
    """Make a Micro of a folder, the current one by default.

    An empty folder gets a small app to begin with, and needs --python, --node or --runtime. One with a main.py or an index.js is
    deployed as it is.
    """
    asked = _read_runtime(node=node, python=python, runtime=runtime)
    folder = path or Path()
    found = _find_entries(folder)
    if folder.is_dir() and not found and not _is_empty(folder):
        if name is None:
            raise CliError(
                f"There is neither main.py nor index.js in '{folder.resolve()}': give a name, or a path, to begin elsewhere"
            )
        folder = folder / name
        found = _find_entries(folder)
    if projects.find(folder) is not None:
        raise CliError(f"'{folder.resolve()}' is a Micro already")
    kind = _choose_kind(folder, found, asked)
    with open_server(server_url) as server, _made(folder):
        micro = _create(server, folder, name, asked or kind, project)
        if not found:
            _write_starter(folder, kind)
        _deploy(micro)


def _create(server: Server, folder: Path, name: Optional[str], runtime: str, said: Optional[str]) -> Micro:
    collection_id = collections.find(server, said)["id"]
    asked = {
        # As the original named it.
        "name": name or folder.resolve().name.replace(" ", "_"),
        "runtime": runtime,
        "visor": "enabled",
    }
    told = server.post(f"collections/{segment(collection_id)}/micros", asked)
    state = State(server.url, collection_id, told["id"], told["name"], told["runtime"])
    projects.save(folder, state)
    say("Successfully created a new micro")
    say_json(told)
    return Micro(folder, state, server)


def _deploy(micro: Micro) -> None:
    made = send(micro, find_files(micro.folder, warn=warn))
    if asks_for_others(made):
        say("Adding dependencies...")
        follow(micro, made, tell=say)
    else:
        follow(micro, made)


def _read_runtime(*, node: bool, python: bool, runtime: Optional[str]) -> str:
    """What was asked for; empty for nothing."""
    if node and python:
        raise click.UsageError("Choose --node or --python, not both")
    if runtime is not None and (node or python):
        raise click.UsageError("Choose --runtime, or one of --node and --python")
    if runtime is None:
        return "node" if node else "python" if python else ""
    if not runtime.strip().lower().startswith(("python", "node")):
        raise CliError(f"'{runtime}' is no runtime: write python, python3.11, nodejs or nodejs20, for example")
    return runtime.strip().lower()


def _choose_kind(folder: Path, found: dict[str, str], asked: str) -> str:
    """`python` or `node`. Raises CliError when the folder does not say, or says otherwise."""
    if asked:
        kind = "python" if asked.startswith("python") else "node"
        if found and kind not in found:
            raise CliError(
                f"'{folder.resolve()}' has no {STARTERS[kind][0]}, and {' and '.join(found.values())} is not for {kind}"
            )
        return kind
    if len(found) > 1:
        raise CliError(
            f"'{folder.resolve()}' has {' and '.join(found.values())}: choose with --runtime, --python or --node"
        )
    if not found:
        raise CliError("Choose a runtime: `deta new --python` or `deta new --node`")
    return next(iter(found))


def _find_entries(folder: Path) -> dict[str, str]:
    """The files that start an app, by what runs them."""
    found = {kind: name for kind, (name, _) in STARTERS.items() if (folder / name).is_file()}
    if "node" not in found and (main := _main_of(folder / "package.json")) and (folder / main).is_file():
        found["node"] = main
    return found


def _main_of(package: Path) -> str:
    try:
        read = json.loads(package.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    main = read.get("main") if isinstance(read, dict) else None
    return main if isinstance(main, str) else ""


def _is_empty(folder: Path) -> bool:
    """Whether nothing is in it that a person sees."""
    with os.scandir(folder) as entries:
        return all(is_hidden(entry) for entry in entries)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Have the folder, before there is a Micro for it. Of one that was made for nothing, nothing is left."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    state_folder = projects.state_path(folder).parent
    try:
        state_folder.mkdir(parents=True, exist_ok=True)
        if not os.access(state_folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise CliError(f"'{folder}' can't be written to: {error.strerror}") from None
    try:
        yield
    except BaseException:
        if not projects.state_path(folder).exists():
            remove_empty([state_folder, *missing])
        raise


def _write_starter(folder: Path, kind: str) -> None:
    name, text = STARTERS[kind]
    try:
        (folder / name).write_bytes(text.encode())
    except OSError as error:
        raise CliError(f"'{folder / name}' can't be written: {error.strerror}") from None
