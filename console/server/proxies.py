"""Who really asks, where a trusted reverse proxy says so.

`X-Forwarded-For` and `X-Forwarded-Proto` are believed from the addresses in `HOMEPORT_TRUSTED_PROXIES` alone.
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """The reverse proxies that are believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        """Takes addresses and networks. Raises ValueError."""
        self._networks: list[Network] = [ipaddress.ip_network(text, strict=False) for text in networks]
        self._contain = lru_cache(maxsize=1024)(self._look_up)

    def correct(self, environ: dict[str, Any]) -> None:
        """Put in the client's own address and scheme, if a trusted proxy passed the request on."""
        if not self._networks or not self._contain(environ["REMOTE_ADDR"]):
            return
        told = [address.strip() for address in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        # Each proxy adds who asked it: what stands before the last stranger may be made up.
        address = next((each for each in reversed(told) if not self._contain(each)), told[0])
        if address:
            environ["REMOTE_ADDR"] = address
        _believe_scheme(environ)

    def _look_up(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        # A socket that serves both kinds of addresses shows IPv4 ones like this.
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._networks)


def correct_behind_caddy(environ: dict[str, Any]) -> None:
    """The same of a request that came by a socket which our own Caddy alone can reach: it says who asked it, and nobody else."""
    environ["REMOTE_ADDR"] = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    _believe_scheme(environ)


def _believe_scheme(environ: dict[str, Any]) -> None:
    scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
    if scheme in ("http", "https"):
        environ["wsgi.url_scheme"] = scheme
