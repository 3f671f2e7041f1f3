"""Finding loopback ports that nobody uses.

Ports come from below the range the kernel hands to outgoing connections, so that an engine which restarts finds its own
still free. SeaweedFS takes a second port 10,000 above each of its own, so both are looked at.
"""

import contextlib
import os
import random
import socket
from collections.abc import Iterable
from pathlib import Path

# Where SeaweedFS makes a Unix socket for each of its gRPC ports, whatever TMPDIR says.
SHARED_SOCKETS = Path("/tmp")  # noqa: S108

LOWEST, HIGHEST = 12_000, 22_000
GRPC_OFFSET = 10_000


def grpc(port: int) -> int:
    """The gRPC port that belongs to a SeaweedFS port; its admin worker knows no other way to find it."""
    return port + GRPC_OFFSET


def is_free(host: str, port: int) -> bool:
    """Whether this process could listen on the port now."""
    with contextlib.ExitStack() as stack:
        try:
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
            for family, kind, protocol, _, address in addresses:
                listener = stack.enter_context(socket.socket(family, kind, protocol))
                # Without it a port whose last connections linger in TIME_WAIT would count as taken.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind(address)
        except OSError:
            return False
    return True


def all_free(wanted: Iterable[int]) -> bool:
    """Whether every one of these loopback ports is free, and its Unix socket would be as well."""
    return all(is_free("127.0.0.1", port) and not _is_squatted(port) for port in wanted)


def _is_squatted(port: int) -> bool:
    """Whether another user has put something in the place of this port's socket. Root's server removes it."""
    there = SHARED_SOCKETS.glob(f"seaweedfs-*-{port}.sock")
    return os.geteuid() != 0 and any(path.lstat().st_uid != os.geteuid() for path in there)


def free_ports(count: int) -> list[int]:
    """Choose that many different free loopback ports, each with its gRPC port free as well."""
    chosen: list[int] = []
    for port in random.sample(range(LOWEST, HIGHEST), HIGHEST - LOWEST):
        if all_free([port, grpc(port)]):
            chosen.append(port)
        if len(chosen) == count:
            return chosen
    raise OSError(f"No free ports on 127.0.0.1 between {LOWEST} and {HIGHEST}.")
