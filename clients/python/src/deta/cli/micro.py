"""The Micro that a project's folder is of, on its server."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

import click

from deta.cli import project
from deta.cli.errors import CliError, ServerError
from deta.cli.options import open_server
from deta.cli.project import State
from deta.cli.server import Server, segment

F = TypeVar("F", bound=Callable[..., Any])

_UNKNOWN = ("Not found",)


@dataclass
class Micro:
    """A Micro, its server, and the folder. Every method raises CliError."""

    folder: Path
    state: State
    server: Server

    def path(self, *more: str) -> str:
        """Where the server has it, or something of it."""
        steps = ("collections", self.state.collection_id, "micros", self.state.micro_id, *more)
        return "/".join(map(segment, steps))

    def details(self) -> dict[str, Any]:
        """What it is, in the order in which it is printed."""
        return self.server.get(self.path())

    def change(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return self.server.patch(self.path(), value)

    def save(self) -> None:
        project.save(self.folder, self.state)

    def page(self, what: str) -> str:
        """The address of a page of its collection, for a browser."""
        return f"{self.server.url}/collections/{segment(self.state.collection_id)}/{what}"


@contextmanager
def open_micro(folder: Path, server_url: Optional[str] = None) -> Iterator[Micro]:
    """The Micro of a folder. Raises CliError when it has none, or the server knows it no more."""
    state = project.load(folder)
    with open_server(server_url, noted=state.server) as server, told_when_gone(state):
        yield Micro(folder, state, server)


@contextmanager
def told_when_gone(state: State) -> Iterator[None]:
    """Say which Micro it is that the server does not know."""
    try:
        yield
    except ServerError as error:
        if error.status != 404 or error.errors != _UNKNOWN:
            raise
        raise CliError(
            f"{state.server} has no Micro '{state.name}' ({state.micro_id}) any more that you may see. "
            "If it was deleted, remove the folder's .deta"
        ) from None


def with_micro(function: F) -> F:
    """Gives a command the argument `[PATH]`, a project's folder, and its Micro as the argument `micro`."""

    @click.argument("path", required=False, default=".", type=click.Path(path_type=Path))
    @click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
    @functools.wraps(function)
    def run(*args: Any, path: Path, server_url: Optional[str], **kwargs: Any) -> Any:
        with open_micro(path, server_url) as micro:
            return function(*args, micro=micro, **kwargs)

    return run  # type: ignore[return-value]
