"""What is wrong with exports and snapshots."""

from datetime import timedelta

from django.db.models import Q

from storage.archive.exporting import snapshot_copies
from storage.findings import Finding
from storage.models import Export, SnapshotSchedule
from storage.postgres import clock

_LATE = timedelta(hours=1)


def find_problems() -> list[Finding]:
    """Snapshots that failed, differ, are late or are not copied; exports that failed within a day. Raises EngineUnreachable."""
    now = clock.now()
    newest = Export.objects.filter(is_snapshot=True, finished_at__isnull=False).order_by(
        "collection_id", "-finished_at"
    )
    bad = [
        export.collection_id
        for export in newest.distinct("collection_id").only("collection_id", "state", "check_state")
        if export.state == Export.State.FAILED or export.check_state == Export.Check.BAD
    ]
    found = []
    if bad:
        found.append(
            Finding(
                "snapshots_failed",
                "bad",
                f"The last snapshot of {_collections(len(bad))} failed, or does not hold what the collection holds.",
                "See why on the page “Snapshots” of "
                + (f"the collection {bad[0]}." if len(bad) == 1 else f"collections such as {bad[0]}."),
            )
        )
    late = SnapshotSchedule.objects.filter(next_at__lt=now - _LATE).count()
    if late:
        found.append(
            Finding(
                "snapshots_late",
                "warn",
                f"Snapshots of {_collections(late)} are more than an hour late.",
                "Look whether background jobs run; a large one that is under way may hold them up.",
            )
        )
    failed = Export.objects.filter(
        Q(is_snapshot=False), state=Export.State.FAILED, finished_at__gt=now - timedelta(days=1)
    ).count()
    if failed:
        found.append(
            Finding(
                "exports_failed",
                "warn",
                f"{failed} export{'s' if failed > 1 else ''} failed within the last day.",
                "The collection's page “Exports” says why; make it again, or delete it.",
            )
        )
    return found + snapshot_copies.find_problems()


def _collections(count: int) -> str:
    return "a collection" if count == 1 else f"{count} collections"
