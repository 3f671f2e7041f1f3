"""Clients write and read while something is killed: what they were told is stored is there, and all goes on."""

import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psutil
import pytest

from tests.kills import (
    kill_a_postgres_backend,
    kill_a_web_worker,
    kill_postgres,
    kill_seaweedfs,
    kill_serve_and_start_it_again,
)
from tests.ledger import Ledger
from tests.processes import lives
from tests.rounds import ROUNDS
from tests.serving import Server
from tests.waiting import PROMISED_SECONDS, eventually

# Promised are 15, here with what a busy machine needs.
DRAINED_SECONDS = 60.0


def has_more(ledger: Ledger, enough: dict[str, int]) -> bool:
    return all(len(ledger.acknowledged[kind]) > number for kind, number in enough.items())


FAULTS = [kill_a_web_worker, kill_postgres, kill_a_postgres_backend, kill_seaweedfs, kill_serve_and_start_it_again]


@pytest.mark.slow
def test_nothing_acknowledged_is_lost(hardy_server: Any) -> None:
    """While all of it is killed at once; in the long run each part by itself, again and again."""
    break_again_and_again(hardy_server, [kill_serve_and_start_it_again])


@pytest.mark.slow
@pytest.mark.parametrize("break_something", FAULTS)
def test_nothing_acknowledged_is_lost_however_often(
    hardy_server: Any, break_something: Callable[[Server], None]
) -> None:
    break_again_and_again(hardy_server, [break_something] * ROUNDS)


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


@pytest.mark.slow
def test_a_stop_under_load_lets_requests_end_and_leaves_nothing_running(hardy_server: Any) -> None:
    family = psutil.Process(hardy_server.process.pid).children(recursive=True)
    with Ledger(hardy_server) as ledger:
        hardy_server.process.send_signal(signal.SIGTERM)
        assert hardy_server.process.wait(timeout=DRAINED_SECONDS) == 0
        assert [process for process in family if lives(process)] == []
        hardy_server.start()
        hardy_server.wait_ready()
        for kind in ledger.services:
            ledger.seconds_until_written(kind)
    ledger.check()
