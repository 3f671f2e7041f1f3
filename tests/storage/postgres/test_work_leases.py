"""Kinds of work that one process does at a time: taken, renewed, lost, and taken over from one that is gone."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from django.db import connection, transaction

from storage.errors import EngineUnreachable
from storage.models import WorkLease
from storage.postgres import work_leases
from storage.postgres.backend import base
from storage.postgres.connections import Pool
from storage.postgres.database import run
from storage.postgres.held_work import Held, LeaseLost
from storage.postgres.locks import only_worker
from storage.postgres.statements import NoRow, Statement
from storage.postgres.work_leases import LEASE_SECONDS, leased
from tests.serving import ROOT
from tests.waiting import MOMENT_SECONDS, eventually, seconds_until

pytestmark = pytest.mark.usefixtures("database")

ASK: Statement[NoRow] = Statement("SELECT 1", [], NoRow)


@pytest.fixture
def work() -> Iterator[str]:
    name = f"tried {uuid4()}"
    yield name
    WorkLease.objects.filter(work__startswith=name).delete()


def is_free(work: str) -> bool:
    with leased(work) as is_ours:
        return is_ours


def elsewhere(ask: Callable[[], bool]) -> bool:
    """The answer in a thread of its own, which holds nothing."""
    answers: list[bool] = []
    asking = threading.Thread(target=lambda: answers.append(ask()))
    asking.start()
    asking.join(MOMENT_SECONDS)
    return answers[0]


@contextmanager
def held(work: str) -> Iterator[Held]:
    with leased(work) as is_ours:
        assert is_ours
        (lease,) = (each for each in work_leases._held.values() if each.holder == holder_of(work))
        yield lease


def holder_of(work: str) -> object:
    return WorkLease.objects.values_list("holder", flat=True).get(work=work)


def test_work_is_had_by_one_at_a_time_and_free_when_it_ends_or_fails(work: str) -> None:
    with held(work):
        assert not elsewhere(lambda: is_free(work))
        assert elsewhere(lambda: is_free(f"{work} other"))
    assert is_free(work)
    with pytest.raises(ZeroDivisionError), leased(work):
        _ = 1 / 0
    assert is_free(work)


def test_who_has_the_work_has_it_within_as_well_and_keeps_it(work: str) -> None:
    with held(work):
        assert is_free(work)
        assert not elsewhere(lambda: is_free(work))


def test_a_lease_is_not_part_of_the_transaction_around_it(work: str) -> None:
    with transaction.atomic(), held(work):
        assert not elsewhere(lambda: is_free(work))


def test_a_lease_that_another_has_by_now_ends_the_work_at_its_next_statement(work: str) -> None:
    with held(work) as lease:
        run(ASK)
        WorkLease.objects.filter(work=work).update(holder=uuid4())
        work_leases.renew_held()
        for ask in (lambda: run(ASK), lambda: WorkLease.objects.filter(work=work).update(holder=lease.holder)):
            with pytest.raises(LeaseLost):
                ask()
        assert not elsewhere(lambda: is_free(work))


def test_what_was_written_before_the_loss_and_not_committed_is_taken_back(work: str) -> None:
    with held(work) as lease:

        def write() -> None:
            with transaction.atomic():
                WorkLease.objects.create(work=f"{work} written", holder=uuid4(), ends_at="2000-01-01T00:00Z")
                lease.good_until = 0.0

        with pytest.raises(EngineUnreachable):
            write()
        connection.close()
    assert not WorkLease.objects.filter(work=f"{work} written").exists()
    run(ASK)


def test_a_lease_is_renewed_while_its_work_goes_on(work: str) -> None:
    with held(work) as lease:
        (before,) = WorkLease.objects.filter(work=work).values_list("ends_at", flat=True)
        until = lease.good_until
        work_leases.renew_held()
        assert lease.good_until > until
        assert WorkLease.objects.get(work=work).ends_at > before


def test_work_needs_no_connection_of_the_pool_beside_its_own(work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With HOMEPORT_CONNECTIONS=1, and while all of them are busy with long statements."""
    connection.close()
    monkeypatch.setattr(base, "pool", one := Pool(1))
    with only_worker(work) as is_ours:  # type: ignore[arg-type]
        assert is_ours
        work_leases.renew_held()
        assert WorkLease.objects.filter(work=work).exists()
    assert one.load()[0] == 0


def test_a_session_that_the_server_has_ended_meanwhile_is_opened_anew(work: str) -> None:
    with held(work):
        pass
    own = work_leases._connection._connection
    assert own is not None
    run(Statement("SELECT pg_terminate_backend($1::int, 5000)", [own.info.backend_pid], NoRow))
    assert is_free(work)


_HOLDER = """
import sys, time
import django
django.setup()
from uuid import uuid4
from storage.models import WorkLease
from storage.postgres.held_work import LeaseLost
from storage.postgres.work_leases import leased
with leased(sys.argv[1]) as is_ours:
    assert is_ours
    print("held", flush=True)
    for line in sys.stdin:
        try:
            WorkLease.objects.create(work=sys.argv[1] + " written", holder=uuid4(), ends_at="2000-01-01T00:00Z")
        except LeaseLost:
            print("lost", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_work_of_a_process_that_is_gone_is_taken_over_in_about_ten_seconds(work: str, number: signal.Signals) -> None:
    command = [sys.executable, "-c", _HOLDER, work]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdin
            assert holder.stdout
            assert holder.stdout.readline() == "held\n"
            ends_at = WorkLease.objects.get(work=work).ends_at
            eventually(lambda: WorkLease.objects.get(work=work).ends_at > ends_at, what="it was not renewed")
            assert not is_free(work)
            holder.send_signal(number)
            with leased(work) as is_ours:
                assert not is_ours
            assert seconds_until(lambda: is_free(work)) < LEASE_SECONDS * 4
            if number == signal.SIGSTOP:
                with held(work):
                    holder.send_signal(signal.SIGCONT)
                    holder.stdin.write("\n")
                    holder.stdin.flush()
                    assert holder.stdout.readline() == "lost\n"
                    assert not WorkLease.objects.filter(work=f"{work} written").exists()
        finally:
            holder.kill()
