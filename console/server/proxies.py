"""Who really asks, for which host and over what, where a trusted reverse proxy says so.

What `forwarded.py` reads is believed from the addresses in `HOMEPORT_TRUSTED_PROXIES` alone. It is written into the variables of
the request, so that nobody behind this has to know that there are proxies.
"""

import ipaddress
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from console.server.forwarded import Forwarded, read_forwarded
from storage.request_ids import is_request_id

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# In the variables of a request: whether whoever passed it on is believed. Not there when nobody said anything.
IS_BELIEVED = "homeport.proxy_is_believed"
# In the variables of a request: its id, made by this server or by a trusted proxy.
REQUEST_ID = "homeport.request_id"

_PORTS = {"http": "80", "https": "443"}


class TrustedProxies:
    """The reverse proxies that are believed.

    `is_ours` says of a Host header whether it is a name of this server's, and `is_given` whether somebody gave it that name.
    """

    def __init__(
        self,
        networks: Iterable[str],
        *,
        is_ours: Callable[[str], bool] = bool,
        is_given: Callable[[str], bool] = bool,
    ) -> None:
        """Takes addresses and networks. Raises ValueError."""
        self._networks: list[Network] = [ipaddress.ip_network(text, strict=False) for text in networks]
        self._contain = lru_cache(maxsize=1024)(self._look_up)
        self._is_ours, self._is_given = is_ours, is_given

    def correct(self, environ: dict[str, Any]) -> None:
        """Put in the client's own address, scheme and host, if a trusted proxy passed the request on."""
        told = read_forwarded(environ)
        is_trusted = bool(self._networks) and self._contain(environ["REMOTE_ADDR"])
        if told is not None or is_trusted:
            environ[IS_BELIEVED] = is_trusted
        if not is_trusted:
            return
        _believe_request_id(environ)
        if told is not None:
            place = self._place_of_client(told.addresses)
            if told.addresses and (address := _address(told.addresses[place])):
                environ["REMOTE_ADDR"] = address
            _believe_scheme(environ, told, place)
            self._believe_host(environ, told.hosts)
        _complete_port(environ, told.port if told else "")

    def _place_of_client(self, addresses: list[str]) -> int:
        """Each proxy adds who asked it: what stands before the last stranger may be made up."""
        strangers = (
            place for place in reversed(range(len(addresses))) if not self._contain(_address(addresses[place]))
        )
        return next(strangers, 0)

    def _believe_host(self, environ: dict[str, Any], hosts: list[str]) -> None:
        """Of several the nearest that is a name of ours: one further out may be the client's own word.

        A name that nobody has heard of may be a Micro's own domain; it does not take the place of one that was given to us.
        """
        told = [host for host in reversed(hosts) if host]
        ours = next(filter(self._is_ours, told), None)
        if ours is not None:
            environ["HTTP_HOST"] = ours
        elif told and not self._is_given(environ.get("HTTP_HOST", "")):
            environ["HTTP_HOST"] = told[0]

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
    scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
    if scheme in _PORTS:
        environ["wsgi.url_scheme"] = scheme
    environ[IS_BELIEVED] = True
    _believe_request_id(environ)


def _believe_request_id(environ: dict[str, Any]) -> None:
    told = environ.get("HTTP_X_REQUEST_ID", "")
    if is_request_id(told):
        environ[REQUEST_ID] = told


def _believe_scheme(environ: dict[str, Any], told: Forwarded, place: int) -> None:
    """What the client spoke with the outermost proxy that is believed.

    Where it can't be told which of several words is that proxy's, one of https is: within a network plain http is usual, and
    who makes it up gains nothing.
    """
    schemes = [scheme.lower() for scheme in told.schemes]
    if len(schemes) == len(told.addresses):
        schemes = [scheme for scheme in schemes[place:] if scheme][:1]
    known = [scheme for scheme in schemes if scheme in _PORTS]
    if known:
        environ["wsgi.url_scheme"] = "https" if "https" in known else "http"


def _complete_port(environ: dict[str, Any], told: str) -> None:
    """Some proxies pass on the host without its port, or with the usual one: then the browser knows which page it is on."""
    host, scheme = environ.get("HTTP_HOST", ""), environ["wsgi.url_scheme"]
    name, _, port = host.rpartition(":")
    if port.isdecimal() and name:
        if port != _PORTS[scheme]:
            return
        host = name
    port = _port_of_page(environ, host=host, scheme=scheme) or (told if told.isdecimal() else "")
    if host:
        environ["HTTP_HOST"] = f"{host}:{port}" if port and port != _PORTS[scheme] else host


def _port_of_page(environ: dict[str, Any], *, host: str, scheme: str) -> str:
    """Of the page that sent the request, if it is one of this very host: no browser lets a page of another say so.

    Nor one of the same host's other ports: browsers say of it that it is not the same origin, whichever that is.
    """
    if environ.get("HTTP_SEC_FETCH_SITE", "same-origin") != "same-origin":
        return ""
    for header in ("HTTP_ORIGIN", "HTTP_REFERER"):
        try:
            parts = urlsplit(environ.get(header, ""))
            if parts.scheme == scheme and parts.hostname == host.lower().strip("[]"):
                return str(parts.port or "")
        except ValueError:
            continue
    return ""


def _address(told: str) -> str:
    """The address that a proxy names, without its port; empty for a name in its place."""
    bare = told
    if told.startswith("["):
        bare = told[1:].partition("]")[0]
    elif told.count(":") == 1:
        bare = told.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return ""
