"""What `serve` does for Micros: it runs them with their collection's data, and nothing of them is left when it is killed."""

import http.client
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from storage import limits
from storage.embedded import state
from storage.embedded.micros.places import Places, places
from storage.embedded.micros.sockets import connect
from tests.embedded.micros.stand import is_alive
from tests.micros_api import Asked
from tests.serving import Server, child_of_serve, kill
from tests.waiting import MOMENT_SECONDS, eventually

MAIN = """
import os
from deta import Deta

things = Deta(os.environ["DETA_PROJECT_KEY"]).Base("things")

def app(environ, start):
    print("asked for", environ["PATH_INFO"])
    things.put({"n": 1}, key="a")
    start("200 OK", [("Content-Type", "text/plain")])
    return [str(things.get("a")["n"]).encode()]
"""
# A Micro without a bundle: its code is laid out by hand.
MAKE = """
import django
django.setup()
from storage.collections import collections, keys
from storage.micros import hosts, sealing
from storage.models import Deployment, Micro
made = collections.create_collection("Of a Micro")
key = keys.create_key(collection_id=made.id, name="Of a Micro")
micro = Micro.objects.create(collection_id=made.id, name="hand-made", subdomain="hand-made", runtime="python")
micro.sealed_data_key = sealing.seal(key.text.encode(), micro_id=micro.id)
micro.deployment = Deployment.objects.create(micro=micro, number=1, runtime="python", state="done")
code = hosts.the_places().code(micro.deployment.id)
code.mkdir(parents=True)
(code / "main.py").write_text({!r})
for path in (code.parent.parent, code.parent, code):
    path.chmod(0o755)
micro.save()
hosts.the_host().changed(micro.id)
print(micro.id)
"""
LOG = """
import django
django.setup()
from storage.micro_logs import logs
print(*[row.text for row in logs.list_lines(micro_id={!r})], sep="\\n")
"""


def places_of(server: Server) -> Places:
    kept = state.load(server.data)
    assert kept
    return places(kept.home(server.data))


def get(path: Path) -> str:
    """The body of an answer to a GET."""
    connection = http.client.HTTPConnection("micro", timeout=MOMENT_SECONDS)
    connection.sock = connect(path, seconds=MOMENT_SECONDS)
    try:
        connection.request("GET", "/hello")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@pytest.mark.slow
def test_a_micro_has_its_collections_data_and_dies_with_serve(make_server: Callable[..., Server]) -> None:
    server = make_server(
        HOMEPORT_MICROS="true", HOMEPORT_TLS_PORT="0", HOMEPORT_TRUSTED_PROXIES="127.0.0.1", HOMEPORT_WORKERS="1"
    ).start()
    server.wait_ready()
    eventually(places_of(server).control.exists)
    micro_id = server.run_code(MAKE.format(MAIN))
    own = places_of(server).socket(micro_id)
    eventually(own.exists)
    assert get(own) == "1"
    eventually(lambda: "asked for /hello" in server.run_code(LOG.format(micro_id)))

    # The supervisor is started again, and with it what is asked for.
    kill(child_of_serve(server, "storage.micros"))
    eventually(lambda: _answers(own))

    _check_that_no_header_tells_who_asks(server)

    assert server.process
    below = psutil.Process(server.process.pid).children(recursive=True)
    assert any("start.py" in " ".join(process.cmdline()) for process in below)
    kill(server.process)
    micros = [process for process in below if _is_of_micros(process)]
    eventually(lambda: not any(map(is_alive, micros)))
    server.start().wait_ready()
    eventually(lambda: _answers(own))
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(timeout=MOMENT_SECONDS)
    server.process = None
    assert not own.exists()


def _check_that_no_header_tells_who_asks(server: Server) -> None:
    """Wrong keys are counted for each address: whoever could choose theirs would never be stopped."""
    api = places_of(server).api
    asked = [
        Asked(server.data, api, "/v1/somebody/base/items/a", f"X-Forwarded-For: 1.2.3.{number}", key="wrong").status
        for number in range(limits.WRONG_KEYS_PER_MINUTE + 1)
    ]
    assert (asked[0], asked[-1]) == (401, 429)


def _answers(path: Path) -> bool:
    try:
        return get(path) == "1"
    except (OSError, http.client.HTTPException):
        return False


def _is_of_micros(process: psutil.Process) -> bool:
    try:
        words = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return any(name in words for name in ("storage.micros", "bwrap", "start.py"))
