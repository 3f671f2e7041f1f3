"""The queue of background jobs, where a worker may be killed at any moment."""

from procrastinate.contrib.django import app

from storage import jobs


def test_no_job_of_a_killed_worker_holds_up_later_ones() -> None:
    """The queue keeps a job's `lock` for as long as the job stands as running, and a killed worker leaves it so for ever."""
    ours = [task for task in app.tasks.values() if task.func.__module__ == jobs.__name__]
    assert {task.name for task in ours} >= {"sweep_expired_items", "sweep_files", "tidy_copies"}
    assert [task.name for task in ours if task.lock is not None] == []
