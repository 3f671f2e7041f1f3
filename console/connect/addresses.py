"""This server's addresses in the form that clients need."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from console.connect.python_client import Wheel


@dataclass(frozen=True, slots=True)
class Addresses:
    """`origin` is where the person's browser reaches this server, with the path below which all of it is served, if there is one.

    `tls_host` is `host[:port]` of https, with the same path: published clients insist on it. It is empty where there is none.
    `plain_origin` needs no trust in our own authority: it is http then, and `is_local` says that it leaves no machine.
    """

    origin: str
    tls_host: str
    is_own_authority: bool
    plain_origin: str
    is_local: bool

    @property
    def tls_origin(self) -> str:
        """Over https, or without where the server has none."""
        return f"https://{self.tls_host}" if self.tls_host else self.plain_origin

    @property
    def host_alone(self) -> str:
        """`tls_host` for a client that takes no path there."""
        return self.tls_host.partition("/")[0]

    @property
    def is_trusted(self) -> bool:
        """Whether `safe_origin` needs no trust in our own authority."""
        return self.is_local or not self.is_own_authority

    @property
    def safe_origin(self) -> str:
        """What a secret is best sent to: over https, or without leaving this machine; over http where there is nothing else."""
        return self.plain_origin if self.is_trusted else self.tls_origin


def addresses_for(request: HttpRequest) -> Addresses:
    """As the browser that asks reaches this server: over https through a proxy, or with the https listener beside http."""
    origin = request.build_absolute_uri(settings.URL_PREFIX or "/").rstrip("/")
    parts = urlsplit(origin)
    local = is_local(parts.hostname or "")
    if parts.scheme == "https" and parts.port != settings.TLS_PORT:
        return Addresses(origin, parts.netloc + parts.path, is_own_authority=False, plain_origin=origin, is_local=local)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    plain = origin if parts.scheme == "http" else f"http://{host}:{settings.PORT}{settings.URL_PREFIX}"
    if not settings.TLS_PORT:
        return Addresses(origin, "", is_own_authority=False, plain_origin=plain, is_local=local)
    return Addresses(
        origin,
        f"{host}:{settings.TLS_PORT}{settings.URL_PREFIX}",
        is_own_authority=True,
        plain_origin=plain,
        is_local=local,
    )


def python_install_url(addresses: Addresses, wheel: Wheel) -> str:
    """What pip installs the Python client from.

    Over http from another machine somebody could put other bytes in its place, so the address says which ones it means.
    """
    url = urljoin(addresses.plain_origin, reverse("client-wheel", args=[wheel.file_name]))
    is_safe = addresses.is_local or addresses.plain_origin.startswith("https:")
    return url if is_safe else f"{url}#sha256={wheel.sha256}"


def constraints_install(addresses: Addresses) -> str:
    """The options by which pip takes this server's client wherever `deta` is asked for."""
    url = urljoin(addresses.plain_origin, reverse("constraints"))
    is_safe = addresses.is_local or addresses.plain_origin.startswith("https:")
    return f"-c {url}" if is_safe else f"--trusted-host {urlsplit(url).netloc} -c {url}"


def is_local(host: str) -> bool:
    """Whether what goes to this host leaves no machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
