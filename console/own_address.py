"""This server's own address, as one types it on this machine, and where `serve` notes it for commands."""

import json

from django.conf import settings

# What a running serve notes of itself in the data folder.
ADDRESS_NOTE = "serve.json"


def host() -> str:
    """The name or address of this server as one would type it on this machine, in an address and without a port."""
    found = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.HOST, settings.HOST)  # noqa: S104 (compared, not bound)
    return f"[{found}]" if ":" in found and "[" not in found else found


def url(port: int, *, scheme: str) -> str:
    """A listener's address as one would type it on this machine."""
    return f"{scheme}://{host()}:{port}"


def noted_address() -> str:
    """Where the server of this data folder said it answers; where it would, if it never ran."""
    try:
        return str(json.loads((settings.DATA / ADDRESS_NOTE).read_text())["address"])
    except (OSError, ValueError, KeyError):
        return url(settings.PORT, scheme="http")
