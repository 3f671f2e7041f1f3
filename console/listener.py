"""`python -m console.listener`: the web server with this project's application in it.

Says which requests are answered by which threads, and how many of those there are.
"""

import argparse
import gc
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.urls import get_resolver

from console.cpu_affinity import find_processors, keep_to, share_of
from console.server.processes import Processes
from console.server.proxies import TrustedProxies
from console.server.worker import Worker
from storage import limits

# Rows are the database's alone, and it answers in no time; more threads than this only take turns. Files wait for S3.
# Passwords take a processor for a while, and turns (`console/accounts/hashing.py`): no page waits for a stranger's.
# Those for Micros wait for people's apps, which may ask for rows meanwhile.
KINDS = {
    "rows": 4,
    "pages": 8,
    "files": 32,
    "passwords": limits.HASHES_AT_ONCE + limits.HASHES_WAITING,
    "micros": limits.MICROS_REQUESTS_AT_ONCE,
}
_PASSWORD_PAGES = ("/sign-in/", "/join/", "/welcome/", "/account/")
_FILE_PAGES = ("/zip/", "/parts/", "/download/")
# How long requests that are under way may go on once the server was asked to stop.
DRAIN_SECONDS = 15.0


def kind_of(environ: dict[str, Any]) -> str:
    """Which threads a request is for: what waits for S3 holds up neither Bases nor lists of files nor pages nor probes.

    A request that reads, and turns out to need S3, is moved to the others then (`console/wsgi.py`).
    """
    if hosts.may_be_a_micros(environ.get("HTTP_HOST", "")):
        return "micros"
    return kind_of_console(environ)


def kind_of_console(environ: dict[str, Any]) -> str:
    """The same of a request that is for no Micro."""
    path: str = environ["PATH_INFO"]
    is_reading = environ["REQUEST_METHOD"] in ("GET", "HEAD")
    if path.startswith("/v1/"):
        parts = path.split("/", 6)
        what = parts[4] if len(parts) > 4 else ""
        # Storing a file or a part, and putting the parts of an upload together. Beginning one and deleting are rows' work.
        stores = (what == "files" and environ["REQUEST_METHOD"] == "POST") or (what == "uploads" and len(parts) > 5)
        return "files" if stores else "rows"
    if path in ("/healthz", "/readyz"):
        return "rows"
    if path.startswith(_PASSWORD_PAGES) and not is_reading:
        return "passwords"
    return "files" if path.endswith(_FILE_PAGES) or ("/drive/" in path and not is_reading) else "pages"


def main() -> None:
    """Load every route's code, and nothing that a fork must not share: no connection and no thread exists yet."""
    asked = _read_command_line()
    django.setup()
    from console.wsgi import answer  # the settings have to be there

    _ = get_resolver().url_patterns
    tls = _tls_context(asked.certificate, asked.key) if asked.certificate else None
    listening: list[tuple[socket.socket, ssl.SSLContext | None]] = [
        *((socket.socket(fileno=number), None) for number in asked.socket),
        *((socket.socket(fileno=number), tls) for number in asked.tls_socket),
    ]
    processors = find_processors()
    folder = settings.DATA / "incoming"
    folder.mkdir(mode=0o700, exist_ok=True)
    proxies = TrustedProxies(settings.TRUSTED_PROXIES)

    def work(number: int, beat: Callable[[], None]) -> None:
        if processors:
            keep_to(share_of(number, workers=asked.workers, processors=processors))
        Worker(
            answer,
            kinds=KINDS,
            kind_of=kind_of,
            proxies=proxies,
            folder=folder,
            patience_seconds=settings.CLIENT_TIMEOUT_SECONDS,
            drain_seconds=DRAIN_SECONDS,
        ).serve(listening, beat=beat)

    # Collecting would touch, and so copy, every page that the workers could share.
    gc.freeze()
    sys.exit(Processes(asked.workers, work, stop_seconds=DRAIN_SECONDS + 0.5).run())


def _read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="console.listener")
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--socket", type=int, action="append", default=[], help="descriptor of a socket for http")
    parser.add_argument("--tls-socket", type=int, action="append", default=[], help="the same for https")
    parser.add_argument("--certificate", type=Path)
    parser.add_argument("--key", type=Path)
    return parser.parse_args()


def _tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


if __name__ == "__main__":
    main()
