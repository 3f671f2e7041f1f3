"""Clients write and read while something is killed: what they were told is stored is there, and all goes on in seconds."""

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.ledger import Ledger
from tests.serving import Server, child_of_serve, kill

BACK_SECONDS = 5.0


def kill_a_web_worker(server: Server) -> None:
    port = server.url.rsplit(":", 1)[1]
    kill(child_of_serve(server, f"--port {port}").children()[0])


def kill_postgres(server: Server) -> None:
    kill(child_of_serve(server, "postgres"))


def kill_seaweedfs(server: Server) -> None:
    kill(child_of_serve(server, "weed"))


def kill_serve_and_start_it_again(server: Server) -> None:
    assert server.process
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.start()


FAULTS = [kill_a_web_worker, kill_postgres, kill_seaweedfs, kill_serve_and_start_it_again]


@pytest.mark.parametrize("break_something", FAULTS)
@pytest.mark.parametrize("times", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_nothing_acknowledged_is_lost(own_server: Any, break_something: Callable[[Server], None], times: int) -> None:
    with Ledger(own_server) as ledger:
        for _ in range(times):
            time.sleep(0.5)
            break_something(own_server)
            # Twice the promise: machines that run tests do other things too, and what dies again and again pauses longer.
            for kind in ledger.services:
                assert ledger.seconds_until_written(kind) < 2 * BACK_SECONDS
        time.sleep(2.0)
    assert all(len(began) > 20 for began in ledger.acknowledged.values())
    ledger.check()
