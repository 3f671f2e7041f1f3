"""The collection that a command works in, and the connection to its data: the client's own, with the person's token."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, NoReturn, Optional, TypeVar

import click

from deta.cli import collections, project
from deta.cli.bases.edits import BadEdit
from deta.cli.bases.item_calls import ExactItems
from deta.cli.collections import with_project
from deta.cli.drives.calls import DriveCalls
from deta.cli.errors import CliError
from deta.cli.exact_json import BadJson
from deta.cli.options import open_server
from deta.cli.server import Server, segment
from deta.config import Options
from deta.drive import Drive
from deta.errors import DetaError, Unauthorized
from deta.transport import SyncClient
from deta.wire import Call

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
# A sync or an import of hours outlives a network that is gone for half a minute.
_OPTIONS = Options(timeout=60.0, retries=8)


@dataclass(frozen=True)
class BasePlace:
    """One Base: `call` answers a call of the public API, `ask` one of the command's own."""

    name: str
    items: ExactItems
    client: SyncClient
    root: str
    cli_root: str

    def call(self, call: Call[T]) -> T:
        return self.client.call(self.root, call)

    def ask(self, call: Call[T]) -> T:
        return self.client.call(self.cli_root, call)


@dataclass(frozen=True)
class DrivePlace:
    """One Drive: the client's own, and what the command knows besides."""

    name: str
    drive: Drive
    calls: DriveCalls
    client: SyncClient
    root: str
    cli_root: str

    def ask(self, call: Call[T]) -> T:
        return self.client.call(self.cli_root, call)


class Place:
    """A collection of a server."""

    def __init__(self, server: Server, collection: dict[str, Any]) -> None:
        self.server = server
        self.id = str(collection["id"])
        self.name = str(collection["name"])
        self.client = SyncClient(server.bearer, _OPTIONS)

    def path(self, *more: str) -> str:
        """Where the server has it, or something of it, below `/cli/`."""
        return "/".join(map(segment, ("collections", self.id, *more)))

    def base(self, name: str) -> BasePlace:
        root, cli_root = self._roots("bases", name)
        return BasePlace(name, ExactItems(f"Base “{name}”"), self.client, root, cli_root)

    def drive(self, name: str) -> DrivePlace:
        root, cli_root = self._roots("drives", name)
        label = f"Drive “{name}”"
        return DrivePlace(
            name, Drive.with_client(name, self.client, root), DriveCalls(label), self.client, root, cli_root
        )

    def names(self, kind: str) -> list[str]:
        """The names of its Bases or Drives: `kind` is "bases" or "drives"."""
        return [each["name"] for each in self.server.get(self.path(kind))[kind]]

    def lacks(self, kind: str, name: str) -> CliError:
        """The sentence about a Base or Drive that is not there, with those that are."""
        there = self.names(kind)
        word = kind[:-1].title()
        known = f"it has {', '.join(f'“{each}”' for each in there[:20])}" if there else f"it has no {word} yet"
        return CliError(f"No {word} in the collection “{self.name}” is called “{name}”: {known}")

    def _roots(self, kind: str, name: str) -> tuple[str, str]:
        if not _NAME.fullmatch(name):
            raise CliError(
                f"“{name}” is no name of a {kind[:-1].title()}: it has 1 to 128 letters (a-z), digits, `_`, `-` or `.`, and does"
                " not start with `.`"
            )
        root = f"{self.server.url}/cli/v1/{segment(self.id)}/{segment(name)}"
        return root, f"{self.server.url}/cli/{self.path(kind, name)}"


def with_place(function: F) -> F:
    """Gives a command `--project` and `--server`, and the collection as its argument `place: Place`."""

    @with_project
    @click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
    @functools.wraps(function)
    def run(*args: Any, project: Optional[str], server_url: Optional[str], **kwargs: Any) -> Any:
        with open_place(project, server_url) as place:
            return function(*args, place=place, **kwargs)

    return run  # type: ignore[return-value]


@contextmanager
def open_place(wanted: Optional[str], server_url: Optional[str] = None) -> Iterator[Place]:
    """The collection that is wanted, else that of this folder's Micro, else the only one. Whatever goes wrong is a CliError."""
    here = project.find(Path()) if wanted is None and server_url is None else None
    with open_server(server_url, noted=here.server if here else None) as server:
        place = Place(server, collections.find(server, wanted or (here.collection_id if here else None)))
        try:
            yield place
        except (BadJson, BadEdit) as error:
            raise CliError(str(error)) from None
        except DetaError as error:
            fail(error, server.url)
        finally:
            place.client.close()


def fail(error: DetaError, url: str) -> NoReturn:
    """Raises CliError with the one sentence for what the client met."""
    said = ". ".join(error.errors[1:] or error.errors)
    if isinstance(error, Unauthorized):
        raise CliError(f"{said or 'Unauthorized'}: sign in to {url} again with `deta login`") from None
    if error.status == 403 and error.errors == ("Forbidden",):
        raise CliError("Your role in this collection does not allow that: it only reads") from None
    raise CliError(said or str(error)) from None
