"""A runtime's shim run directly, as the supervisor runs it in a sandbox: sockets at descriptors 3 and 4, pipes for its output."""

import fcntl
import json
import os
import queue
import re
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import MOMENT_SECONDS, eventually

HIGH = 100  # above every descriptor that is opened by itself


@dataclass(frozen=True)
class Line:
    """A line that an app printed, and the request that it was printed for."""

    text: str
    request_id: str = ""


@dataclass
class Instance:
    """One process. `messages` are what it said on its control socket."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    socket_path: Path
    messages: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    lines: list[Line] = field(default_factory=list)
    errors: list[Line] = field(default_factory=list)

    def first_message(self) -> dict[str, Any]:
        return self.messages.get(timeout=MOMENT_SECONDS)

    def request(self, method: str, path: str = "/", **options: Any) -> httpx.Response:
        """Over a connection of its own, as the front does."""
        transport = httpx.HTTPTransport(uds=str(self.socket_path))
        with httpx.Client(transport=transport, base_url="http://micro.localhost", timeout=MOMENT_SECONDS) as client:
            return client.request(method, path, **options)

    def get(self, path: str = "/", **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def run(self, kind: str = "run", **asked: Any) -> httpx.Response:
        return self.request("POST", f"/__homeport/{kind}", json=asked)

    def drain(self) -> None:
        self.control.sendall(b'{"drain": true}\n')

    def wait(self) -> int:
        return self.process.wait(timeout=MOMENT_SECONDS)

    def find(self, text: str) -> Line:
        """A line that contains the text, of either stream."""

        def find() -> Line | None:
            return next((line for line in [*self.lines, *self.errors] if text in line.text), None)

        found = eventually(find, what=f"no line with {text!r}")
        assert found
        return found


def listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(512)
    return listener


@contextmanager
def start(
    command: Sequence[str], listener: socket.socket, environment: Mapping[str, str] | None = None
) -> Iterator[Instance]:
    """Run a shim on a listening socket, which stays open here; kills it at the end."""
    ours, theirs = socket.socketpair()
    places = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD, HIGH) for each in (listener, theirs)]
    theirs.close()

    def put_in_place() -> None:
        for number, place in enumerate(places, start=3):
            os.dup2(place, number)

    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": tempfile.gettempdir(), **(environment or {})},
        preexec_fn=put_in_place,
        pass_fds=(3, 4),
    )
    for place in places:
        os.close(place)
    instance = Instance(process, ours, Path(listener.getsockname()))
    readers = [
        threading.Thread(target=_read_lines, args=(process.stdout, instance.lines)),
        threading.Thread(target=_read_lines, args=(process.stderr, instance.errors)),
        threading.Thread(target=_read_messages, args=(ours.dup(), instance.messages)),
    ]
    for reader in readers:
        reader.start()
    try:
        yield instance
    finally:
        process.kill()
        process.wait()
        ours.close()
        for reader in readers:
            reader.join()


def _read_lines(stream: Any, into: list[Line]) -> None:
    with stream:
        for raw in stream:
            text = raw.decode(errors="replace").rstrip("\n")
            tagged = re.fullmatch("\x1e([^\x1f]*)\x1f(.*)", text, flags=re.DOTALL)
            into.append(Line(tagged[2], tagged[1]) if tagged else Line(text))


def _read_messages(stream: socket.socket, into: "queue.Queue[dict[str, Any]]") -> None:
    with stream, stream.makefile("rb") as lines:
        for line in lines:
            into.put(json.loads(line))
    into.put({"ended": True})
