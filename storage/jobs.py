"""Background work, run by the job queue in Postgres (`manage.py procrastinate worker`, which `serve` starts).

A job is a thin shell around a storage function. One that must run alone takes an advisory lock of Postgres in there, which
goes with a worker that is killed; the queue's own `lock` would stay with its job, and hold up every later one of its kind.
"""

import time
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.tasks import Task

from storage import disk_space, room, sweeper
from storage.archive import worker
from storage.base import edits
from storage.collections import deletion, people, usage
from storage.drive import deletion as file_deletion
from storage.errors import StorageError
from storage.events import retention
from storage.postgres.database import engine_errors, one_connection
from storage.s3.cache import copies


@app.periodic(cron="* * * * *")
@app.task(name="sweep_expired_items", queueing_lock="sweep_expired_items")
def sweep_expired_items(timestamp: int) -> None:
    """Every minute; `timestamp` is the minute it was meant for."""
    sweeper.sweep_expired_items()


@app.periodic(cron="* * * * *")
@app.task(name="sweep_files", queueing_lock="sweep_files")
def sweep_files(timestamp: int) -> None:
    """Every minute; `timestamp` is the minute it was meant for."""
    sweeper.sweep_files()
    room.make_room()


@app.periodic(cron="* * * * *")
@app.task(name="count_everything", queueing_lock="count_everything")
def count_everything(timestamp: int) -> None:
    """Every minute, and when somebody looks at outdated counts."""
    usage.count_everything()


@app.periodic(cron="* * * * *")
@app.task(name="continue_deletions", queueing_lock="continue_deletions")
def continue_deletions(timestamp: int) -> None:
    """At once when a collection was deleted, and every minute, to continue after a crash."""
    deletion.continue_deletions()
    room.make_room()


@app.periodic(cron="* * * * *")
@app.task(name="continue_file_deletions", queueing_lock="continue_file_deletions")
def continue_file_deletions(timestamp: int) -> None:
    """At once when many files are deleted or restored, and every minute, to continue after a crash."""
    file_deletion.continue_deletions()
    room.make_room()


@app.task(name="make_room", queueing_lock="make_room")
def make_room(timestamp: int) -> None:
    """When something was deleted while the disk is too full; what sweeps and deletes does it as well."""
    room.make_room(wait_seconds=15)


@app.periodic(cron="* * * * *")
@app.task(name="tidy_events", queueing_lock="tidy_events")
def tidy_events(timestamp: int) -> None:
    """Every minute; nearly always there is nothing to do."""
    retention.tidy_events(timezone.now())


@app.periodic(cron="* * * * * */15")
@app.task(name="continue_archives", queueing_lock="continue_archives")
def continue_archives(timestamp: int) -> None:
    """At once when somebody asks for an export or import, and four times a minute, to continue those of killed workers."""
    worker.continue_archives()


@app.periodic(cron="17 4 * * *")
@app.task(name="remove_spent_sessions", queueing_lock="remove_spent_sessions")
def remove_spent_sessions(timestamp: int) -> None:
    """Once a night: delete expired sessions and invitations, and the rows of old deletions."""
    people.remove_spent()
    deletion.forget_old()
    file_deletion.forget_old()


@app.periodic(cron="23 * * * *")
@app.task(name="forget_receipts", queueing_lock="forget_receipts")
def forget_receipts(timestamp: int) -> None:
    """Every hour; a receipt is kept for a day."""
    edits.forget_receipts()


@app.periodic(cron="37 * * * *")
@app.task(name="tidy_copies", queueing_lock="tidy_copies")
def tidy_copies(timestamp: int) -> None:
    """Every hour; a copy is used for a day."""
    copies.tidy()


def make_room_if_short() -> None:
    """For whoever has just deleted something: its room is given back at once while the disk is too full.

    The deletion stands whatever becomes of this; within a minute the sweeper tries again.
    """
    if disk_space.is_short_for_files():
        with suppress(StorageError), one_connection():
            start(make_room)


def start(task: "Task[..., None, Any]") -> None:
    """Run a job now, in the background. It is part of the caller's transaction. A job that already waits is not queued again."""
    with (
        engine_errors(),
        suppress(AlreadyEnqueued),
        transaction.atomic(),
    ):  # the refusal must not end the caller's transaction
        task.defer(timestamp=int(time.time()))
