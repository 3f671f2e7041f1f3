"""Options that many commands have, and which server a command speaks to."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from typing import Any, Callable, Optional, TypeVar

import click

from deta.cli import tokens
from deta.cli.errors import CliError
from deta.cli.server import Server, normalise

F = TypeVar("F", bound=Callable[..., Any])

_VARIABLES = ("DETA_SERVER", "HOMEPORT_URL")


@dataclass
class Chosen:
    """What was said before the command's name."""

    server: Optional[str] = None


def with_server(function: F) -> F:
    """Gives a command `--server`, and the server as its argument `server: Server`."""

    @click.option("--server", "server_url", metavar="URL", help="The server to speak to.")
    @functools.wraps(function)
    def run(*args: Any, server_url: Optional[str], **kwargs: Any) -> Any:
        with open_server(server_url) as server:
            return function(*args, server=server, **kwargs)

    return run  # type: ignore[return-value]


def as_json(function: F) -> F:
    """Gives a command `--json`, as its argument `is_json: bool`."""
    return click.option("--json", "is_json", is_flag=True, help="Print JSON, for scripts.")(function)


def open_server(said: Optional[str] = None, *, noted: Optional[str] = None) -> Server:
    """The server that `choose_url` means, with the token for it: close it after use. Raises CliError."""
    url = choose_url(said, noted=noted)
    return Server(url, _token_for(url, said=said or chosen_server()))


def choose_url(said: Optional[str] = None, *, noted: Optional[str] = None) -> str:
    """The address of the server that is meant.

    It is the one of `--server` (`said`), else the one `noted` in a project's folder, else that of the environment, else the one
    signed in to last. Raises CliError.
    """
    url = said or chosen_server() or noted or _named_server() or next(iter(reversed(tokens.list_servers())), None)
    if not url:
        raise CliError("Which server? Sign in with `deta login --server URL`, or set HOMEPORT_URL")
    return normalise(url)


def chosen_server() -> Optional[str]:
    """What `deta --server URL` said before the command's name."""
    context = click.get_current_context(silent=True)
    chosen = context.find_object(Chosen) if context else None
    return chosen.server if chosen else None


def _named_server() -> Optional[str]:
    """The environment's server."""
    return next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), None)


def _token_for(url: str, *, said: Optional[str]) -> str:
    """The token that may be sent to this server, "" for none. Raises CliError.

    A folder that somebody else made may name a server of theirs: the environment's token is not for that one, nor for any but
    the environment's own.
    """
    kept = tokens.find(url)
    if kept is not None:
        tokens.trust(url, kept)
    given = os.environ.get("DETA_ACCESS_TOKEN", "").strip()
    own = _named_server() or said
    if given and not own:
        raise CliError("DETA_ACCESS_TOKEN is set, but not the server that it is for: set HOMEPORT_URL")
    if given and own and normalise(own) == url:
        return given
    if given and own and not said:
        raise CliError(f"This folder's Micro is on {url}, and DETA_ACCESS_TOKEN is for {normalise(own)}")
    return kept.token if kept else ""
