"""What Micros cost: `python -m bench.studies.micros`, and a part of `make bench`.

- Cold start: from the first byte sent to the first one received, through the web server, of a Micro that sleeps. Each is put to
  sleep and woken again, as often as there are rounds; the median is held against the limit, the best tells of a busy machine.
- Warm: answers a second through the web server against those of the same instance on its own socket, in turns of the same
  clients, who keep their connections. The app alone does what it always does inside its sandbox; all that stands before it
  (sign-in, caps, headers, counting, another connection for each request) is the difference, and `web ms` is the processor time
  that it takes for an answer, which other work on the machine hardly changes. All three share its processors with the clients.
- Memory: what a hundred Micros that have run once and sleep add to the whole server, engines left out, as PSS.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from bench.meters import cpu
from bench.systems.homeport import Homeport

CONNECTIONS = 8
SLEEPING = 100
LEAST_RATIO = 0.5
MOST_BYTES = 1_000_000
_WAIT_SECONDS = 300.0
_APPS = {
    "Flask": {
        "main.py": "from flask import Flask\napp = Flask(__name__)\n\n@app.get('/')\ndef hello():\n    return 'hello'\n",
        "requirements.txt": "flask\n",
    },
    "FastAPI": {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get('/')\ndef hello():\n    return 'hello'\n",
        "requirements.txt": "fastapi\n",
    },
    "Express": {
        "index.js": "const app = require('express')();\napp.get('/', (q, a) => a.send('hello'));\nmodule.exports = app;\n",
        "package.json": json.dumps({"name": "hello", "dependencies": {"express": "4"}}),
    },
}
_COLD_SECONDS = {"Flask": 0.5, "FastAPI": 1.5, "Express": 0.5}
_PLAIN = "def app(environ, start):\n    start('200 OK', [('Content-Length', '5')])\n    return [b'hello']\n"


@dataclass(frozen=True)
class App:
    """A deployed Micro, and where it is asked."""

    micro_id: str
    host: str
    socket: Path

    @property
    def request(self) -> bytes:
        return f"GET / HTTP/1.1\r\nHost: {self.host}\r\n\r\n".encode()


def main() -> int:
    """Prints the tables. 0 when all limits are kept, else 1."""
    parser = argparse.ArgumentParser(prog="python -m bench.studies.micros", description="What Micros cost.")
    parser.add_argument("--seconds", type=int, default=3, help="for each turn (default: 3)")
    parser.add_argument("--rounds", type=int, default=5, help="cold starts, and turns of each kind (default: 5)")
    options = parser.parse_args()
    # Asked to end, we still stop our server and remove its files, as after Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="bench-micros-") as name:
        homeport = Homeport(Path(name))
        try:
            homeport.start([])
            return 0 if measure_micros(homeport, duration_s=options.seconds, rounds=options.rounds) else 1
        finally:
            homeport.stop()


def measure_micros(homeport: Homeport, *, duration_s: int, rounds: int) -> bool:
    """Measure and print; whether all limits are kept. Sets Django up in this process, for the server that runs there."""
    _set_up(homeport)
    apps = {name: _deploy(homeport, name.lower(), files) for name, files in _APPS.items()}
    kept = [_measure_cold(homeport, apps, rounds), _measure_warm(homeport, apps, duration_s, rounds)]
    return all([*kept, _measure_sleeping(homeport)])


def _measure_cold(homeport: Homeport, apps: dict[str, App], rounds: int) -> bool:
    print(f"{'cold start to the first byte':<30} {'median':>9} {'best':>9} {'limit':>9}")
    is_kept = True
    for name, app in apps.items():
        took = [_wake(homeport, app) for _ in range(rounds)]
        median, most = statistics.median(took), _COLD_SECONDS[name]
        is_kept &= median <= most
        told = "" if median <= most else "   not met"
        print(f"{name:<30} {median:>7.2f} s {min(took):>7.2f} s {most:>7.2f} s{told}", flush=True)
    return is_kept


def _measure_warm(homeport: Homeport, apps: dict[str, App], duration_s: int, rounds: int) -> bool:
    print(f"\n{'warm answers per second':<30} {'through':>9} {'alone':>9} {'ratio':>9} {'at least':>9} {'web ms':>9}")
    parts = urlsplit(homeport.origin)
    is_kept = True
    for name, app in apps.items():
        front: Callable[[], object] = partial(asyncio.open_connection, parts.hostname, parts.port)
        alone = partial(asyncio.open_unix_connection, app.socket)
        _rate(front, app, 1)
        through_rates, alone_rates, web_ms = [], [], []
        for _ in range(rounds):
            alone_rates.append(_rate(alone, app, duration_s))
            before_s = cpu.used_s(homeport.web_workers())
            through_rates.append(_rate(front, app, duration_s))
            used_s = cpu.used_s(homeport.web_workers()) - before_s
            web_ms.append(used_s * 1_000 / (through_rates[-1] * duration_s))
        ratio = statistics.median(a / b for a, b in zip(through_rates, alone_rates, strict=True))
        is_kept &= ratio >= LEAST_RATIO
        told = "" if ratio >= LEAST_RATIO else "   not met"
        medians = statistics.median(through_rates), statistics.median(alone_rates)
        print(
            f"{name:<30} {medians[0]:>9,.0f} {medians[1]:>9,.0f} {ratio:>9.2f} {LEAST_RATIO:>9.2f}"
            f" {statistics.median(web_ms):>9.2f}{told}",
            flush=True,
        )
    return is_kept


def _measure_sleeping(homeport: Homeport) -> bool:
    before = _own_memory(homeport)
    apps = [_lay_out(homeport, f"sleeping{number}") for number in range(SLEEPING)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(partial(_wake, homeport), apps))
    _put_to_sleep(apps)
    each = {name: (after - before[name]) / SLEEPING for name, after in _own_memory(homeport).items()}
    total = sum(each.values())
    told = "" if total <= MOST_BYTES else "   not met"
    print(f"\n{f'memory of a sleeping Micro, of {SLEEPING}':<40} {'KB':>9} {'limit':>9}")
    for name, added in each.items():
        print(f"  {name:<38} {added / 1_000:>9.1f}")
    print(f"{'all':<40} {total / 1_000:>9.1f} {MOST_BYTES / 1_000:>9,.0f}{told}", flush=True)
    return total <= MOST_BYTES


# Asking.


def _wake(homeport: Homeport, app: App) -> float:
    """Seconds until the first byte of a Micro that sleeps."""
    _put_to_sleep([app])
    return asyncio.run(_first_byte(urlsplit(homeport.origin), app))


async def _first_byte(parts: object, app: App) -> float:
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)  # type: ignore[attr-defined]
    began = time.perf_counter()
    writer.write(app.request)
    first = await reader.readexactly(12)
    took = time.perf_counter() - began
    writer.close()
    if first != b"HTTP/1.1 200":
        raise RuntimeError(f"{app.host} answered {first!r}")
    return took


def _rate(connect: Callable[[], object], app: App, duration_s: int) -> float:
    """Answers a second, of clients who keep their connections."""
    return asyncio.run(_ask_for(connect, app, duration_s))


async def _ask_for(connect: Callable[[], object], app: App, duration_s: int) -> float:
    began = time.perf_counter()
    counts = await asyncio.gather(*(_ask_on(connect, app, began + duration_s) for _ in range(CONNECTIONS)))
    return sum(counts) / (time.perf_counter() - began)


async def _ask_on(connect: Callable[[], object], app: App, until: float) -> int:
    count = 0
    reader, writer = await connect()  # type: ignore[misc]
    while time.perf_counter() < until:
        writer.write(app.request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{app.host} answered {head[:200]!r}")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        count += 1
    writer.close()
    return count


# The server's Micros.


def _set_up(homeport: Homeport) -> None:
    os.environ |= homeport.environment | {"DJANGO_SETTINGS_MODULE": "console.settings"}
    import django

    django.setup()


def _deploy(homeport: Homeport, name: str, files: dict[str, str]) -> App:
    """As the console does."""
    from storage import jobs
    from storage.micros import bundles, deployments
    from storage.models import Deployment

    micro = _make(homeport, name)
    with bundles.bundle_of({path: text.encode() for path, text in files.items()}) as bundle:
        about = {"collection_id": homeport.collection_id, "micro_id": micro.micro_id}
        asked = deployments.ask_for_deployment(**about, bundle=bundle, asked_by=None)
    jobs.start(jobs.continue_deployments)
    _wait(lambda: Deployment.objects.get(id=asked.id).finished_at is not None)
    made = Deployment.objects.get(id=asked.id)
    if made.state != Deployment.State.DONE:
        raise RuntimeError(f"{name} was not deployed: {made.reason}")
    _wait(micro.socket.exists)
    return micro


def _lay_out(homeport: Homeport, name: str) -> App:
    """One without packages, whose code is laid out by hand."""
    from storage.micros import micros
    from storage.micros.hosts import the_host, the_places
    from storage.models import Deployment, Micro

    app = _make(homeport, name)
    micro = Micro.objects.get(id=app.micro_id)
    made = Deployment.objects.create(micro=micro, number=1, state=Deployment.State.DONE, runtime="python")
    code = the_places().code(made.id)
    code.mkdir(parents=True)
    (code / "main.py").write_text(_PLAIN)
    for path in (code / "main.py", code, code.parent):
        path.chmod(0o755)
    micros.touch_micro(micro, deployment=made)
    the_host().changed(micro.id)
    _wait(app.socket.exists)
    return app


def _make(homeport: Homeport, name: str) -> App:
    from storage.micros import micros
    from storage.micros.hosts import the_places

    collection_id = homeport.collection_id
    micro = micros.create_micro(collection_id=collection_id, name=name)
    micro = micros.change_micro(collection_id=collection_id, micro_id=micro.id, has_sign_in=False)
    host = f"{micro.subdomain}.localhost:{urlsplit(homeport.origin).port}"
    return App(micro.id, host, the_places().socket(micro.id))


def _put_to_sleep(apps: Sequence[App]) -> None:
    from storage.micro_host import State
    from storage.micros.hosts import the_host

    ids = [app.micro_id for app in apps]
    for micro_id in ids:
        the_host().stop(micro_id)
    _wait(lambda: all(status.state is State.ASLEEP for status in the_host().statuses(ids).values()))


def _own_memory(homeport: Homeport) -> dict[str, int]:
    """PSS in bytes of the server's processes but for the engines, by what they are for."""
    found = {"what runs Micros": 0, "web server and jobs": 0}
    for process in homeport.server.tree() if homeport.server else []:
        try:
            words = " ".join(process.cmdline())
            if any(name in words for name in ("postgres", "weed")):
                continue
            name = "what runs Micros" if "storage.micros" in words else "web server and jobs"
            found[name] += process.memory_full_info().pss
        except psutil.Error:
            continue
    return found


def _wait(is_so: Callable[[], object]) -> None:
    ends_at = time.monotonic() + _WAIT_SECONDS
    while not is_so():
        if time.monotonic() > ends_at:
            raise RuntimeError(f"it did not come within {_WAIT_SECONDS:g} s")
        time.sleep(0.02)


if __name__ == "__main__":
    sys.exit(main())
