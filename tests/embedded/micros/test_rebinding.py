"""DNS rebinding, tried: an app in a real sandbox asks the real proxy for names whose addresses change between two answers.

The supervisor has a resolver of the test's own: a DNS server on this machine, named by an `/etc/resolv.conf` that it alone sees.
"""

import http.server
import socket
import struct
import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest

from storage.embedded.micros.surroundings import Bounds
from tests.embedded.micros.stand import Settings, Stand

RESOLVER = "127.0.0.77"
# One that the server's owner allowed, and one of this machine's: a rebinding name means first one, then the other.
ALLOWED, PRIVATE = "127.0.0.2", "127.0.0.3"
NAMES = {
    "rebinds.test": [ALLOWED, PRIVATE],
    "tunnels.test": [ALLOWED, PRIVATE],
    "back-and-forth.test": [PRIVATE, ALLOWED],
    "metadata.test": ["169.254.169.254"],
}
WITH_RESOLVER = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
ASKS = """
import socket, urllib.error, urllib.parse, urllib.request

def app(environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    query = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))
    if environ["PATH_INFO"] == "/tunnel":
        with socket.create_connection(("127.0.0.1", 4280), timeout=60) as proxy:
            proxy.sendall(f"CONNECT {query['of']} HTTP/1.1\\r\\n\\r\\n".encode())
            said = proxy.recv(65_536)
            if b" 200 " in said:
                proxy.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
                while part := proxy.recv(65_536):
                    said = part
            return [said]
    try:
        with urllib.request.urlopen(f"http://{query['of']}/", timeout=60) as answer:
            return [answer.read()]
    except urllib.error.HTTPError as error:
        return [f"{error.code} {error.read().decode()}".encode()]
"""


class Resolver:
    """Answers questions for IPv4 addresses with the next one of the name, and goes on with its last."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((RESOLVER, 53))
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.sendto(b"", (RESOLVER, 53))

    def _serve(self) -> None:
        with self._socket:
            while True:
                question, sender = self._socket.recvfrom(4_096)
                if not question:
                    return
                self._socket.sendto(self._answer(question), sender)

    def _answer(self, asked: bytes) -> bytes:
        labels, at = [], 12
        while length := asked[at]:
            labels.append(asked[at + 1 : at + 1 + length].decode())
            at += 1 + length
        (kind,) = struct.unpack("!H", asked[at + 1 : at + 3])
        name, question, found = ".".join(labels), asked[12 : at + 5], b""
        if kind == 1 and (addresses := NAMES.get(name)):
            address = addresses[min(self.asked[name], len(addresses) - 1)]
            self.asked[name] += 1
            # The name again, an address, of the internet, for no time at all.
            found = struct.pack("!HHHIH", 0xC00C, 1, 1, 0, 4) + socket.inet_aton(address)
        return asked[:2] + struct.pack("!HHHHH", 0x8180, 1, bool(found), 0, 0) + question + found


class Answering(http.server.BaseHTTPRequestHandler):
    """Says at which address it was asked."""

    def do_GET(self) -> None:
        body = f"hello from {self.connection.getsockname()[0]}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@contextmanager
def serving(address: str, port: int = 0) -> Iterator[int]:
    with http.server.ThreadingHTTPServer((address, port), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


@cache
def has_mounts_of_its_own() -> bool:
    command = ["unshare", "--mount", "sh", "-c", WITH_RESOLVER, "/etc/resolv.conf", "true"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    if not has_mounts_of_its_own():
        pytest.skip("only root gives a process a resolver of its own")
    with closing(Resolver()) as made:
        yield made


@pytest.mark.slow
def test_the_address_that_was_judged_is_the_one_that_is_connected_to(
    make_stand: Callable[..., Stand], resolver: Resolver, tmp_path: Path
) -> None:
    settings = tmp_path / "resolv.conf"
    settings.write_text(f"nameserver {RESOLVER}\n")
    around = ["unshare", "--mount", "sh", "-c", WITH_RESOLVER, str(settings)]
    stand = make_stand(Settings(bounds=Bounds(), may_reach=[f"{ALLOWED}/32"]), around=around)
    app = stand.add(ASKS)
    with serving(ALLOWED) as port, serving(PRIVATE, port):
        ask = lambda path, name: stand.get(app, f"{path}?of={name}:{port}")[1]  # noqa: E731 (a shorter word for it)

        assert ask("/", "rebinds.test") == f"hello from {ALLOWED}"
        assert resolver.asked["rebinds.test"] == 1
        refused = f"rebinds.test ({PRIVATE}) can't be reached from a Micro: it is this server's own address"
        assert refused in ask("/", "rebinds.test")

        assert ask("/tunnel", "tunnels.test").endswith(f"hello from {ALLOWED}")
        assert ask("/tunnel", "tunnels.test").startswith("HTTP/1.1 403 Forbidden")
        assert resolver.asked["tunnels.test"] == 2

        assert ask("/", "back-and-forth.test").startswith("403 ")
        assert ask("/", "back-and-forth.test") == f"hello from {ALLOWED}"
        assert "(169.254.169.254) can't be reached" in ask("/", "metadata.test")
