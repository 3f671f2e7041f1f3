"""Web workers: each has its processors, and kill -9 of them under mixed load loses nothing (promises: P1 to P4)."""

import random
import sys
import time
from typing import Any

import psutil
import pytest

from console.cpu_affinity import find_processors, share_of
from tests.ledger import Ledger
from tests.processes import living_children
from tests.rounds import ROUNDS
from tests.serving import Server, child_of_serve, kill
from tests.waiting import PROMISED_SECONDS, seconds_until

WORKERS = 2


def listener(server: Server) -> psutil.Process:
    """The main process of the web server."""
    return child_of_serve(server, "console.listener")


def wait_for_workers(main: psutil.Process) -> None:
    is_back = seconds_until(lambda: len(living_children(main)) >= WORKERS)
    assert is_back < PROMISED_SECONDS, "the worker is not back"


@pytest.mark.parametrize("rounds", [2, pytest.param(ROUNDS, marks=pytest.mark.slow)])
def test_killed_workers_lose_nothing_and_others_go_on(hardy_server: Any, rounds: int) -> None:
    """Whichever worker it hits, the same one several times in a row among them."""
    main = listener(hardy_server)
    chosen = random.Random(rounds)
    with Ledger(hardy_server) as ledger:
        for _ in range(rounds):
            time.sleep(chosen.random() / 2)
            kill(chosen.choice(living_children(main)))
            for kind in ledger.services:
                assert ledger.seconds_until_written(kind) < PROMISED_SECONDS
            wait_for_workers(main)
    assert main == listener(hardy_server), "the listener was started again"
    # A kill breaks what that worker was at, and nothing else: no client is refused.
    assert ledger.broken <= rounds * ledger.clients
    ledger.check()


@pytest.mark.parametrize(
    "workers, processors, shares",
    [
        (1, [0, 1], [[0, 1]]),
        (2, [0, 1], [[0], [1]]),
        (2, [3], [[3], [3]]),
        (3, [0, 1], [[0], [1], [0]]),
        (2, [0, 2, 4, 5, 7], [[0, 4, 7], [2, 5]]),
        (3, [0, 1, 2, 3], [[0, 3], [1], [2]]),
    ],
)
def test_workers_share_the_processors(workers: int, processors: list[int], shares: list[list[int]]) -> None:
    assert [share_of(each, workers=workers, processors=processors) for each in range(workers)] == shares


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere processes cannot be kept to a processor")
def test_each_worker_keeps_to_its_processors_also_a_new_one(hardy_server: Any) -> None:
    main = listener(hardy_server)
    shares = sorted(share_of(each, workers=WORKERS, processors=find_processors()) for each in range(WORKERS))

    assert sorted(worker.cpu_affinity() for worker in living_children(main)) == shares
    kill(living_children(main)[0])
    wait_for_workers(main)
    assert sorted(worker.cpu_affinity() for worker in living_children(main)) == shares


@pytest.mark.slow
@pytest.mark.parametrize("rounds", [2, 6])
def test_workers_killed_at_once_are_all_replaced(hardy_server: Any, rounds: int) -> None:
    """Twenty deaths within three seconds, ten rounds, mean that no worker can start: then the main process gives up."""
    main = listener(hardy_server)
    for _ in range(rounds):
        victims = living_children(main)
        for worker in victims:
            worker.suspend()  # so that neither is gone before the other is hit
        for worker in victims:
            worker.kill()
        wait_for_workers(main)
        hardy_server.wait_ready()
