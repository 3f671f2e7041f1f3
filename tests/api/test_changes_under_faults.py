"""Two who follow a Base, in pages and as a stream, while eight write to few keys and processes are killed: both are told all of
it.
"""

import time

import pytest

from tests.embedded.servers import making_servers
from tests.following import Following
from tests.processes import living_children
from tests.server.slow import make_app
from tests.serving import Server, child_of_serve, kill

WRITERS = 8
WRITING_SECONDS = 12


def kill_processes(server: Server) -> None:
    """A web worker, Postgres, and a worker again, while all write."""
    for word in ("worker", "postgres", "worker"):
        time.sleep(WRITING_SECONDS / 4)
        if word == "worker":
            kill(living_children(child_of_serve(server, "console.listener"))[0])
        else:
            kill(child_of_serve(server, "postgres"))
            server.wait_ready()
    time.sleep(WRITING_SECONDS / 4)


@pytest.mark.slow
def test_nothing_is_missing_doubled_or_out_of_order(monkeypatch: pytest.MonkeyPatch) -> None:
    with making_servers() as make:
        server = make(HOMEPORT_WORKERS="2").start()
        server.wait_ready()
        app = make_app(server)
        monkeypatch.setenv("HOMEPORT_URL", server.url)
        with Following(app, writers=WRITERS):
            kill_processes(server)
