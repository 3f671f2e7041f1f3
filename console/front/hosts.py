"""Which requests are for a Micro: by the name in their Host header, never by a path of the console's."""

import ipaddress
import threading
import time
from functools import lru_cache

from django.conf import settings
from django.http.request import validate_host

from storage.micros import micros, subdomains
from storage.models import Micro

# How long a process goes on with what it found: after a change the next second may still see what was.
_KEPT_SECONDS = 1.0
_KEPT_MOST = 1_024


@lru_cache(maxsize=_KEPT_MOST)
def may_be_a_micros(host: str) -> bool:
    """Whether a Host header may name a Micro. The database is not asked: a name that is not the console's may be anybody's."""
    name = subdomains.normalise_host(host)
    if subdomains.subdomain_of(name) is not None:
        return True
    return bool(name) and not _is_address(name) and not validate_host(name, _own_names())


class Found:
    """Micros by their hosts, as they were within the last second; what is no Micro's is remembered too."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Micro | None]] = {}
        self._lock = threading.Lock()

    def find(self, host: str) -> Micro | None:
        """The Micro that a Host header names. Raises EngineUnreachable."""
        now = time.monotonic()
        kept = self._kept.get(host)
        if kept is not None and kept[0] > now:
            return kept[1]
        micro = micros.find_micro_by_host(host)
        with self._lock:
            if len(self._kept) >= _KEPT_MOST:
                self._kept = {name: each for name, each in self._kept.items() if each[0] > now}
            if len(self._kept) < _KEPT_MOST:
                self._kept[host] = (now + _KEPT_SECONDS, micro)
        return micro


found = Found()


def console_host(host: str) -> str:
    """The console's own host as seen from a Micro's, whose Host header is given: with the same port."""
    names = [name for name in settings.ALLOWED_HOSTS if name != "*" and not name.startswith(".")]
    port = host.rpartition(":")[2]
    return f"{names[0]}:{port}" if port.isdigit() and not host.endswith("]") else names[0]


def _own_names() -> list[str]:
    return [name.lower() for name in settings.ALLOWED_HOSTS if name != "*"]


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
