"""The names that Micros are served under, as far as they can be judged without the database. Pure but for the settings.

A sub-domain is one label below `HOMEPORT_MICROS_DOMAIN`; a domain is a name of somebody's own. Both are written as they stand in
a Host header: in lower case, what is not ASCII in its IDNA form.
"""

import ipaddress
import re
import secrets
import string
import unicodedata

import idna
from django.conf import settings

from storage import limits, micro_addresses
from storage.errors import InvalidInput

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", re.ASCII)
_ALPHABET = string.ascii_lowercase + string.digits
_RANDOM_CHARACTERS = 6
_DOMAIN_MAX_CHARACTERS = 253
_LABEL_MAX_CHARACTERS = 63
# What people or programs would take for the server's own, or ask for by themselves.
_RESERVED_WORDS = (
    "account accounts acme admin administrator analytics apis apps assets auth autoconfig autodiscover billing "
    "broadcasthost console dashboard deta docs email files fonts help homeport hostmaster http https imap images "
    "internal isatap local localdomain localhost login logout mail media metrics micro micros mobile monitor news "
    "oauth openid password payment ping pop3 postmaster private proxy public root security server setup sign-in "
    "sign-out sign-up signin signout signup smtp staff static status support system token tokens update upload "
    "uploads webdisk webmail webmaster well-known wpad "
)
RESERVED = frozenset(_RESERVED_WORDS.split())


def check_subdomain(text: str) -> str:
    """A chosen sub-domain as it will be: in lower case, and `_` is `-`. Raises InvalidInput."""
    chosen = text.strip().lower().replace("_", "-")
    if not limits.SUBDOMAIN_MIN_CHARACTERS <= len(chosen) <= limits.SUBDOMAIN_MAX_CHARACTERS or not is_label(chosen):
        raise InvalidInput(
            f"A sub-domain has {limits.SUBDOMAIN_MIN_CHARACTERS} to {limits.SUBDOMAIN_MAX_CHARACTERS} letters (a-z), "
            "digits or `-`, and neither begins nor ends with `-`"
        )
    if is_reserved(chosen):
        raise InvalidInput(f"The sub-domain “{chosen}” is reserved")
    return chosen


def suggest_subdomain(name: str, *, is_plain: bool) -> str:
    """A sub-domain for a Micro of this name: the name itself if `is_plain` and it may be one, else with something random."""
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    is_long_enough = limits.SUBDOMAIN_MIN_CHARACTERS <= len(slug) <= limits.SUBDOMAIN_MAX_CHARACTERS
    if is_plain and is_long_enough and not is_reserved(slug):
        return slug
    room = limits.SUBDOMAIN_MAX_CHARACTERS - _RANDOM_CHARACTERS - 1
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
    return f"{slug[:room].strip('-') or 'micro'}-{random}"


def is_label(text: str) -> bool:
    """Whether it is a label of a host name that means what it says: not one that stands for other characters (`xn--`)."""
    return _LABEL.fullmatch(text) is not None and text[2:4] != "--"


def is_reserved(subdomain: str) -> bool:
    """Whether it is a name of the console's, or one that only the server itself should have."""
    return subdomain in RESERVED or micro_addresses.hostname(subdomain) in _names_of_the_console()


def check_domain(text: str) -> str:
    """A name of somebody's own as it stands in a Host header.

    Raises InvalidInput when it is no name, an address, the console's own, or the Micros' domain or below that.
    """
    given = text.strip().removesuffix(".")
    if "://" in given or "/" in given:
        raise InvalidInput("Write the domain alone, without https:// and path")
    try:
        name = idna.encode(given, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise InvalidInput(f"“{given[:_DOMAIN_MAX_CHARACTERS]}” is no domain name") from None
    labels = name.split(".")
    if len(name) > _DOMAIN_MAX_CHARACTERS or len(labels) < 2 or not all(map(_is_any_label, labels)):
        raise InvalidInput(f"“{given[:_DOMAIN_MAX_CHARACTERS]}” is no domain name: write one such as app.example.org")
    if _is_address(name) or labels[-1].isdigit():
        raise InvalidInput("A domain is a name, not an address")
    if _is_the_consoles(name):
        raise InvalidInput(f"“{name}” is the console's own name")
    if name == settings.MICROS_DOMAIN or name.endswith(f".{settings.MICROS_DOMAIN}") or labels[-1] == "localhost":
        raise InvalidInput(f"“{name}” is this server's own to give: choose it as the Micro's sub-domain")
    return name


def _is_any_label(text: str) -> bool:
    return len(text) <= _LABEL_MAX_CHARACTERS and _LABEL.fullmatch(text) is not None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_the_consoles(name: str) -> bool:
    """Whether the console is reached by this name. `*` names nothing: by it the console answers to what no Micro has."""
    own = _names_of_the_console()
    return name in own or any(each.startswith(".") and f".{name}".endswith(each) for each in own)


def _names_of_the_console() -> set[str]:
    return {each.lower() for each in settings.ALLOWED_HOSTS if each != "*"}
