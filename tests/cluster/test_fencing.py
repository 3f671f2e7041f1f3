"""A leader that was frozen while another took over: what it is told to write afterwards is never acknowledged and then lost."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import psycopg
import pytest

from deploy.cluster.one_machine import Cluster, Machine, signal_all
from tests.cluster.front import Front, wait_for_leader, wait_whole
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.alone]
WRITING_SECONDS = 10.0


def connect(cluster: Cluster, machine: Machine, port: int) -> "psycopg.Connection[tuple[int]]":
    """Straight to a machine's PostgreSQL (5432), or to the leader's by its HAProxy (5433)."""
    return psycopg.connect(
        host=machine.address,
        port=port,
        user="homeport",
        password=cluster.settings.homeport_password,
        dbname="homeport",
        autocommit=True,
        connect_timeout=3,
        options="-c statement_timeout=0",
    )


class DirectWriter(threading.Thread):
    """Writes straight to one machine, again and again, until it is told to end; `done` are what was acknowledged."""

    def __init__(self, cluster: Cluster, machine: Machine) -> None:
        super().__init__(daemon=True)
        self._cluster, self._machine = cluster, machine
        self._number = 0
        self.done: list[int] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.is_set():
            with suppress(psycopg.Error), connect(self._cluster, self._machine, 5432) as connection:
                while not self.is_over.is_set():
                    self._number += 1
                    connection.execute("INSERT INTO told_directly VALUES (%s)", [self._number])
                    self.done.append(self._number)
            time.sleep(0.05)


@contextmanager
def frozen(found: list[psutil.Process]) -> Iterator[None]:
    """Stop these processes for as long as it lasts; nobody notices from outside but that they say nothing."""
    signal_all(found, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(found, signal.SIGCONT)


def processes(machine: Machine, *pieces: str) -> list[psutil.Process]:
    """Of these pieces, with all that they started."""
    found = []
    for piece in pieces:
        running = machine.children[piece].process
        assert running
        found += [psutil.Process(running.pid), *psutil.Process(running.pid).children(recursive=True)]
    return found


@pytest.fixture
def table(cluster: Cluster, front: Front) -> Iterator[None]:
    wait_whole(cluster)
    with connect(cluster, front.entry, 5433) as connection:
        connection.execute("CREATE TABLE told_directly (number int)")
    yield
    wait_whole(cluster)
    with connect(cluster, front.entry, 5433) as connection:
        connection.execute("DROP TABLE told_directly")


def numbers(cluster: Cluster, machine: Machine, port: int) -> set[int]:
    with connect(cluster, machine, port) as connection:
        return {number for (number,) in connection.execute("SELECT number FROM told_directly").fetchall()}


def new_leader_takes(cluster: Cluster, front: Front, number: int) -> bool:
    """HAProxy leads to it once it is promoted, a moment after Patroni has named it."""
    with suppress(psycopg.Error), connect(cluster, front.entry, 5433) as connection:
        connection.execute("INSERT INTO told_directly VALUES (%s)", [number])
        return True
    return False


@pytest.mark.parametrize("is_whole_machine", [True, False], ids=["whole machine", "patroni alone"])
@pytest.mark.usefixtures("table")
def test_a_leader_that_was_frozen_acknowledges_nothing_that_is_lost(
    cluster: Cluster, front: Front, is_whole_machine: bool
) -> None:
    """With Patroni alone frozen its PostgreSQL goes on as a leader that nobody stops: no standby confirms what it is told."""
    old = cluster.leader()
    assert old
    writer = DirectWriter(cluster, old)
    writer.start()
    eventually(lambda: len(writer.done) > 5)
    pieces = (
        processes(old, "patroni", "etcd") + old.postgres_processes() if is_whole_machine else processes(old, "patroni")
    )
    with frozen(pieces):
        wait_for_leader(cluster, lambda machine: machine is not old)
        if not is_whole_machine:
            # What the old leader took up to the change is there as well; from now on it waits in vain.
            told = len(writer.done)
            time.sleep(WRITING_SECONDS)
            assert len(writer.done) <= told + 1
        eventually(lambda: new_leader_takes(cluster, front, -1), what="nothing was written")
    time.sleep(WRITING_SECONDS)
    writer.is_over.set()
    wait_whole(cluster)  # the old one has joined, so what it alone had is gone

    new = cluster.leader()
    assert new is not old
    kept = numbers(cluster, front.entry, 5433)
    assert set(writer.done) | {-1} <= kept
    eventually(lambda: numbers(cluster, old, 5432) == kept)
    with connect(cluster, old, 5432) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("INSERT INTO told_directly VALUES (-2)")


@pytest.mark.usefixtures("table")
def test_without_a_standby_nothing_is_acknowledged(cluster: Cluster, front: Front) -> None:
    """Homeport gives the wait up, and says so."""
    leader = cluster.leader()
    assert leader
    others = [machine for machine in cluster.machines.values() if machine is not leader]
    standbys = [each for machine in others for each in machine.postgres_processes()]
    code = """
from django.db import connection, transaction
from storage.errors import EngineUnreachable
try:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO told_directly VALUES (7)")
    print("acknowledged")
except EngineUnreachable:
    print("refused")
"""
    assert front.run_code(code) == "acknowledged"
    with frozen(standbys):
        assert front.run_code(code) == "refused"
    wait_whole(cluster)
    assert front.run_code(code) == "acknowledged"
