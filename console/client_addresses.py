"""Whose address a request comes from, as limits count it."""

import ipaddress

_MOST_CHARACTERS = 64


def network_of(address: str) -> str:
    """The address, or of IPv6 its /64: one customer, or one machine, has all addresses of such a network.

    An IPv4 address that is written as an IPv6 one is the IPv4 address. What is no address stands for itself.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0].strip("[]"))
    except ValueError:
        return address[:_MOST_CHARACTERS]
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
