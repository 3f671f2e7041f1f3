"""A development key for as long as something runs: made before, revoked after, whatever ends it.

What is killed can revoke nothing. So each key is noted in `~/.deta/dev-keys` before it is used, and the next `deta dev` revokes
those of processes that are no more; the server itself ends every one within a day.
"""

from __future__ import annotations

import contextlib
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deta.cli import files, tokens
from deta.cli.errors import CliError, ServerError
from deta.cli.says import warn
from deta.cli.server import Server, segment

_GONE = (403, 404)


@dataclass(frozen=True)
class DevKey:
    """A key's text, and where and how the published clients find its server: see the server's `console/cli_api/dev_keys.py`."""

    text: str
    host: str
    authority: str


def own(server: Server, text: str) -> DevKey:
    """The person's own key, with where its server is. Raises CliError."""
    found = server.get(f"collections/{segment(text.partition('_')[0])}/dev-keys")
    return DevKey(text, str(found.get("host") or ""), str(found.get("authority") or ""))


@contextlib.contextmanager
def lent(server: Server, collection_id: str) -> Iterator[DevKey]:
    """A key to a collection until the block ends. Raises CliError."""
    revoke_left(server)
    path = f"collections/{segment(collection_id)}/dev-keys"
    made = server.post(path, {"device": platform.node()[:60]})
    noted = f"{path}/{made['id']}"
    _note(server.url, noted)
    try:
        yield DevKey(str(made["key"]), str(made.get("host") or ""), str(made.get("authority") or ""))
    finally:
        try:
            _revoke(server, noted)
        except CliError as error:
            warn(f"Warning: the development key could not be revoked, it ends by itself within a day. {error}")


def revoke_left(server: Server) -> None:
    """Revoke the keys on this server that processes left which are no more. What can't be revoked now is left noted."""
    for noted, pid in _read().get(server.url, {}).items():
        if not _is_alive(pid):
            with contextlib.suppress(CliError):
                _revoke(server, noted)


def _revoke(server: Server, noted: str) -> None:
    try:
        server.delete(noted)
    except ServerError as error:
        # The collection or the right to it is gone, and with it the key.
        if error.status not in _GONE:
            raise
    found = _read()
    found.get(server.url, {}).pop(noted, None)
    _write(found)


def _note(url: str, noted: str) -> None:
    found = _read()
    found.setdefault(url, {})[noted] = os.getpid()
    _write(found)


def _path() -> Path:
    return tokens.home() / "dev-keys"


def _read() -> dict[str, dict[str, int]]:
    """What is noted; of a damaged file nothing, as the server ends its keys anyway."""
    try:
        found: dict[str, Any] = files.read_object(_path(), advice="") or {}
    except CliError:
        return {}
    return {
        url: {path: pid for path, pid in noted.items() if isinstance(pid, int)}
        for url, noted in found.items()
        if isinstance(noted, dict)
    }


def _write(found: dict[str, dict[str, int]]) -> None:
    files.write_object(_path(), {url: noted for url, noted in found.items() if noted}, is_secret=True)


def _is_alive(pid: int) -> bool:
    if pid <= 0 or os.name == "nt":
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
