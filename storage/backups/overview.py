"""What people see of the backups: what can be brought back, and the runs. The target itself is not asked, which may be slow."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from storage.backups import plans
from storage.backups.plans import Plan
from storage.models import BackupRun

_SHOWN = 100


@dataclass(frozen=True)
class Overview:
    """`spans` are the moments that can be brought back, oldest first; `has_database` is false with one of one's own.

    `backups` are those that are there, and those that failed since the last good one, newest first.
    """

    plan: Plan
    spans: list[tuple[datetime, datetime]]
    backups: list[BackupRun]
    drill: BackupRun | None
    under_way: list[BackupRun]
    has_database: bool
    has_bucket: bool


def describe() -> Overview:
    """Raises EngineUnreachable."""
    row = plans.read_row()
    runs = list(BackupRun.objects.filter(kind=BackupRun.Kind.BACKUP, ended_at__isnull=False).order_by("-id")[:_SHOWN])
    good = [run for run in runs if not run.fault]
    shown = [
        run for run in runs if (not run.details.get("removed") if not run.fault else not good or run.id > good[0].id)
    ]
    drills = BackupRun.objects.filter(kind=BackupRun.Kind.DRILL, ended_at__isnull=False)
    return Overview(
        plan=plans.read_plan(row),
        spans=_spans(good, row.kept_until if not row.gap_at else None),
        backups=shown,
        drill=drills.order_by("-id").first(),
        under_way=list(BackupRun.objects.filter(ended_at=None).order_by("id")),
        has_database=not settings.DATABASE_URL,
        has_bucket=settings.S3_IS_BUNDLED,
    )


def _spans(good: list[BackupRun], kept_until: datetime | None) -> list[tuple[datetime, datetime]]:
    """As they were after the last backup, of which the last goes on for as long as the log is kept."""
    own = [run for run in good if not run.details.get("elsewhere")]
    if not own:
        return []
    spans = [
        (datetime.fromisoformat(first), datetime.fromisoformat(last)) for first, last in own[0].details.get("spans", [])
    ]
    if spans and kept_until and kept_until > spans[-1][1]:
        spans[-1] = (spans[-1][0], kept_until)
    return spans
