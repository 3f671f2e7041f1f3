"""The addresses of Micros: names below the one that the settings give them, as they stand in a Host header."""

from django.conf import settings


def hostname(subdomain: str) -> str:
    """Where a Micro of this sub-domain is served, without a port."""
    return f"{subdomain}.{settings.MICROS_DOMAIN}"


def normalise_host(host: str) -> str:
    """A Host header's name as it is looked up: in lower case, without its port and the dot at its end."""
    name = host.strip().lower()
    if not name.endswith("]"):
        before, colon, port = name.rpartition(":")
        if colon and port.isdigit():
            name = before
    return name.removesuffix(".")


def subdomain_of(host: str) -> str | None:
    """The sub-domain that a normalised host names; None when it is not directly below the Micros' domain."""
    label, dot, rest = host.partition(".")
    return label if dot and rest == settings.MICROS_DOMAIN else None
