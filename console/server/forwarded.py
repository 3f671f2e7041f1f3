"""What a request's headers say of how it came here, in the two ways that reverse proxies have: `X-Forwarded-*`, and `Forwarded`
of RFC 7239. Whether any of it is believed is decided in `proxies.py`.
"""

import re
from dataclasses import dataclass
from typing import Any

# A pair of RFC 7239, section 4; what stands between two pairs is a comma for the next proxy, or a semicolon.
_PAIR = re.compile(r'[ \t]*+([A-Za-z]++)=(?:"((?:[^"\\]|\\.)*+)"|([^",; \t]++))[ \t]*+(,|;|$)')
_QUOTED = re.compile(r"\\(.)")
_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Who asked each proxy, and over what and for which host it was asked: the outermost first. `port` is that of the outermost.

    Each list may be empty, or shorter than the others where proxies do not add to it. Of `Forwarded` they are equally long, and a
    text that was not told is empty.
    """

    addresses: list[str]
    schemes: list[str]
    hosts: list[str]
    port: str = ""


def read_forwarded(environ: dict[str, Any]) -> Forwarded | None:
    """What is said; None when nothing is. Where there is any of `X-Forwarded-*`, it alone counts.

    A proxy writes one of both, and what it does not write may be its client's.
    """
    if any(name in environ for name in _HEADERS):
        addresses, schemes, hosts = (_listed(environ.get(name, "")) for name in _HEADERS)
        return Forwarded(addresses, schemes, hosts, environ.get("HTTP_X_FORWARDED_PORT", "").strip())
    hops = _hops(environ.get("HTTP_FORWARDED", ""))
    if not hops:
        return None
    addresses, schemes, hosts = ([hop.get(name, "") for hop in hops] for name in ("for", "proto", "host"))
    return Forwarded(addresses, schemes, hosts)


def _listed(header: str) -> list[str]:
    return [each.strip() for each in header.split(",") if each.strip()]


def _hops(header: str) -> list[dict[str, str]]:
    """One for each proxy; none at all of a header that is not as it should be."""
    hops: list[dict[str, str]] = [{}]
    at = 0
    while at < len(header):
        found = _PAIR.match(header, at)
        if found is None:
            return []
        name, quoted, token, end = found.groups()
        hops[-1][name.lower()] = token if quoted is None else _QUOTED.sub(r"\1", quoted)
        if end == ",":
            hops.append({})
        at = found.end()
    return [hop for hop in hops if hop]
