"""Which addresses a Micro may reach from its sandbox: those of the internet, and what the server's owner allows.

Pure but for asking the machine for its own addresses. What is judged is always an address, never a name: whoever connects must
connect to the very address that was judged (`egress.py`), or a name could mean another one a moment later.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable

import psutil

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# What the registries set aside is not the internet, whichever of it Python's tables know in its version.
_SET_ASIDE = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers, and some clouds' metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, inside each of its machines
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/23",  # tunnels and tests, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",
    )
]
# All that is given out of IPv6. What holds an IPv4 address (mapped, compatible, translated) lies outside.
_IPV6_INTERNET = ipaddress.ip_network("2000::/3")
_OWN_SECONDS = 5.0


class Reach:
    """Judges addresses. `may_reach` are networks that are allowed although they are no part of the internet."""

    def __init__(self, may_reach: Iterable[str] = ()) -> None:
        """Raises ValueError for what is no network."""
        self._allowed: list[Network] = [ipaddress.ip_network(text.strip(), strict=False) for text in may_reach]
        self._own: set[Address] = set()
        self._own_until = 0.0

    def why_not(self, text: str) -> str:
        """Why this address can't be reached, as the end of a sentence; empty when it can.

        The machine's own addresses have to be allowed one by one: a network that it is in means its neighbours.
        """
        try:
            address: Address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return "it is not an address"
        inner = getattr(address, "ipv4_mapped", None)
        if inner is not None:
            return self.why_not(str(inner)) and "it is a private address in disguise"
        allowed = [network for network in self._allowed if address in network]
        if address.is_loopback or address in self._own_addresses():
            is_named = any(network.num_addresses == 1 for network in allowed)
            return "" if is_named else "it is this server's own address"
        if allowed or _is_internet(address):
            return ""
        return "it is a private address, not one of the internet"

    def _own_addresses(self) -> set[Address]:
        if time.monotonic() > self._own_until:
            self._own = {
                ipaddress.ip_address(each.address.partition("%")[0])
                for of_one in psutil.net_if_addrs().values()
                for each in of_one
                if each.family in (socket.AF_INET, socket.AF_INET6)
            }
            self._own_until = time.monotonic() + _OWN_SECONDS
        return self._own


def _is_internet(address: Address) -> bool:
    if address.version == 6 and address not in _IPV6_INTERNET:
        return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SET_ASIDE)
