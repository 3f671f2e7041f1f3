"""The queue of background jobs, where a worker may be killed at any moment."""

import time
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker
from procrastinate.tasks import Task

from storage import jobs
from tests.serving import Server
from tests.waiting import eventually


def ours() -> "list[Task[..., Any, Any]]":
    return [task for task in app.tasks.values() if task.func.__module__ == jobs.__name__]


def test_no_job_of_a_killed_worker_holds_up_later_ones() -> None:
    """The queue keeps a job's `lock` for as long as the job stands as running, and a killed worker leaves it so."""
    assert {task.name for task in ours()} >= {"sweep_expired_items", "sweep_files", "tidy_copies"}
    assert [task.name for task in ours() if task.lock is not None] == []


class Left(NamedTuple):
    """The ids of a job and of its worker."""

    job: int
    worker: int


def leave_behind(task_name: str, *, heartbeat_seconds: int) -> Left:
    """A job as a worker that was killed leaves it, or one that lives, by its last sign of life.

    In one transaction: the server's own worker looks for such every minute.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s)) RETURNING id",
            [heartbeat_seconds],
        )
        (worker_id,) = cursor.fetchone()
        cursor.execute(
            """
            INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args, status, worker_id)
            VALUES ('default', %s, %s, jsonb_build_object('timestamp', 1), 'doing', %s) RETURNING id
            """,
            [task_name, task_name, worker_id],
        )
        (job_id,) = cursor.fetchone()
    return Left(job_id, worker_id)


def is_doing(job_id: int) -> bool:
    return ProcrastinateJob.objects.filter(id=job_id, status="doing").exists()


@pytest.mark.usefixtures("database")
def test_jobs_of_a_killed_worker_begin_again_and_those_of_a_living_one_go_on() -> None:
    killed = leave_behind("tidy_copies", heartbeat_seconds=600).job
    living = leave_behind("tidy_copies", heartbeat_seconds=0).job
    try:
        jobs.start(jobs.take_up_abandoned_jobs)
        eventually(lambda: not ProcrastinateJob.objects.filter(id=killed).exists(), what="it was not done again")
        assert is_doing(living)
    finally:
        ProcrastinateJob.objects.filter(id=living).update(status="failed")


@pytest.mark.usefixtures("database")
def test_workers_of_nodes_that_are_gone_are_forgotten_once_their_jobs_are_taken_up() -> None:
    """Their own worker would have done it at its next start, and there is none."""
    gone, gone_worker = leave_behind("tidy_copies", heartbeat_seconds=7_200)
    jobs.start(jobs.take_up_abandoned_jobs)
    eventually(lambda: not ProcrastinateWorker.objects.filter(id=gone_worker).exists(), what="it is still listed")
    eventually(lambda: not ProcrastinateJob.objects.filter(id=gone).exists(), what="it was not done again")
    assert ProcrastinateWorker.objects.exists()


@pytest.mark.usefixtures("database")
def test_a_job_of_a_killed_worker_makes_way_for_one_that_waits() -> None:
    killed = leave_behind("forget_receipts", heartbeat_seconds=600).job
    jobs.forget_receipts.configure(schedule_in={"hours": 1}).defer(timestamp=int(time.time()))
    try:
        jobs.start(jobs.take_up_abandoned_jobs)
        eventually(lambda: not ProcrastinateJob.objects.filter(id=killed).exists(), what="it still stands as running")
        assert ProcrastinateJob.objects.filter(task_name="forget_receipts", status="todo").count() == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'forget_receipts' AND status = 'todo'")


def test_commands_load_no_jobs_and_workers_all(server: Server) -> None:
    """What jobs need takes longer to load than all else that a command needs."""
    loaded = server.run_code(
        "import sys, django; django.setup(); from procrastinate.contrib.django import app;"
        "print('storage.jobs' in sys.modules); app.perform_import_paths(); print(*app.tasks)"
    )
    before, *known = loaded.split()
    assert before == "False"
    assert set(known) >= {task.name for task in ours()}
