"""Ports that were chosen for a server which starts later: held until then, so that no other takes them meanwhile.

A run beside chooses at random among the same, and what this process knows of its server's ports it has read by then.
"""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

_held: dict[Path, ExitStack] = {}


def hold(data: Path, choose: Callable[[], Sequence[int]]) -> Sequence[int]:
    """Choose ports for the server of this data folder until none of them was taken at the same moment, and hold them."""
    while True:
        with ExitStack() as opened:
            chosen = choose()
            try:
                for port in chosen:
                    opened.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            _held.setdefault(data, ExitStack()).push(opened.pop_all())
            return chosen


def let_go(data: Path) -> None:
    """For the server of this folder, which starts now."""
    _held.pop(data, ExitStack()).close()
