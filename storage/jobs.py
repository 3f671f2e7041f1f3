"""Background work, run by the job queue in Postgres (`manage.py procrastinate worker`, which `serve` starts).

A job is a thin shell around a storage function. One that must run alone takes a lease in there
(`storage/postgres/locks.py`), which ends soon after a worker that is killed; the queue's own `lock` would stay with its job, and
hold up every later one of its kind.
"""

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Status
from procrastinate.tasks import Task

from storage import disk_space, room, sweeper
from storage.archive import worker
from storage.attribute_indexes import tending
from storage.audit import log as audit
from storage.backups import runs as backup_runs
from storage.backups.taking import archiving
from storage.base import changes, edits
from storage.collections import deletion, people, usage
from storage.counting.counted import Counter, Latest
from storage.drive import deletion as file_deletion
from storage.drive import duplication
from storage.errors import StorageError
from storage.events import retention
from storage.git_sources import fetches
from storage.history import retention as history_retention
from storage.micro_logs import logs
from storage.micro_runs import calling, runs
from storage.micro_runs.runners import runners
from storage.micro_schedules import due
from storage.micros import deploying, figures, hosts
from storage.postgres import clock
from storage.postgres.database import one_connection
from storage.postgres.failures import name_failure
from storage.postgres.locks import only_worker
from storage.s3.cache import copies
from storage.scrubbing import scrubber
from storage.share_links import links
from storage.throttles import tries
from storage.thumbnails import making

# A worker that comes back after so long, as that of a suspended machine does, ends and is started again.
_FORGOTTEN_AFTER_SECONDS = 600.0
# When the periodic ones run, as cron expressions, which may have a sixth field for seconds.
TIMES: dict[str, str] = {}

_RUNS = Counter("homeport_job_runs")
_SECONDS = Counter("homeport_job_seconds")
_LAST_END = Latest("homeport_job_last_success_timestamp_seconds")


def _once(work: Callable[..., Any]) -> "Task[..., Any, Any]":
    """A job under its function's name, of which at most one waits."""
    name = work.__name__
    return app.task(name=name, queueing_lock=name)(_counted(work))


def _counted(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same work, of which is known how often it ended, how, when, and after what time."""

    @functools.wraps(work)
    def count(*args: Any, **kwargs: Any) -> Any:
        with _counting(work.__name__):
            return work(*args, **kwargs)

    @functools.wraps(work)
    async def count_later(*args: Any, **kwargs: Any) -> Any:
        with _counting(work.__name__):
            return await work(*args, **kwargs)

    return count_later if inspect.iscoroutinefunction(work) else count


@contextmanager
def _counting(name: str) -> Iterator[None]:
    began = time.monotonic()
    result = "failed"
    try:
        yield
        result = "done"
    finally:
        _RUNS.add(name, result)
        _SECONDS.add(name, by=time.monotonic() - began)
        if result == "done":
            _LAST_END.set(name, to=time.time())


def _every(cron: str) -> Callable[[Callable[..., Any]], "Task[..., Any, Any]"]:
    """The same, at these times as well."""

    def decorate(work: Callable[..., Any]) -> "Task[..., Any, Any]":
        TIMES[work.__name__] = cron
        return app.periodic(cron=cron)(_once(work))

    return decorate


@_every("* * * * *")
def sweep_expired_items(timestamp: int) -> None:
    """Every minute; `timestamp` is the minute it was meant for."""
    sweeper.sweep_expired_items()


@_every("* * * * *")
def sweep_tries(timestamp: int) -> None:
    """Every minute."""
    tries.sweep_tries()


@_every("* * * * *")
def sweep_files(timestamp: int) -> None:
    """Every minute; `timestamp` is the minute it was meant for."""
    sweeper.sweep_files()
    room.make_room()


@_every("* * * * *")
def scrub_blobs(timestamp: int) -> None:
    """Every minute; a turn takes most of it where there is much to read, and is of no harm when it is cut short."""
    scrubber.scrub()


@_every("* * * * *")
def count_everything(timestamp: int) -> None:
    """Every minute, and when somebody looks at outdated counts."""
    usage.count_everything()


@_every("* * * * *")
def continue_deletions(timestamp: int) -> None:
    """At once when a collection was deleted, and every minute, to continue after a crash."""
    deletion.continue_deletions()
    room.make_room()


@_every("* * * * *")
def continue_file_deletions(timestamp: int) -> None:
    """At once when many files are deleted or restored, and every minute, to continue after a crash."""
    file_deletion.continue_deletions()
    room.make_room()


@_every("* * * * *")
def make_thumbnails(timestamp: int) -> None:
    """At once when a page wants some, and every minute, to continue after a crash; in short turns, so that a worker can end."""
    if making.make_wanted():
        start(make_thumbnails)


@_every("* * * * * */15")
def tend_attribute_indexes(timestamp: int) -> None:
    """Four times a minute, and at once while one is being built or deleted; in short turns, so that a worker can end."""
    if tending.tend_indexes():
        start(tend_attribute_indexes)


@_once
def make_room(timestamp: int) -> None:
    """When something was deleted while the disk is too full; what sweeps and deletes does it as well."""
    room.make_room(wait_seconds=30)


@_every("* * * * *")
def tidy_events(timestamp: int) -> None:
    """Every minute; nearly always there is nothing to do."""
    retention.tidy_events(clock.now())


@_every("* * * * *")
def tidy_history(timestamp: int) -> None:
    """Every minute; nearly always there is little to do."""
    history_retention.tidy_history(clock.now())


@_every("* * * * * */15")
def keep_log(timestamp: int) -> None:
    """Four times a minute: the database's log and new files to the backups."""
    archiving.keep_log()


@_every("* * * * *")
def continue_backups(timestamp: int) -> None:
    """At once when somebody asks for a backup or a drill, and every minute, for those that are due."""
    backup_runs.continue_runs()


@_every("* * * * * */15")
def continue_archives(timestamp: int) -> None:
    """At once when somebody asks for an export or import, and four times a minute, to continue those of killed workers."""
    worker.continue_archives()


@_every("* * * * * */15")
def continue_deployments(timestamp: int) -> None:
    """At once when somebody deploys a Micro, and four times a minute, to continue what killed workers left."""
    deploying.continue_deployments()


@_every("* * * * * */15")
def continue_git_fetches(timestamp: int) -> None:
    """At once when somebody wants a repository, and four times a minute, to continue what killed workers left."""
    fetches.continue_fetches()


@_every("* * * * * */15")
def continue_changes(timestamp: int) -> None:
    """At once when somebody changes many items, and four times a minute, to continue what killed workers left."""
    changes.continue_changes()


@_every("* * * * * */15")
def continue_duplications(timestamp: int) -> None:
    """At once when somebody has a Drive copied, and four times a minute, to continue what killed workers left."""
    duplication.continue_duplications()


@_every("* * * * *")
def forget_changes(timestamp: int) -> None:
    """Every minute; nearly always there is nothing to do."""
    changes.forget_old()


@_every("* * * * * */15")
def start_due_runs(timestamp: int) -> None:
    """Four times a minute: what schedules bring, and what killed workers left. Runs are made in threads of their own."""
    if hosts.can_run():
        due.claim_due()
    calling.end_abandoned_runs()
    runners.wake()


@_once
def continue_runs(timestamp: int) -> None:
    """At once when somebody asks for a run of a Micro's functions."""
    runners.wake()


@_every("*/10 * * * *")
def sweep_runs(timestamp: int) -> None:
    """Every ten minutes: runs of Micros beyond what is kept."""
    runs.sweep_runs()


@_every("* * * * *")
def sweep_micros(timestamp: int) -> None:
    """Every minute: lines and figures of Micros beyond what is kept."""
    with only_worker("micros") as is_ours:
        if is_ours:
            logs.sweep_lines()
            figures.sweep_figures()


@_every("17 4 * * *")
def remove_spent_sessions(timestamp: int) -> None:
    """Once a night: delete expired sessions and invitations, share links, and the rows of old deletions and copies."""
    people.remove_spent()
    deletion.forget_old()
    file_deletion.forget_old()
    duplication.forget_old()
    links.forget_old()


@_every("23 * * * *")
def forget_receipts(timestamp: int) -> None:
    """Every hour; a receipt is kept for a day."""
    edits.forget_receipts()


@_every("41 * * * *")
def forget_audit(timestamp: int) -> None:
    """Every hour; entries are kept for `HOMEPORT_AUDIT_DAYS`."""
    audit.forget_old()


@_every("37 * * * *")
def tidy_copies(timestamp: int) -> None:
    """Every hour; a copy is used for a day."""
    copies.tidy()


@_every("* * * * *")
async def take_up_abandoned_jobs(timestamp: int) -> None:
    """Every minute: jobs whose worker has given no sign of life for half a minute begin again.

    Its own row goes when it has given none for long: no other may be started where it was. Should that worker still be at one,
    the job finds its lease taken, or does once more what changes nothing then.
    """
    manager = app.job_manager
    for job in await manager.get_stalled_jobs():
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # The next of its kind waits already.
            await manager.finish_job(job, status=Status.FAILED, delete_job=True)
    await manager.prune_stalled_workers(_FORGOTTEN_AFTER_SECONDS)


def make_room_if_short() -> None:
    """For whoever has just deleted something: its room is given back at once while the disk is too full.

    The deletion stands whatever becomes of this; within a minute the sweeper tries again.
    """
    if disk_space.is_short_for_files():
        with suppress(StorageError), one_connection():
            start(make_room)


def start(task: "Task[..., Any, Any]") -> None:
    """Run a job now, in the background. It is part of the caller's transaction. A job that already waits is not queued again.

    Raises EngineUnreachable and DiskFull.
    """
    try:
        with suppress(AlreadyEnqueued), transaction.atomic():  # the refusal must not end the caller's transaction
            task.defer(timestamp=int(time.time()))
    except ConnectorException as error:
        # The queue has an error of its own for all that the driver says, whose name by the ORM it takes off.
        named = name_failure(error.__cause__)
        if named is None:
            raise
        raise named from error
