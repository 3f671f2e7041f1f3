"""Which collection a command is about: `-p/--project`, which takes an id or a name, else the only one there is."""

from __future__ import annotations

from typing import Any, Callable, Optional, TypeVar

import click

from deta.cli.errors import CliError
from deta.cli.server import Server

F = TypeVar("F", bound=Callable[..., Any])

_MOST_LISTED = 20


def with_project(function: F) -> F:
    """Gives a command `-p/--project`, as its argument `project: Optional[str]`."""
    return click.option(
        "-p",
        "--project",
        metavar="COLLECTION",
        help="The collection, by its id or its name; not needed for the only one.",
    )(function)


def find(server: Server, said: Optional[str]) -> dict[str, Any]:
    """The collection that is meant, as `deta projects` shows it. Raises CliError, which lists those there are."""
    found: list[dict[str, Any]] = server.get("collections")["collections"]
    if said is None:
        if len(found) == 1:
            return found[0]
        if not found:
            raise CliError(f"You have no collection on {server.url}: make one with `deta collection create NAME`")
        raise CliError(f"Which collection? Name one with --project: {_listed(found)}")
    by_id = [each for each in found if each["id"] == said]
    chosen = by_id or [each for each in found if each["name"] == said]
    if not chosen:
        raise CliError(
            f"You have no collection {said!r}. There are: {_listed(found)}" if found else f"There is no {said!r}"
        )
    if len(chosen) > 1:
        raise CliError(f"{len(chosen)} collections are called {said!r}. Use the id of one: {_listed(chosen)}")
    return chosen[0]


def _listed(found: list[dict[str, Any]]) -> str:
    names = [f"{each['name']} ({each['id']})" for each in found[:_MOST_LISTED]]
    more = len(found) - len(names)
    return ", ".join(names) + (f", and {more:,} more" if more else "")
