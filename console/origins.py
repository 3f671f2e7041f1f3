"""Where the browser is, as it says, and where the server believes to be: a form is taken in only when both are the same.

They differ for a form of another site, and behind a reverse proxy that does not tell, or is not believed. Who runs the server is
told what to set.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest

from console import host_names
from console.server.proxies import IS_BELIEVED
from storage import micro_addresses

_SHOWN_MAX_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Both origins, `scheme://host[:port]`, and what to do about it, a sentence each."""

    browser: str
    server: str
    advice: list[str]


def find_mismatch(request: HttpRequest) -> Mismatch | None:
    """None when they are the same, or the browser does not say where it is."""
    browser, server = _browsers(request), _servers(request)
    if not browser or browser == server:
        return None
    return Mismatch(browser, server, _advice(request, browser, server))


def unknown_name(request: HttpRequest) -> str:
    """The name that a request came under, which this server does not answer to; empty for what can be none."""
    name = micro_addresses.normalise_host(request.META.get("HTTP_HOST", ""))
    return name if name.isprintable() and len(name) <= _SHOWN_MAX_CHARACTERS else ""


def _browsers(request: HttpRequest) -> str:
    told = request.headers.get("Origin") or request.headers.get("Referer", "")
    try:
        parts = urlsplit(told)
    except ValueError:
        return ""
    origin = f"{parts.scheme}://{parts.netloc}"
    is_one = parts.scheme in ("http", "https") and parts.netloc.isprintable() and "@" not in parts.netloc
    return origin if is_one and parts.netloc and len(origin) <= _SHOWN_MAX_CHARACTERS else ""


def _servers(request: HttpRequest) -> str:
    try:
        host = request.get_host()
    except DisallowedHost:
        host = request.META.get("HTTP_HOST", "")[:_SHOWN_MAX_CHARACTERS]
    return f"{request.scheme}://{host}"


def _advice(request: HttpRequest, browser: str, server: str) -> list[str]:
    peer = request.META.get("REMOTE_ADDR", "")
    is_believed = request.META.get(IS_BELIEVED)
    says, sees = urlsplit(browser), urlsplit(server)
    advice = []
    if not is_believed:
        said = "It says where the browser is, and is not believed. " if is_believed is False else ""
        advice.append(f"{said}If {peer} is your proxy, set HOMEPORT_TRUSTED_PROXIES={peer}.")
    if is_believed is not False and says.scheme != sees.scheme:
        advice.append(f"Have the proxy send the header X-Forwarded-Proto: {says.scheme}.")
    if says.netloc != sees.netloc:
        if is_believed is not False:
            advice.append(f"Have the proxy pass on the header Host: {says.netloc}, or send it as X-Forwarded-Host.")
        if not host_names.is_ours(says.netloc):
            advice.append(f"Add {says.hostname or says.netloc} to HOMEPORT_ALLOWED_HOSTS.")
    return advice
