"""What is wrong with backups and drills."""

from datetime import datetime, timedelta

from django.conf import settings

from storage.backups import plans
from storage.backups.plans import Plan
from storage.findings import Finding
from storage.models import BackupPlan, BackupRun
from storage.postgres import clock

_WHERE = "The page “Backups” has the details."
# A look at the log every quarter of a minute: after so long something is wrong.
_LOG_LATE = timedelta(minutes=5)
_LATE = timedelta(hours=1)


def find_problems() -> list[Finding]:
    """Backups and drills that failed or were missed, and a log that does not come to them. Raises EngineUnreachable."""
    row = BackupPlan.objects.filter(id=1).first()
    plan = plans.read_plan(row) if row else None
    if row is None or plan is None or not plan.target:
        return []
    now = clock.now()
    found = [
        *_of_runs(BackupRun.Kind.BACKUP, timedelta(hours=plan.every_hours), now),
        *_of_log(plan, row, now),
    ]
    if plan.drill_every_days:
        found += _of_runs(BackupRun.Kind.DRILL, timedelta(days=plan.drill_every_days), now)
    return found


def _of_runs(kind: BackupRun.Kind, every: timedelta, now: datetime) -> list[Finding]:
    ended = BackupRun.objects.filter(kind=kind, ended_at__isnull=False).order_by("-id")
    last, good = ended.first(), ended.filter(fault="").first()
    name = kind.label.lower()
    if last and last.fault:
        return [Finding(f"{kind}_failed", "bad", f"The last {name} failed: {_first(last.fault)}", _WHERE)]
    begun = BackupRun.objects.filter(kind=kind).order_by("id").values_list("asked_at", flat=True).first()
    since = (good.started_at or good.asked_at) if good else begun
    if since and since + 2 * every + _LATE < now:
        return [
            Finding(
                f"{kind}_missed",
                "bad",
                f"The last good {name} began {since:%Y-%m-%d %H:%M} UTC: at least one was missed.",
                "Look whether background jobs run. " + _WHERE,
            )
        ]
    if good and good.details.get("unreadable"):
        return [
            Finding(
                f"{kind}_unreadable",
                "bad",
                f"The bytes of {good.details['unreadable']} stored files could not be read for the backup.",
                "Run `reconcile`, which names the files.",
            )
        ]
    return []


def _of_log(plan: Plan, row: BackupPlan, now: datetime) -> list[Finding]:
    if settings.DATABASE_URL or not plans.adopted(plan, row):
        return []
    if row.log_fault and row.log_fault_at and row.log_fault_at + _LOG_LATE < now:
        return [
            Finding(
                "backup_log_late",
                "bad",
                f"What was changed since {row.log_fault_at:%Y-%m-%d %H:%M} UTC is in no backup: {_first(row.log_fault)}",
                "Bring the target back. The log is kept for it up to 1 GB.",
            )
        ]
    if row.kept_until and row.kept_until + _LOG_LATE < now and not row.log_fault:
        return [
            Finding(
                "backup_log_late",
                "bad",
                f"What was changed since {row.kept_until:%Y-%m-%d %H:%M} UTC is in no backup.",
                "Look whether background jobs run, and whether the target is slow.",
            )
        ]
    if row.gap_at:
        return [
            Finding(
                "backup_log_gap",
                "warn",
                f"Some of the log was let go at {row.gap_at:%Y-%m-%d %H:%M} UTC, so not every moment can be restored.",
                "The next backup ends the gap: make one now.",
            )
        ]
    return []


def _first(fault: str) -> str:
    """The beginning of what went wrong, as a sentence."""
    return fault.splitlines()[0][:300].rstrip(".") + "."
