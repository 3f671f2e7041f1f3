"""`deta clone`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import click

from deta.cli import collections
from deta.cli import project as projects
from deta.cli.collections import with_project
from deta.cli.errors import CliError
from deta.cli.fetching import fetch_code
from deta.cli.files import remove_empty
from deta.cli.micro import Micro
from deta.cli.options import open_server
from deta.cli.project import State
from deta.cli.says import say, warn
from deta.cli.server import Server, segment


@click.command(epilog="Example: deta clone --name my-micro micros/my-micro")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the Micro is called.")
@with_project
@click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
def command(path: Optional[Path], name: str, project: Optional[str], server_url: Optional[str]) -> None:
    """Fetch a Micro's deployed code into a folder of its name, or PATH, which has to be empty."""
    folder = path or Path(_folder_name(name))
    with open_server(server_url) as server:
        collection_id = collections.find(server, project)["id"]
        found = _find(server, collection_id, name)
        with _empty(folder):
            warn("Cloning...")
            state = State(server.url, collection_id, found["id"], found["name"], found["runtime"])
            fetch_code(Micro(folder, state, server))
            projects.save(folder, state)
    say(f"Successfully cloned deta micro to '{folder.resolve()}'")


def _folder_name(name: str) -> str:
    if name in (".", "..") or any(character in name for character in "/\\:"):
        raise CliError(f"'{name}' can't be a folder's name: say where to, `deta clone --name '{name}' FOLDER`")
    return name


def _find(server: Server, collection_id: str, name: str) -> dict[str, Any]:
    micros: list[dict[str, Any]] = server.get(f"collections/{segment(collection_id)}/micros")["micros"]
    for each in micros:
        if name in (each["name"], each["id"]):
            return each
    there = ", ".join(f"'{each['name']}'" for each in micros)
    raise CliError(f"There is no Micro '{name}' in this collection: " + (f"it has {there}" if there else "it has none"))


@contextmanager
def _empty(folder: Path) -> Iterator[None]:
    """The folder, made where it is missing; of one that was made for nothing, nothing is left. Raises CliError."""
    if folder.exists() and not folder.is_dir():
        raise CliError(f"'{folder.resolve()}' is no folder")
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = next(folder.iterdir(), None) is None
    except OSError as error:
        raise CliError(f"'{folder}' can't be made: {error.strerror}") from None
    if not is_empty:
        raise CliError(f"'{folder.resolve()}' already exists and is not empty")
    try:
        yield
    except BaseException:
        remove_empty([projects.state_path(folder).parent, *missing])
        raise
