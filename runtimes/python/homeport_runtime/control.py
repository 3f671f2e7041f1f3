"""The control socket, descriptor 4: lines of JSON to and from the supervisor.

We say `{"ready": true, "runs_on": ...}` or `{"fault": {"kind", "message", "output"}}`, hear `{"drain": true}`, and say
`{"closed": true}` once nobody new is accepted. When the supervisor is gone there is nobody to serve for, and the process ends at
once.
"""

import json
import os
import platform
import socket
import threading
from typing import Callable

DESCRIPTOR = 4
OUTPUT_MAX_CHARACTERS = 20_000  # of a traceback, of which the end tells most


class Control:
    """One end of the control socket; a thread of its own listens, so that an app that hangs still ends."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=DESCRIPTOR)
        self._socket.setblocking(True)
        os.set_inheritable(DESCRIPTOR, False)
        self._on_drain: Callable[[], None] = lambda: None
        self._is_asked = False
        threading.Thread(target=self._listen, name="homeport-control", daemon=True).start()

    def say_ready(self) -> None:
        self._say({"ready": True, "runs_on": f"Python {platform.python_version()}"})

    def say_closed(self) -> None:
        self._say({"closed": True})

    def say_fault(self, kind: str, message: str, output: str = "") -> None:
        self._say({"fault": {"kind": kind, "message": message, "output": output[-OUTPUT_MAX_CHARACTERS:]}})

    def when_asked_to_drain(self, do: Callable[[], None]) -> None:
        """`do` is called from another thread; at once when the question came already."""
        self._on_drain = do
        if self._is_asked:
            do()

    def _say(self, message: dict) -> None:
        self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _listen(self) -> None:
        heard = b""
        while True:
            try:
                part = self._socket.recv(65_536)
            except OSError:
                part = b""
            if not part:
                os._exit(0)
            *lines, heard = (heard + part).split(b"\n")
            if any(json.loads(line).get("drain") for line in lines):
                self._is_asked = True
                self._on_drain()
