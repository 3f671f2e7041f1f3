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
    """The server that is meant, with the token for it: close it after use.

    It is the one of `--server` (`said`), else the one `noted` in a project's folder, else that of the environment, else the one
    signed in to last. Raises CliError.
    """
    said = said or chosen_server()
    named = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), None)
    url = said or noted or named or next(iter(reversed(tokens.list_servers())), None)
    if not url:
        raise CliError("Which server? Sign in with `deta login --server URL`, or set HOMEPORT_URL")
    url = normalise(url)
    return Server(url, _token_for(url, trusted=said or named))


def chosen_server() -> Optional[str]:
    """What `deta --server URL` said before the command's name."""
    context = click.get_current_context(silent=True)
    chosen = context.find_object(Chosen) if context else None
    return chosen.server if chosen else None


def _token_for(url: str, *, trusted: Optional[str]) -> str:
    """A folder that somebody else made may name a server of theirs: the environment's token is not for that one."""
    given = os.environ.get("DETA_ACCESS_TOKEN", "").strip()
    if not given:
        kept = tokens.find(url)
        return kept.token if kept else ""
    if not trusted:
        raise CliError("DETA_ACCESS_TOKEN is set, but not the server that it is for: set HOMEPORT_URL")
    if normalise(trusted) != url:
        raise CliError(f"This folder's Micro is on {url}, and DETA_ACCESS_TOKEN is for {normalise(trusted)}")
    return given
