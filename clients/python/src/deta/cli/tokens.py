"""The access tokens of this machine's user: `~/.deta/tokens`, or in CI the environment.

The file is a JSON object from a server's address to `{"token", "person", "expires_at"}`. A token is sent to the server that it is
kept for and to no other: the one in `DETA_ACCESS_TOKEN` to the one in `HOMEPORT_URL` (or `DETA_SERVER`, or `--server`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from deta.cli import files
from deta.cli.errors import CliError

_DAMAGED = "delete it, then sign in again with `deta login`"


@dataclass(frozen=True)
class Kept:
    """A token, and whom it lets in."""

    token: str
    person: str = ""
    expires_at: str = ""


def home() -> Path:
    """The folder of the command's own files: `~/.deta`, or what `DETA_HOME` names."""
    named = os.environ.get("DETA_HOME")
    return Path(named) if named else Path.home() / ".deta"


def path() -> Path:
    return home() / "tokens"


def list_servers() -> list[str]:
    """The servers that there is a token for, the one signed in to last at the end. Raises CliError for a damaged file."""
    return list(_read())


def find(server: str) -> Optional[Kept]:
    """The token kept for this server. Raises CliError for a damaged file."""
    kept = _read().get(server)
    if kept is None:
        return None
    if not isinstance(kept, dict) or not isinstance(kept.get("token"), str):
        raise CliError(f"{path()} is damaged: {_DAMAGED}")
    return Kept(kept["token"], str(kept.get("person", "")), str(kept.get("expires_at", "")))


def keep(server: str, kept: Kept) -> None:
    """Keep the token for this server, in place of the one before. Raises CliError."""
    found = _read()
    found.pop(server, None)
    found[server] = {"token": kept.token, "person": kept.person, "expires_at": kept.expires_at}
    files.write_object(path(), found, is_secret=True)


def forget(server: str) -> None:
    """Raises CliError."""
    found = _read()
    if found.pop(server, None) is not None:
        files.write_object(path(), found, is_secret=True)


def _read() -> dict[str, Any]:
    return files.read_object(path(), advice=_DAMAGED) or {}
