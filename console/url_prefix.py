"""Where all of the console and the API is served below a path of a host that has other things too (`HOMEPORT_URL_PREFIX`).

A request may come with the path or without it, as the proxy in front takes it away or does not; what a page or an answer says
has it always. Micros have hosts of their own, where there is no such path.
"""

from typing import Any

from django.conf import settings

from console import host_names


def enter(environ: dict[str, Any]) -> None:
    """Take it away from what is asked of the console. For a name that may be a Micro's it is kept, until that is known."""
    if settings.URL_PREFIX and not host_names.may_be_a_micros(environ.get("HTTP_HOST", "")):
        take_away(environ)


def take_away(environ: dict[str, Any]) -> None:
    """Once, and only where it is."""
    prefix, path = settings.URL_PREFIX, environ["PATH_INFO"]
    if not prefix or environ["SCRIPT_NAME"] or not (path == prefix or path.startswith(f"{prefix}/")):
        return
    environ["SCRIPT_NAME"], environ["PATH_INFO"] = prefix, path[len(prefix) :]
    if environ["RAW_URI"].startswith(prefix):
        environ["RAW_URI"] = environ["RAW_URI"][len(prefix) :]
