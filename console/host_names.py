"""The names that requests come under: the console's own, and those that may be a Micro's. The database is not asked here."""

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import validate_host

from console import own_address
from storage import micro_addresses

_KEPT_MOST = 1_024


@lru_cache(maxsize=_KEPT_MOST)
def may_be_a_micros(host: str) -> bool:
    """Whether a Host header may name a Micro: one below their domain, and a name that is not the console's, whose ever it is."""
    name = micro_addresses.normalise_host(host)
    if micro_addresses.subdomain_of(name) is not None:
        return True
    return bool(name) and not _is_address(name) and not validate_host(name, _own_names())


def is_the_consoles(host: str) -> bool:
    """Whether it is a name that the console is served under."""
    name = micro_addresses.normalise_host(host)
    return bool(name) and not _is_address(name) and validate_host(name, _own_names())


def is_ours(host: str) -> bool:
    """Whether this server is known by the name in a Host header, be it a Micro's. A domain of a Micro's own is not known here."""
    name = micro_addresses.normalise_host(host)
    return bool(name) and (is_below_domain(host) or validate_host(name, _own_names()))


def is_given(host: str) -> bool:
    """The same of the names that somebody has given it, without those that every machine has."""
    name = micro_addresses.normalise_host(host)
    given = [each.lower() for each in settings.GIVEN_HOSTS if each != "*"]
    return bool(name) and (is_below_domain(host) or validate_host(name, given))


def is_below_domain(host: str) -> bool:
    """Whether a Host header is below the Micros' domain: what is not a Micro's there is nobody's."""
    return micro_addresses.subdomain_of(micro_addresses.normalise_host(host)) is not None


def console_host(host: str) -> str:
    """The console's own host as seen from a Micro's, whose Host header is given: with the same port.

    It is the one that people use, or they would have to sign in a second time: browsers keep cookies by the name.
    """
    given = (name for name in settings.GIVEN_HOSTS if name != "*" and not name.startswith("."))
    name = next(given, own_address.host())
    port = host.rpartition(":")[2]
    return f"{name}:{port}" if port.isdigit() and not host.endswith("]") else name


def micro_origin(subdomain: str, *, console: str) -> str:
    """The origin of a Micro's own address, for who reaches the console by that one: with its scheme and its port."""
    parts = urlsplit(console)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{micro_addresses.hostname(subdomain)}{port}"


def _own_names() -> list[str]:
    return [name.lower() for name in settings.ALLOWED_HOSTS if name != "*"]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
