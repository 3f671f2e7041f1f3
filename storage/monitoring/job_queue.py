"""What is wrong with the queue of background jobs and those who work on it."""

import time
from datetime import UTC, datetime

from croniter import croniter

from storage import jobs
from storage.counting import counted
from storage.findings import Finding
from storage.monitoring import sql
from storage.postgres.database import run, run_one

# A job that had to run this long ago, and has not, is late; one that waits so long for its turn is stuck.
LATE_SECONDS = 600
_BEGINNING_SECONDS = 60


def find_problems() -> list[Finding]:
    """Nobody who works on it, jobs that are late or stuck, and jobs that failed in the last hour. Raises EngineUnreachable."""
    workers = run_one(sql.count_workers())
    found = []
    if not workers.alive and not _is_beginning():
        found.append(
            Finding(
                "no_job_worker",
                "bad",
                "No job worker gives a sign of life: nothing is swept, exported, deployed or deleted in the background.",
                "Look for “The job worker” in the log of “serve”, and start the server again if it does not come back.",
            )
        )
    late = list_late(run(sql.list_last_starts()), now=time.time())
    if late:
        found.append(
            Finding(
                "jobs_late",
                "bad",
                f"Background jobs have not run when they should: {_listed(late)}.",
                "Look for their names in the log; if none of them runs at all, start the server again.",
            )
        )
    waiting = [row for row in run(sql.list_queued_jobs()) if row.state == "todo" and row.oldest_seconds > LATE_SECONDS]
    if waiting:
        minutes = max(row.oldest_seconds for row in waiting) / 60
        found.append(
            Finding(
                "jobs_waiting",
                "warn",
                f"Background jobs wait for their turn, one of them for {minutes:.0f} minutes:"
                f" {_listed([row.name for row in waiting])}.",
                "Wait if a large deletion, export or import runs; if nothing moves, start the server again.",
            )
        )
    if workers.failed_jobs:
        many = "A background job" if workers.failed_jobs == 1 else f"{workers.failed_jobs} background jobs"
        found.append(
            Finding(
                "jobs_failed",
                "warn",
                f"{many} failed within the last hour, the last one was {workers.last_failed}.",
                "The log says why; most are tried again by themselves.",
            )
        )
    return found


def _is_beginning() -> bool:
    """Whether this machine's worker was started just now, and may yet have to give its first sign of life."""
    started_at = counted.read().get("homeport_process_start_time_seconds", {}).get(("The job worker",), [0.0])[0]
    return time.time() - started_at < _BEGINNING_SECONDS


def list_late(last: list[sql.LastStart], *, now: float) -> list[str]:
    """The names of periodic jobs that had to run by ten minutes ago, and last ran before that."""
    known = {row.name: row.at for row in last}
    due_by = datetime.fromtimestamp(now - LATE_SECONDS, UTC)
    return [
        name
        for name, cron in jobs.TIMES.items()
        if name in known and known[name] < croniter(cron, due_by).get_prev(float)
    ]


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3} more" if len(names) > 3 else shown
