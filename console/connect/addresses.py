"""This server's addresses as its clients must write them."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Addresses:
    """`origin` is the one the person's browser uses; `tls_host` is `host[:port]` of https, which most clients insist on."""

    origin: str
    tls_host: str
    is_own_authority: bool

    @property
    def tls_origin(self) -> str:
        return f"https://{self.tls_host}"


def addresses_for(request: HttpRequest) -> Addresses:
    """As the browser that asks reaches this server: over https through a proxy, or with the https listener beside http."""
    origin = request.build_absolute_uri("/").rstrip("/")
    parts = urlsplit(origin)
    if parts.scheme == "https" and parts.port != settings.TLS_PORT:
        return Addresses(origin, parts.netloc, is_own_authority=False)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return Addresses(origin, f"{host}:{settings.TLS_PORT}", is_own_authority=True)


def env_lines(request: HttpRequest, key_text: str) -> str:
    """What goes into an app's `.env`: the key under the name that the published clients read, and where they find the server."""
    host = addresses_for(request).tls_host
    return f"DETA_PROJECT_KEY={key_text}\nDETA_BASE_HOST={host}\nDETA_DRIVE_HOST={host}"
