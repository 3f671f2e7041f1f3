"""kill -9 of each part of a running server, by the hand of a test."""

import signal

import psutil

from tests.processes import living_children
from tests.serving import Server, child_of_serve, kill
from tests.waiting import eventually


def kill_a_web_worker(server: Server) -> None:
    kill(living_children(child_of_serve(server, "console.listener"))[0])


def kill_postgres(server: Server) -> None:
    kill(child_of_serve(server, "postgres"))


def kill_a_postgres_backend(server: Server) -> None:
    """One that serves somebody, as if it had crashed: PostgreSQL then ends all others and recovers."""
    postgres = child_of_serve(server, "postgres")

    def find() -> psutil.Process | None:
        return next(iter(living_children(postgres, " homeport [local] ")), None)

    found = eventually(find, what="no backend that serves somebody")
    assert found
    kill(found)


def kill_seaweedfs(server: Server) -> None:
    kill(child_of_serve(server, "weed"))


def kill_serve_and_start_it_again(server: Server) -> None:
    assert server.process
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.start()
