"""kill -9 of an app, of what runs the apps, and of the server: the next request is answered, and nothing is left running."""

import contextlib
import http.client
import signal
import threading
import time
from collections.abc import Callable

import psutil
import pytest
import urllib3

from storage.micros.hosts import the_host
from tests.embedded.micros.stand import is_alive
from tests.micros_e2e.conftest import OBEDIENT
from tests.micros_e2e.neighbours import Neighbours, run_inside
from tests.people import Cast
from tests.running_micros import MicroClient, deploy_micro, told
from tests.serving import Server, child_of_serve, kill
from tests.waiting import MOMENT_SECONDS, PROMISED_SECONDS, eventually, seconds_until

# It has a child that would outlive it.
WITH_CHILD = OBEDIENT + "\nimport subprocess\nsubprocess.Popen(['/bin/sleep', '3599'], start_new_session=True)\n"


@pytest.fixture(scope="session")
def app(server: Server, guides: Cast) -> MicroClient:
    return deploy_micro(server.url, guides.collection.id, {"main.py": WITH_CHILD}, name="killed")


def _apps(server: Server) -> list[psutil.Process]:
    """All processes inside of sandboxes, with those around them."""
    return [*server.children("start.py"), *server.children("bwrap"), *server.children("sleep 3599")]


def test_a_killed_app_answers_the_next_request(server: Server, app: MicroClient, neighbours: Neighbours) -> None:
    pid_inside = run_inside(app, "import os; found = os.getpid()")
    asked = threading.Thread(target=lambda: lost.append(app.ask("/", "POST", body="import time; time.sleep(600)")))
    lost: list[urllib3.BaseHTTPResponse] = []
    children = server.children("sleep 3599")
    assert children
    with neighbours.served_meanwhile():
        asked.start()
        time.sleep(0.5)
        # From inside, as whatever kills it does: it is the same to who looks after it.
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            app.ask("/", "POST", body=f"import os; os.kill({pid_inside}, 9)")
        assert seconds_until(lambda: app.ask().status == 200) < PROMISED_SECONDS
        asked.join(MOMENT_SECONDS)
    assert [answer.status for answer in lost] == [502]
    assert told(lost[0])["errors"][0] == "The app did not answer"
    assert "SIGKILL" in told(lost[0])["errors"][1]
    eventually(lambda: not any(map(is_alive, children)))


@pytest.mark.slow
def test_a_killed_supervisor_comes_again_and_takes_all_apps_along(server: Server, app: MicroClient) -> None:
    """Meanwhile every answer is a good one or says in words that it is none, and the console is served."""
    assert app.ask().status == 200
    below = _apps(server)
    kill(child_of_serve(server, "storage.micros"))
    began = time.monotonic()
    statuses = [0]
    while statuses[-1] != 200:
        answer = app.ask()
        statuses.append(answer.status)
        assert answer.status == 200 or told(answer)["errors"]
        assert urllib3.request("GET", f"{server.url}/sign-in/", retries=False, timeout=MOMENT_SECONDS).status == 200
        assert time.monotonic() - began < PROMISED_SECONDS
    assert set(statuses[1:]) <= {200, 502, 503}
    eventually(lambda: not any(map(is_alive, below)))
    assert the_host().why_off() == ""


@pytest.mark.slow
def test_a_killed_server_leaves_nothing_running_and_serves_again(make_server: Callable[..., Server]) -> None:
    server = make_server(HOMEPORT_MICROS="true", HOMEPORT_TLS_PORT="0").start()
    server.wait_ready()
    host = server.run_code(_DEPLOY.format(server.url, WITH_CHILD))
    assert _ask(server, host) == 200
    below = _apps(server)
    assert len(below) >= 3
    assert server.process
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    eventually(lambda: not any(map(is_alive, below)))
    server.start().wait_ready()
    eventually(lambda: _ask(server, host) == 200)
    below = _apps(server)
    server.stop()
    assert not any(map(is_alive, below))


_DEPLOY = """
import django
django.setup()
from storage.collections import collections
from tests.running_micros import deploy_micro
print(deploy_micro({!r}, collections.create_collection("Killed").id, {{"main.py": {!r}}}).host)
"""


def _ask(server: Server, host: str) -> int:
    with contextlib.suppress(urllib3.exceptions.HTTPError, http.client.HTTPException):
        return urllib3.request("GET", server.url, headers={"Host": host}, retries=False, timeout=MOMENT_SECONDS).status
    return 0
