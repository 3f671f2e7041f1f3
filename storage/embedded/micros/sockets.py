"""Unix sockets in folders whose path may be longer than the 108 bytes that fit into a socket's address."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

_LONGEST_BYTES = 100


@contextlib.contextmanager
def address(path: Path) -> Iterator[str]:
    """What to bind or connect to while it is open: the path, or, for a long one, a short way to it by its open folder.

    Raises OSError.
    """
    if len(os.fsencode(path)) <= _LONGEST_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path, *, backlog: int) -> socket.socket:
    """A listening socket of that name, for us alone; one that is there is replaced. Raises OSError."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    try:
        with address(new) as bound:
            listening.bind(bound)
        new.chmod(0o600)
        listening.listen(backlog)
        listening.setblocking(False)
        new.rename(path)
    except BaseException:
        listening.close()
        raise
    return listening


def connect(path: Path, *, seconds: float) -> socket.socket:
    """A connection to it, whose calls each take that long at most. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(seconds)
        with address(path) as reached:
            connection.connect(reached)
    except BaseException:
        connection.close()
        raise
    return connection
