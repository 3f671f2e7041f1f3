"""kill -9, one process after the other: the service is back soon, by itself, and keeps what it acknowledged."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from django.db import connection

from storage.embedded import leftovers, postgres, state
from tests.processes import lives, living_children
from tests.serving import Server, kill
from tests.waiting import PROMISED_SECONDS, eventually, seconds_until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def faulty(server: Server) -> Iterator[Server]:
    """The run's own server; after each fault it must be as good as before for the next one."""
    yield server
    assert server.is_ready()
    # This process's own led to a PostgreSQL that is no more.
    connection.close()


def home_of(server: Server) -> tuple[state.LocalState, Path]:
    kept = state.load(server.data)
    assert kept
    return kept, kept.home(server.data)


def answers(server: Server) -> bool:
    """The database itself, and everything through the web server."""
    kept, _ = home_of(server)
    return postgres.find_fault(postgres.connection_parameters(kept.postgres)) is None and server.is_ready()


def supervisors(server: Server, word: str) -> list[psutil.Process]:
    """The children of serve itself whose command line holds the word."""
    return server.children(word, at_any_depth=False)


def test_a_killed_web_worker_is_back(faulty: Server) -> None:
    (main,) = supervisors(faulty, "console.listener")
    before = living_children(main)
    kill(before[0])
    assert seconds_until(lambda: len(before) == len(living_children(main))) < PROMISED_SECONDS
    assert seconds_until(lambda: answers(faulty)) < PROMISED_SECONDS


@pytest.mark.parametrize("word", ["postgres", "weed", "console.listener", "procrastinate"])
def test_a_killed_child_is_started_again(faulty: Server, word: str) -> None:
    victim = supervisors(faulty, word)[0]
    kill(victim)
    assert (
        seconds_until(lambda: bool(supervisors(faulty, word)) and victim not in supervisors(faulty, word))
        < PROMISED_SECONDS
    )
    time.sleep(0.6)  # `/readyz` may repeat an answer for half a second.
    assert seconds_until(lambda: answers(faulty)) < PROMISED_SECONDS


def test_a_killed_postgres_leaves_no_session_and_loses_no_commit(faulty: Server) -> None:
    kept, home = home_of(faulty)
    parameters = postgres.connection_parameters(kept.postgres)
    with psycopg.connect(**parameters, autocommit=True) as connection:
        connection.execute("CREATE TABLE ledger (n integer PRIMARY KEY)")
        for number in range(500):
            connection.execute("INSERT INTO ledger VALUES (%s)", (number,))
        before = leftovers.postgres_processes(postgres.folder(home))
        kill(supervisors(faulty, "postgres")[0])
    assert seconds_until(lambda: answers(faulty)) < PROMISED_SECONDS
    assert not {process.pid for process in before} & {
        p.pid for p in leftovers.postgres_processes(postgres.folder(home))
    }
    with psycopg.connect(**parameters, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM ledger").fetchone() == (500,)
        connection.execute("DROP TABLE ledger")


def test_a_killed_serve_is_followed_by_one_that_clears_its_children(hardy_server: Server) -> None:
    assert hardy_server.process
    family = psutil.Process(hardy_server.process.pid).children(recursive=True)
    hardy_server.process.send_signal(signal.SIGKILL)
    hardy_server.process.wait()
    hardy_server.start()
    eventually(lambda: not any(lives(process) for process in family))
    hardy_server.wait_ready()


def test_a_stale_pid_file_that_names_a_living_process_does_not_keep_postgres_down(hardy_server: Server) -> None:
    assert hardy_server.process
    _, home = home_of(hardy_server)
    hardy_server.process.send_signal(signal.SIGKILL)
    hardy_server.process.wait()
    leftovers.end_postgres(leftovers.postgres_processes(postgres.folder(home)))
    # Postgres believes a pid that lives; this one is the test's own.
    (postgres.folder(home) / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.folder(home)}\n")
    hardy_server.start()
    hardy_server.wait_ready()
