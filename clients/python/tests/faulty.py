"""A reverse proxy in front of the real server, on which connections break and replies get lost as a test says."""

import http.client
import threading
from collections import deque
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Optional
from urllib.parse import urlsplit

from tests.waiting import MOMENT_SECONDS

BLOCK = 65_536


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    "drop": the connection breaks before the server hears of it. "lose": the server does it, and the reply gets lost.
    "busy": 503 from the way. "cut": the connection breaks after `size` bytes of the reply's body; "stall": it falls silent.
    """

    kind: str
    size: int = 0
    retry_after: Optional[str] = None


class FaultyProxy:
    """`faults` are for the next requests, in turn; then all is well. `seen` are the requests as method and path."""

    def __init__(self, upstream: str) -> None:
        self.faults: deque[Optional[Fault]] = deque()
        self.seen: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.let_go = threading.Event()
        self._upstream = urlsplit(upstream).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> "FaultyProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_go.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(proxy) -> type[BaseHTTPRequestHandler]:  # noqa: N805 (`self` is the handler's, below)
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                proxy.seen.append(f"{self.command} {self.path}")
                proxy.headers.append({name.lower(): value for name, value in self.headers.items()})
                fault = proxy.faults.popleft() if proxy.faults else None
                if fault and fault.kind == "drop":
                    self.close_connection = True
                elif fault and fault.kind == "busy":
                    self.answer_busy(fault)
                else:
                    self.pass_on(body, fault)

            def answer_busy(self, fault: Fault) -> None:
                self.send_response(503)
                if fault.retry_after is not None:
                    self.send_header("Retry-After", fault.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def pass_on(self, body: bytes, fault: Optional[Fault]) -> None:
                upstream = http.client.HTTPConnection(proxy._upstream, timeout=MOMENT_SECONDS)
                try:
                    upstream.request(self.command, self.path, body, dict(self.headers.items()))
                    reply = upstream.getresponse()
                    if fault and fault.kind == "lose":
                        reply.read()
                        self.close_connection = True
                        return
                    self.relay(reply, fault)
                finally:
                    upstream.close()

            def relay(self, reply: http.client.HTTPResponse, fault: Optional[Fault]) -> None:
                self.send_response_only(reply.status)
                for name, value in reply.getheaders():
                    self.send_header(name, value)
                self.end_headers()
                left = fault.size if fault else None
                while block := reply.read(BLOCK if left is None else min(BLOCK, left)):
                    self.wfile.write(block)
                    left = None if left is None else left - len(block)
                if fault and fault.kind == "stall":
                    self.wfile.flush()
                    proxy.let_go.wait(MOMENT_SECONDS)
                self.close_connection = self.close_connection or fault is not None

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = do_HEAD = forward  # noqa: N815 (http.server's names)

            def log_message(self, *_: Any) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except ConnectionError:
                    self.close_connection = True

        return Handler
