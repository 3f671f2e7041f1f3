"""`python -m console.listener`: the web server with this project's application in it.

Which requests are answered by which threads is said in `console/thread_kinds.py`.
"""

import argparse
import gc
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path

import django
from django.conf import settings
from django.urls import get_resolver

from console import host_names, url_prefix
from console.cpu_affinity import find_processors, keep_to, share_of
from console.monitoring import requests
from console.server.listening import Listener
from console.server.processes import Processes
from console.server.proxies import TrustedProxies
from console.server.threads import DoneInLoop, Together
from console.server.worker import Worker
from console.thread_kinds import IN_LOOP_KINDS, KINDS, TOGETHER, kind_of
from storage import json_output

# How long requests that are under way may go on once the server was asked to stop.
DRAIN_SECONDS = 15.0


def main() -> None:
    """Load every route's code, and nothing that a fork must not share: no connection and no thread exists yet."""
    json_output.begin()
    asked = _read_command_line()
    django.setup()
    from console.wsgi import answer  # the settings have to be there
    from storage.postgres.gathering import answer_together
    from storage.postgres.loop_gathering import LoopGathering

    _ = get_resolver().url_patterns
    tls = _tls_context(asked.certificate, asked.key) if asked.certificate else None
    listeners = [
        *(Listener(socket.socket(fileno=number)) for number in asked.socket),
        *(Listener(socket.socket(fileno=number), tls) for number in asked.tls_socket),
        *(Listener(socket.socket(fileno=number), tls, is_for_micros=True) for number in asked.micros_socket),
        *(Listener(socket.socket(fileno=number), is_behind_caddy=True) for number in asked.caddy_socket),
    ]
    processors = find_processors()
    folder = settings.DATA / "incoming"
    folder.mkdir(mode=0o700, exist_ok=True)
    proxies = TrustedProxies(settings.TRUSTED_PROXIES, is_ours=host_names.is_ours, is_given=host_names.is_given)

    def work(number: int, beat: Callable[[], None]) -> None:
        if processors:
            keep_to(share_of(number, workers=asked.workers, processors=processors))
        worker = Worker(
            answer,
            kinds=KINDS,
            kind_of=kind_of,
            together=Together("items", TOGETHER, answer_together),
            done_in_loop=DoneInLoop(IN_LOOP_KINDS, LoopGathering),
            enter=url_prefix.enter,
            proxies=proxies,
            folder=folder,
            patience_seconds=settings.CLIENT_TIMEOUT_SECONDS,
            drain_seconds=DRAIN_SECONDS,
            note=requests.note,
        )

        requests.note_start()

        def tick() -> None:
            beat()
            requests.tick(worker)

        worker.serve(listeners, beat=tick)

    # Collecting would touch, and so copy, every page that the workers could share.
    gc.freeze()
    sys.exit(Processes(asked.workers, work, stop_seconds=DRAIN_SECONDS + 0.5).run())


def _read_command_line() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="console.listener")
    parser.add_argument("--workers", type=int, required=True)
    parser.add_argument("--socket", type=int, action="append", default=[], help="descriptor of a socket for http")
    parser.add_argument("--tls-socket", type=int, action="append", default=[], help="the same for https")
    parser.add_argument(
        "--micros-socket", type=int, action="append", default=[], help="the same for the API alone, as Micros reach it"
    )
    parser.add_argument("--caddy-socket", type=int, action="append", default=[], help="the same for our own Caddy")
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
