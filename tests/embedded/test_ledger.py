"""Clients write and read while something is killed: what they were told is stored is there, and all goes on."""

import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest

from tests.ledger import Ledger
from tests.processes import living_children
from tests.serving import Server, child_of_serve, kill
from tests.waiting import PROMISED_SECONDS, eventually


def kill_a_web_worker(server: Server) -> None:
    kill(living_children(child_of_serve(server, "console.listener"))[0])


def kill_postgres(server: Server) -> None:
    kill(child_of_serve(server, "postgres"))


def kill_seaweedfs(server: Server) -> None:
    kill(child_of_serve(server, "weed"))


def kill_serve_and_start_it_again(server: Server) -> None:
    assert server.process
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    server.start()


def has_more(ledger: Ledger, enough: dict[str, int]) -> bool:
    return all(len(ledger.acknowledged[kind]) > number for kind, number in enough.items())


FAULTS = [kill_a_web_worker, kill_postgres, kill_seaweedfs, kill_serve_and_start_it_again]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(hardy_server: Any) -> None:
    """While all of it is killed at once; in the long run each part by itself, again and again."""
    break_again_and_again(hardy_server, [kill_serve_and_start_it_again])


@pytest.mark.slow
@pytest.mark.parametrize("break_something", FAULTS)
def test_nothing_acknowledged_is_lost_however_often(
    hardy_server: Any, break_something: Callable[[Server], None]
) -> None:
    break_again_and_again(hardy_server, [break_something] * 4)


def break_again_and_again(server: Server, faults: Sequence[Callable[[Server], None]]) -> None:
    with Ledger(server) as ledger:
        for break_something in faults:
            enough = {kind: len(began) + 5 for kind, began in ledger.acknowledged.items()}
            eventually(partial(has_more, ledger, enough))
            break_something(server)
            # Twice what is promised: what dies again and again pauses longer.
            for kind in ledger.services:
                assert ledger.seconds_until_written(kind) < 2 * PROMISED_SECONDS
        eventually(lambda: all(len(began) > 20 for began in ledger.acknowledged.values()))
    ledger.check()
