"""The paths on a Micro's host that are the server's own."""

import posixpath

from django.utils.http import url_has_allowed_host_and_scheme

ENTER = "/__homeport/enter"


def is_reserved(path: str) -> bool:
    """Whether the path, decoded, is the server's own however it is written."""
    return posixpath.normpath(f"/{path.lstrip('/')}").split("/")[1] in ("__homeport", "__space")


def local_path(path: str) -> str:
    """The path, if it leads to the same host; else the first page."""
    # Browsers take out tabs and line breaks before they look where an address leads.
    is_local = path.startswith("/") and path.isprintable() and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_local else "/"
