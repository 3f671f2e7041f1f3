"""The access tokens of this machine's user: `~/.deta/tokens`, or in CI the environment.

The file is a JSON object from a server's address to `{"token", "person", "expires_at", "authority"}`. The last is the path of a
copy of the certificate that the server is trusted by, "" for one that everybody trusts. A token is sent to the server that it is
kept for and to no other: the one in `DETA_ACCESS_TOKEN` to that of `HOMEPORT_URL` or `DETA_SERVER`, without these to `--server`.
"""

from __future__ import annotations

import os
import ssl
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Optional
from urllib.parse import quote

from deta.cli import files
from deta.cli.errors import CliError

_DAMAGED = "delete it, then sign in again with `deta login`"


@dataclass(frozen=True)
class Kept:
    """A token, whom it lets in, and the path of the certificate that its server is trusted by."""

    token: str
    person: str = ""
    expires_at: str = ""
    authority: str = ""


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
    found = _read()
    if server not in found:
        return None
    kept = found[server]
    if not isinstance(kept, dict) or not isinstance(kept.get("token"), str):
        raise CliError(f"{path()} is damaged: {_DAMAGED}")
    return Kept(kept["token"], *(str(kept.get(name, "")) for name in ("person", "expires_at", "authority")))


def keep(server: str, kept: Kept) -> None:
    """Keep the token for this server, in place of the one before. Raises CliError."""
    found = _read()
    found.pop(server, None)
    found[server] = asdict(kept)
    files.write_object(path(), found, is_secret=True)


def keep_authority(server: str, certificate: Path) -> str:
    """Copy the certificate of a server's own authority to where it stays; its path there. Raises CliError."""
    copy = home() / "authorities" / f"{quote(server.partition('://')[2], safe='')}.pem"
    try:
        text = certificate.read_text("utf-8")
        ssl.create_default_context(cadata=text)
    except (ValueError, ssl.SSLError):
        raise CliError(f"{certificate} is no certificate") from None
    except OSError as error:
        raise CliError(f"{certificate} cannot be used: {error.strerror}") from None
    files.write_text(copy, text, is_secret=True)
    return str(copy)


def trust(server: str, kept: Kept) -> None:
    """Have everything in this process trust the server by the certificate that was kept, if one was. Raises CliError.

    What the person has set goes first.
    """
    if not kept.authority or os.environ.get("SSL_CERT_FILE"):
        return
    try:
        ssl.create_default_context(cafile=kept.authority)
    except OSError:  # which ssl's errors are, too
        raise CliError(
            f"{kept.authority} is damaged: sign in again with `deta login --server {server} --ca homeport-ca.pem`"
        ) from None
    os.environ["SSL_CERT_FILE"] = kept.authority


def forget(server: str) -> None:
    """Raises CliError."""
    found = _read()
    if found.pop(server, None) is not None:
        files.write_object(path(), found, is_secret=True)


def _read() -> dict[str, Any]:
    return files.read_object(path(), advice=_DAMAGED) or {}
