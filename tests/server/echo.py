"""`python -m tests.server.echo '{"LIMIT": 1}'`: a worker of the web server whose application says what it was asked.

The limits given replace those of `console/server/limits.py`. It prints its ports for http and https, and the authority of its
certificate, as JSON on one line.
"""

import json
import socket
import ssl
import sys
import tempfile
import threading
import time
from asyncio import AbstractEventLoop
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trustme

from console.server import limits
from console.server.answers import Answer, refusal
from console.server.bodies import AWAITED, CUT, BodyAwaited
from console.server.listening import Listener
from console.server.live import LiveBody, Outlet
from console.server.proxies import TrustedProxies
from console.server.threads import IN_LOOP, KIND, AnsweredBy, DoneInLoop, Together
from console.server.worker import Worker

PATIENCE_SECONDS = 30.0
THOUGHT_SECONDS = 0.5
# What is asked here is answered in the loop, if it may be; what ends in this can't be, and begins again.
IN_LOOP_PATH, WAITING_END = "/in-loop", "/waits"
STREAM_PIECE, STREAM_PIECES = b"x" * 100_000, 50

LIVE_PIECE = b"tick\n"

_asked: Counter[str] = Counter()
_live: Counter[str] = Counter()


class Ticks(LiveBody):
    """Ticks a few times a second, the given number of times, as long as the client takes them. `/lives` says how it went."""

    def __init__(self, most: int) -> None:
        self._left = most

    def begin(self, outlet: Outlet) -> None:
        _live["begun"] += 1
        self._outlet = outlet
        self._tick()

    def _tick(self) -> None:
        if not self._left:
            self._outlet.end(b"over")
            return
        self._left -= 1
        self._outlet.write(LIVE_PIECE)
        _live["unsent"] = self._outlet.unsent_bytes()
        self._timer = self._outlet.loop.call_later(0.02, self._tick)

    def stop(self) -> None:
        self._outlet.end(b"stopped")

    def close(self) -> None:
        _live["closed"] += 1
        if hasattr(self, "_timer"):
            self._timer.cancel()


class AtOnce:
    """Does in the loop what comes."""

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop

    def add(self, work: Callable[[], Any], hear: Callable[[Any], None]) -> None:
        self._loop.call_soon(lambda: hear(work()))

    def waiting(self) -> int:
        return 0


def answer(environ: dict[str, Any]) -> Answer:
    """What was asked, and how often this address was by now; `/refused` and the like are something else."""
    path = environ["PATH_INFO"]
    _asked[path] += 1
    if path == "/refused":
        return refusal("403 Forbidden", "No", is_api=False)
    if path == "/streamed":
        return "200 OK", [], iter([STREAM_PIECE] * STREAM_PIECES)
    if path == "/live":
        return "200 OK", [], Ticks(int(environ["QUERY_STRING"]))
    if path == "/lives":
        return "200 OK", [("Content-Type", "application/json")], [json.dumps(_live).encode()]
    if path == "/broken":
        return "200 OK", [("X", environ["QUERY_STRING"].replace("+", "\r\n"))], [b""]
    if AWAITED in environ:
        if path == "/thoughtful":
            time.sleep(THOUGHT_SECONDS)
        raise BodyAwaited(1_000_000)
    said = {
        "method": environ["REQUEST_METHOD"],
        "path": path,
        "host": environ.get("HTTP_HOST"),
        "body": environ["wsgi.input"].read().decode("latin-1"),
        "is_cut": CUT in environ,
        "asked": _asked[path],
        "in_loop": threading.current_thread() is threading.main_thread(),
    }
    if IN_LOOP in environ and path.endswith(WAITING_END):
        raise AnsweredBy(environ[KIND])
    return "200 OK", [("Content-Type", "application/json")], [json.dumps(said).encode()]


def main() -> None:
    """Serve until SIGTERM."""
    for name, value in json.loads(sys.argv[1]).items():
        setattr(limits, name, value)
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    told = [[each.getsockname()[1] for each in listening], authority.cert_pem.bytes().decode()]
    sys.stdout.write(f"{json.dumps(told)}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory() as folder:
        Worker(
            answer,
            kinds={"any": 4, "short": 1},
            kind_of=lambda environ: "short" if environ["PATH_INFO"].startswith(IN_LOOP_PATH) else "any",
            together=Together("short", 8, lambda works: [work() for work in works]),
            done_in_loop=DoneInLoop(("short",), AtOnce),
            proxies=TrustedProxies([]),
            folder=Path(folder),
            patience_seconds=PATIENCE_SECONDS,
            drain_seconds=1.0,
        ).serve([Listener(listening[0]), Listener(listening[1], tls)], beat=lambda: None)


if __name__ == "__main__":
    main()
