"""What an app finds in its environment under `deta dev`: what it finds in a Micro, unless the person has set it already."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import certifi

from deta.cli import tokens
from deta.cli.dev.keys import DevKey
from deta.cli.errors import CliError
from deta.cli.says import warn

FIRST_PORT = 4200
_TRUST = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def variables(url: str, key: DevKey) -> dict[str, str]:
    """Of the server, its key and its certificate. Raises CliError when the certificate can't be written down."""
    found = {"DETA_PROJECT_KEY": key.text, "HOMEPORT_URL": url}
    if key.host:
        found |= {"DETA_BASE_HOST": key.host, "DETA_DRIVE_HOST": key.host}
    if key.authority:
        alone, both = _write_authorities(key.authority)
        set_already = [name for name in _TRUST if os.environ.get(name) not in (None, "", str(alone), str(both))]
        if set_already:
            warn(
                f"Warning: you have set {', '.join(set_already)}, so what reads it trusts {key.host} only if "
                f"the certificate {alone} is in there too."
            )
        found |= {"NODE_EXTRA_CA_CERTS": str(alone), "SSL_CERT_FILE": str(both), "REQUESTS_CA_BUNDLE": str(both)}
    return found


def complete(own: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """The person's own environment, and what it lacks."""
    return {**more, **{name: value for name, value in own.items() if value or name not in more}}


def free_port(first: int = FIRST_PORT) -> int:
    """The first port of this machine from there on that nobody listens on. Raises CliError."""
    for port in range(first, first + 100):
        with socket.socket() as tried:
            if os.name != "nt":
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CliError(f"No port from {first} to {first + 99} is free: name one with --port")


def _write_authorities(authority: str) -> tuple[Path, Path]:
    """The server's own authority: alone, and with those that everybody trusts."""
    name = hashlib.sha256(authority.encode()).hexdigest()[:16]
    folder = tokens.home() / "authorities"
    alone, both = folder / f"{name}.pem", folder / f"{name}-and-all.pem"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        everybody = os.environ.get("SSL_CERT_FILE") or certifi.where()
        alone.write_text(authority, encoding="ascii")
        both.write_text(f"{Path(everybody).read_text(encoding='utf-8')}\n{authority}", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CliError(f"The server's certificate can't be written to {folder}: {error}") from None
    return alone, both
